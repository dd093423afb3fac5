"""What an experiment found: `ExperimentResult`, a value that is saved as JSON and read back whole.

Everything that a report says is in it, so a report can be written anew, elsewhere and later, without the collections.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from eval.collection import Qrels
from eval.errors import FormatError, InvalidExperiment, UnknownMeasure
from eval.measures.evaluation import Evaluation
from eval.measures.measure import Measure
from indexer.local.durable import replace_atomically

FORMAT = 1
SHOWN = 10
"""How many hits of each query a cell keeps for a report; the run file beside it has all of them."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long answers took: one query after another, on one thread, after a warm-up. In milliseconds.

    Args:
        queries: How many answers were timed.
        mean: Their mean.
        p50: The median.
        p95: What 95 of 100 stayed below.
        slowest: The longest.
    """

    queries: int
    mean: float
    p50: float
    p95: float
    slowest: float


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """The index that a cell searched.

    Args:
        documents: How many it holds.
        passages: How many they were split into.
        megabytes: Its size on disk.
        encoder: The encoder's fingerprint.
        analyser: The analyser's fingerprint.
        splitter: The splitter's fingerprint.
        seconds: What indexing took when it was made; 0 where that was before this experiment's folder was.
    """

    documents: int
    passages: int
    megabytes: float
    encoder: str
    analyser: str
    splitter: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class CollectionFacts:
    """A collection as the experiment used it: its judged topics, or so many of them as were asked for.

    Args:
        name: Its name in tables.
        source: Where it was read from, as the experiment names it.
        split: Which of its splits; empty where it has one.
        fingerprint: A hash of its files.
        documents: How many it has.
        topics: Query to its text, those that were run.
        topics_in_all: How many judged topics there are, before any were left out.
        qrels: Query to document to grade, of the topics that were run.
        titles: Document to its title, or the beginning of its text, for the documents that some cell shows.
    """

    name: str
    source: str
    split: str
    fingerprint: str
    documents: int
    topics: Mapping[str, str]
    topics_in_all: int
    qrels: Qrels
    titles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cell:
    """One pipeline on one collection.

    Args:
        collection: The collection's name.
        pipeline: The pipeline's name.
        kind: The pipeline's kind, as `kind` in the experiment's file.
        settings: What it was run with, setting to value, both in words; defaults included.
        fingerprint: What the cell is cached under.
        evaluation: Values by measure and query. A measure that cannot be had of this cell is not in it.
        unmeasured: Such measures, by name, each with the reason.
        top: Query to the first `SHOWN` documents, best first.
        found: Query to how many documents came back, of the `k` asked for.
        latency: How long answers took; None for a run file without times.
        index: The index searched; None for pipelines without one.
        warnings: What a reader of the numbers should know, in sentences.
        seconds: What the cell took when it was run, its preparation included.
        finished: When it was run, ISO 8601, UTC.
        cached: Whether it was taken from an earlier run of the experiment.
        run_file: The run, relative to the experiment's output folder.
    """

    collection: str
    pipeline: str
    kind: str
    settings: Mapping[str, str]
    fingerprint: str
    evaluation: Evaluation
    unmeasured: Mapping[str, str] = field(default_factory=dict)
    top: Mapping[str, Sequence[str]] = field(default_factory=dict)
    found: Mapping[str, int] = field(default_factory=dict)
    latency: Latency | None = None
    index: IndexFacts | None = None
    warnings: Sequence[str] = ()
    seconds: float = 0.0
    finished: str = ""
    cached: bool = False
    run_file: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A cell that could not be run, and why."""

    collection: str
    pipeline: str
    reason: str


