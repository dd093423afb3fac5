"""What a report says, as values: every number already in the words that are printed.

`gather` makes them of an `ExperimentResult`; the page and the Markdown tables are two ways of writing them down, so
they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.report.figure import Chart

BETTER, WORSE = "better", "worse"
MARKS = {BETTER: "▲", WORSE: "▼", "": ""}
"""A difference that is significant after correction, as it is shown; words beside it say the same."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One number of a table.

    Args:
        text: As printed; a dash where there is none.
        value: The number itself, to sort by; None where there is none.
        interval: Its interval as printed, or the empty string.
        best: Whether no other of its column, or its row in the summary, is printed higher.
        verdict: `BETTER`, `WORSE` or the empty string: the corrected test against the baseline.
    """

    text: str
    value: float | None = None
    interval: str = ""
    best: bool = False
    verdict: str = ""

    @property
    def mark(self) -> str:
        """The verdict's sign."""
        return MARKS[self.verdict]


@dataclass(frozen=True, slots=True)
class SystemRow:
    """A system's line in a collection's table: an entry for each measure, then its latencies."""

    name: str
    baseline: bool
    entries: Sequence[Entry]
    p50: Entry
    p95: Entry


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """A system against the baseline by one measure; the fields are printed as they are."""

    system: str
    difference: Entry
    p_value: str
    corrected: str
    effect: str
    wins: int
    ties: int
    losses: int
    detectable: str


@dataclass(frozen=True, slots=True)
class ComparisonTable:
    """All systems against the baseline by one measure."""

    measure: str
    rows: Sequence[ComparisonRow]


@dataclass(frozen=True, slots=True)
class ShownHit:
    """A document among a query's first: its title and its grade; None where nobody judged it."""

    doc_id: str
    title: str
    grade: int | None


@dataclass(frozen=True, slots=True)
class ShownQuery:
    """A query where a system and the baseline differ much, with what both found first."""

    query_id: str
    text: str
    system: Entry
    baseline: Entry
    difference: Entry
    hits: Sequence[ShownHit]
    baseline_hits: Sequence[ShownHit]


@dataclass(frozen=True, slots=True)
class Extremes:
    """The queries that a system loses and gains most in, against the baseline."""

    system: str
    lost: Sequence[ShownQuery]
    gained: Sequence[ShownQuery]


@dataclass(frozen=True, slots=True)
class Section:
    """A collection: its tables, figures, and what is to be known of it.

    Args:
        name: The collection.
        anchor: Where links lead.
        facts: Label and value, as printed.
        warnings: Sentences.
        measures: The columns of `rows`.
        rows: The systems in the experiment's order.
        comparisons: A table for each measure, the first measure's first; empty without a baseline.
        charts: Figures of the collection.
        query_charts: Figures of single systems, query by query.
        family: How many tests the corrected p-values are corrected for.
        extremes: A system each.
        unmeasured: System, measure and the reason why there is no number.
    """

    name: str
    anchor: str
    facts: Sequence[tuple[str, str]]
    warnings: Sequence[str]
    measures: Sequence[str]
    rows: Sequence[SystemRow]
    comparisons: Sequence[ComparisonTable]
    charts: Sequence[Chart]
    query_charts: Sequence[Chart]
    family: int
    extremes: Sequence[Extremes]
    unmeasured: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """A collection's line in the summary: an entry for each system."""

    collection: str
    anchor: str
    queries: str
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Summary:
    """The first measure of every system on every collection.

    Args:
        measure: The measure.
        systems: The columns.
        rows: The collections.
        mean: The plain mean over the collections of each system that ran on all of them; empty for one collection.
        chart: All of it as a figure; None when there is nothing to draw.
    """

    measure: str
    systems: Sequence[str]
    rows: Sequence[SummaryRow]
    mean: Sequence[Entry]
    chart: Chart | None


@dataclass(frozen=True, slots=True)
class CellRow:
    """What was run in one cell, as printed."""

    collection: str
    pipeline: str
    fingerprint: str
    seconds: str
    cached: str
    finished: str
    run_file: str


@dataclass(frozen=True, slots=True)
class IndexRow:
    """An index that cells searched, as printed."""

    collection: str
    pipelines: str
    documents: str
    passages: str
    megabytes: str
    seconds: str
    encoder: str
    analyser: str
    splitter: str


@dataclass(frozen=True, slots=True)
class PipelineRow:
    """A pipeline and its kind."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A setting, and its value in each pipeline; a dash where it has none. Values that differ say on what."""

    name: str
    values: Sequence[str]


@dataclass(frozen=True, slots=True)
class Method:
    """Exactly what was run."""

    facts: Sequence[tuple[str, str]]
    pipelines: Sequence[PipelineRow]
    settings: Sequence[SettingRow]
    indexes: Sequence[IndexRow]
    collections: Sequence[tuple[str, str, str, str]]
    cells: Sequence[CellRow]
    versions: Mapping[str, str]
    definition: str


@dataclass(frozen=True, slots=True)
class Contents:
    """A whole report.

    Args:
        title: The experiment's.
        description: Its author's words; may be empty.
        baseline: The system that others are compared with; may be empty.
        legend: What marks, intervals and columns mean, in sentences.
        warnings: Of the experiment as a whole, sentences.
        summary: Across collections.
        sections: A collection each.
        method: Exactly what was run.
        curves: Figures of quality against settings, drawn elsewhere.
    """

    title: str
    description: str
    baseline: str
    legend: Sequence[str]
    warnings: Sequence[str]
    summary: Summary
    sections: Sequence[Section]
    method: Method
    curves: Sequence[Chart]
