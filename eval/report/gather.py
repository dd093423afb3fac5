"""From an experiment's result to what its report says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from eval.experiment.result import ExperimentResult
from eval.report import cautions, numbers
from eval.report.charts import all_collections
from eval.report.contents import Contents, Entry, Summary, SummaryRow
from eval.report.figure import Chart
from eval.report.method import in_words, method
from eval.report.section_charts import places
from eval.report.sections import entries, section
from eval.report.standing import LEVEL, Standing, standing

_NOT_IN_ANCHORS = re.compile(r"[^a-z0-9]+")


def gather(result: ExperimentResult, curves: Sequence[Chart] = ()) -> Contents:
    """Return what the report of a result says. It depends on nothing else: no clock, no machine, no files."""
    standings = {facts.name: standing(result, facts.name) for facts in result.collections}
    anchors = _anchors([facts.name for facts in result.collections])
    return Contents(
        title=result.name or "Experiment",
        description=result.description,
        baseline=result.baseline,
        legend=_legend(result),
        warnings=cautions.of_experiment(result),
        summary=_summary(result, standings, anchors),
        sections=[
            section(result, facts, standings[facts.name], anchors[facts.name]) for facts in result.collections
        ],
        method=method(result),
        curves=[replace(chart, name=f"curve-{at}") for at, chart in enumerate(curves, 1)],
    )


def _anchors(names: Sequence[str]) -> dict[str, str]:
    """Return an id for each name, of plain letters, none twice."""
    anchors: dict[str, str] = {}
    for at, name in enumerate(names, 1):
        plain = _NOT_IN_ANCHORS.sub("-", name.casefold()).strip("-")[:40]
        anchors[name] = f"c{at}-{plain}" if plain else f"c{at}"
    return anchors


def _legend(result: ExperimentResult) -> list[str]:
    said = [
        "Each number is the mean over all judged queries; one that a system missed counts with the measure's default.",
        "The range with it is its 95% interval: where the mean over queries like these lies (bootstrap over queries). "
        "A number without one is a percentile or a sum, or of a single query, and is not tested.",
        "Bold: the best, as printed.",
    ]
    if result.baseline and len(result.pipelines) > 1:
        said += [
            f"▲ significantly better than {result.baseline}, ▼ significantly worse: p under {1 - LEVEL:.2g} by the "
            f"{in_words(result.test)} over queries, {_correction(result)}.",
            "Detectable: the smallest true difference that so many queries would show 8 times in 10; where it is "
            "larger than the difference, no mark does not mean no difference.",
            "Effect: the mean difference in standard deviations of the differences.",
        ]
    return said


def _correction(result: ExperimentResult) -> str:
    if result.correction == "none":
        return "not corrected for the number of tests"
    return f"after {in_words(result.correction)} over all systems and measures of a collection together"


def _summary(
    result: ExperimentResult, standings: Mapping[str, Standing], anchors: Mapping[str, str]
) -> Summary:
    """Return the first measure of every system on every collection; of a collection without it, the first it has."""
    systems = list(result.pipelines)
    rows, shown, values = [], {}, {}
    for facts in result.collections:
        held = standings[facts.name]
        if not held.means:
            continue
        measure = next(iter(held.means))
        found = entries(measure, held.means[measure], held.against.get(measure, {}))
        row = [found.get(name, Entry(numbers.NONE)) for name in systems]
        label = facts.name if str(measure) == str(result.measures[0]) else f"{facts.name} ({measure})"
        rows.append(SummaryRow(label, anchors[facts.name], f"{len(facts.topics):,}", row))
        shown[facts.name] = str(measure)
        values[facts.name] = {name: entry.value for name, entry in found.items()}
    order = places(result)
    chart = None
    if rows:
        drawn = {name: [found.get(system) for system in order] for name, found in values.items()}
        chart = all_collections("summary-chart", shown, drawn, order)
    title = next(iter(shown.values()), str(result.measures[0]) if result.measures else "")
    return Summary(title, systems, rows, _mean(rows) if len(set(shown.values())) == 1 else [], chart)


def _mean(rows: Sequence[SummaryRow]) -> list[Entry]:
    """Return the plain mean over the collections of every system that has a number on all; nothing for one row."""
    if len(rows) < 2:
        return []
    means: list[float | None] = []
    for column in zip(*(row.entries for row in rows), strict=True):
        held = [entry.value for entry in column if entry.value is not None]
        means.append(sum(held) / len(held) if len(held) == len(rows) else None)
    highest = max((mean for mean in means if mean is not None), default=None)
    several = sum(mean is not None for mean in means) > 1
    return [
        Entry(numbers.NONE)
        if mean is None
        else Entry(
            numbers.mean(mean),
            mean,
            best=several and highest is not None and numbers.mean(mean) == numbers.mean(highest),
        )
        for mean in means
    ]


def charts(result: ExperimentResult) -> list[Chart]:
    """Return every figure of a report; `chart.save(folder / f"{chart.name}.svg")` writes one to a file.

    Raises:
        MissingDependency: matplotlib or scipy is not installed.
    """
    contents = gather(result)
    first = [contents.summary.chart] if contents.summary.chart else []
    return first + [
        chart for section in contents.sections for chart in (*section.charts, *section.query_charts)
    ]