@dataclass(frozen=True, slots=True)
class ExperimentResult:
    """All that came of an experiment.

    Args:
        name: The experiment's title.
        description: What it is for, in its author's words.
        definition: The experiment's TOML text, so that it can be run again.
        measures: In the order of tables; the first is the one that systems are compared by.
        baseline: The pipeline that others are compared with; empty where there is none.
        test: The significance test, by its name in `eval.comparison`.
        correction: The correction for many comparisons, by its name there.
        k: How many documents each query was asked for.
        collections: In the order of tables.
        pipelines: Names, in the order of tables.
        cells: By collection, then pipeline.
        failures: Cells that could not be run.
        versions: Library to version, Quire and Python among them.
        machine: Processor, cores, memory and system, in a line.
        started: ISO 8601, UTC.
        seconds: What this run of the experiment took, cached cells costing nearly nothing.
    """

    name: str
    description: str
    definition: str
    measures: Sequence[Measure]
    baseline: str
    test: str
    correction: str
    k: int
    collections: Sequence[CollectionFacts]
    pipelines: Sequence[str]
    cells: Sequence[Cell]
    failures: Sequence[Failure] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: str = ""
    started: str = ""
    seconds: float = 0.0

    def collection(self, name: str) -> CollectionFacts:
        """Return the collection of a name.

        Raises:
            InvalidExperiment: there is none.
        """
        for facts in self.collections:
            if facts.name == name:
                return facts
        raise InvalidExperiment(
            f"no collection {name!r}; there are {', '.join(facts.name for facts in self.collections)}"
        )

    def row(self, collection: str) -> dict[str, Cell]:
        """Return a collection's cells by pipeline, in the pipelines' order; those that failed are missing."""
        cells = {cell.pipeline: cell for cell in self.cells if cell.collection == collection}
        return {name: cells[name] for name in self.pipelines if name in cells}

    def save(self, path: str | Path) -> None:
        """Write it as JSON, whole or not at all."""
        document = {"format": FORMAT} | _plain(self)
        text = json.dumps(document, ensure_ascii=False, indent=None, allow_nan=False)
        replace_atomically(Path(path), text.encode())

    @classmethod
    def load(cls, path: str | Path) -> ExperimentResult:
        """Read what `save` wrote.

        Raises:
            FormatError: the file is something else, or of another version.
        """
        path = Path(path)
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            version = record.pop("format")
            if version != FORMAT:
                raise FormatError(path, 0, f"is of format {version}, this Quire reads {FORMAT}; run it again")
            return _result(record)
        except (ValueError, KeyError, TypeError, AttributeError, UnknownMeasure) as error:
            raise FormatError(
                path, 0, f"is not the result of an experiment ({type(error).__name__}: {error})"
            ) from error


def cell_to_json(cell: Cell) -> dict[str, Any]:
    """Return a cell as plain values for JSON."""
    record = {
        item.name: getattr(cell, item.name)
        for item in fields(cell)
        if item.name not in ("evaluation", "latency", "index")
    }
    values = {str(measure): dict(values) for measure, values in cell.evaluation.values.items()}
    return record | {
        "values": values,
        "unanswered": list(cell.evaluation.unanswered),
        "unjudged": list(cell.evaluation.unjudged),
        "latency": asdict(cell.latency) if cell.latency else None,
        "index": asdict(cell.index) if cell.index else None,
    }


def cell_from_json(record: Mapping[str, Any]) -> Cell:
    """Return the cell of `cell_to_json`.

    Raises:
        KeyError, TypeError, UnknownMeasure: it is something else.
    """
    from eval.measures import parse_measure

    record = dict(record)
    values = {parse_measure(name): values for name, values in record.pop("values").items()}
    others = {name: list(record.pop(name)) for name in ("unanswered", "unjudged")}
    latency, index = record.pop("latency"), record.pop("index")
    return Cell(
        **record,
        evaluation=Evaluation(record["pipeline"], values, **others),
        latency=Latency(**latency) if latency else None,
        index=IndexFacts(**index) if index else None,
    )


def _plain(result: ExperimentResult) -> dict[str, Any]:
    record = {item.name: getattr(result, item.name) for item in fields(result)}
    return record | {
        "measures": [str(measure) for measure in result.measures],
        "collections": [asdict(facts) for facts in result.collections],
        "cells": [cell_to_json(cell) for cell in result.cells],
        "failures": [asdict(failure) for failure in result.failures],
    }


def _result(record: dict[str, Any]) -> ExperimentResult:
    from eval.measures import parse_measure

    return ExperimentResult(
        **record
        | {
            "measures": [parse_measure(name) for name in record["measures"]],
            "collections": [CollectionFacts(**facts) for facts in record["collections"]],
            "cells": [cell_from_json(cell) for cell in record["cells"]],
            "failures": [Failure(**failure) for failure in record["failures"]],
        }
    )
