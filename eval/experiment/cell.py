"""One cell of an experiment: one pipeline on one collection, run or taken from the cache, and measured."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from eval.collection import Collection
from eval.errors import InvalidEvaluation
from eval.experiment.answering import answered, latency_of
from eval.experiment.cache import Cache, KeptCell
from eval.experiment.definition import CollectionSource, Experiment
from eval.experiment.fingerprint import cell_fingerprint, code_fingerprint
from eval.experiment.ground import CollectionGround, Encoders
from eval.experiment.machine import machine
from eval.experiment.pipeline import Pipeline
from eval.experiment.result import SHOWN, Cell, CollectionFacts
from eval.formats import write_run
from eval.measures import Evaluation, evaluate, parse_measure
from eval.run import Run

_TITLE = 80
_BUSY = 1.5  # load a processor: one process that uses them all has 1


@dataclass(frozen=True, slots=True)
class Stage:
    """How far an experiment is.

    Args:
        cell: Which cell is under way, from 1.
        cells: How many there are.
        collection: Its collection.
        pipeline: Its pipeline.
        doing: What is being done, in words; empty when the cell is finished.
        done: How much of that,
        total: and of how much; 0 where nobody knows.
        cached: Whether the finished cell came from the cache.
        failed: Why the finished cell failed; empty where it did not.
    """

    cell: int
    cells: int
    collection: str
    pipeline: str
    doing: str = ""
    done: int = 0
    total: int = 0
    cached: bool = False
    failed: str = ""


Progress = Callable[[Stage], None]


@dataclass(slots=True)
class Work:
    """What an experiment's cells share while it is run.

    Args:
        experiment: The experiment.
        out: Where runs are written.
        cache: What is kept.
        force: Whether cells are run anew that are in the cache.
        progress: Told how far it is.
        encoders: Those loaded so far.
        machine: The machine, in a line.
        stage: The cell under way.
    """

    experiment: Experiment
    out: Path
    cache: Cache
    force: bool
    progress: Progress
    encoders: Encoders = field(default_factory=Encoders)
    machine: str = field(default_factory=machine)
    stage: Stage = field(default_factory=lambda: Stage(0, 0, "", ""))

    def doing(self, what: str, done: int, total: int) -> None:
        """Say what is being done of the cell under way."""
        self.progress(replace(self.stage, doing=what, done=done, total=total))


def cell_of(
    work: Work, ground: CollectionGround, source: CollectionSource, name: str, asked: bool
) -> Cell | None:
    """Return a cell, run now or taken from the cache; None for one that is not there and not asked for.

    Args:
        work: What cells share.
        ground: The collection's ground.
        source: The collection as the experiment names it.
        name: The pipeline.
        asked: Whether to run it where it is not in the cache.

    Raises:
        EvalError, SearchError, IndexingError, OSError: it cannot be run.
    """
    pipeline = work.experiment.pipeline(ground.collection.name, name)
    fingerprint, keeps = fingerprint_of(work, ground, pipeline)
    fresh = work.force and asked
    found = work.cache.load_cell(fingerprint) if keeps and not fresh else None
    if found is None and not asked:
        return None
    run, kept = found or _run(work, ground, pipeline, name, fingerprint)
    run = replace(run, name=name)
    evaluation, unmeasured = _evaluated(work, ground.collection, source, run)
    file = Path("runs") / ground.collection.name / f"{name}.jsonl.gz"
    (work.out / file).parent.mkdir(parents=True, exist_ok=True)
    write_run(run, work.out / file)
    warnings = list(kept.warnings)
    if run.seconds and kept.machine != work.machine:
        warnings.append(f"its times were taken on another machine: {kept.machine}")
    return Cell(
        collection=ground.collection.name,
        pipeline=name,
        kind=pipeline.kind,
        settings=kept.settings,
        fingerprint=fingerprint,
        evaluation=evaluation,
        unmeasured=unmeasured,
        top={query: list(ranking)[:SHOWN] for query, ranking in run.rankings.items()},
        found={query: len(ranking) for query, ranking in run.rankings.items()},
        latency=latency_of(run),
        index=kept.index,
        warnings=warnings,
        seconds=kept.seconds,
        finished=kept.finished,
        cached=found is not None,
        run_file=file.as_posix(),
    )


def _run(
    work: Work, ground: CollectionGround, pipeline: Pipeline, name: str, fingerprint: str
) -> tuple[Run, KeptCell]:
    clock = time.monotonic()
    work.doing("preparing", 0, 0)
    with pipeline.prepare(ground) as ready:
        experiment = work.experiment
        run = answered(ready, name, ground.collection.topics, experiment.k, experiment.page, work.doing)
        busy = [_busy()] if ready.timed else []
        kept = KeptCell(
            settings=dict(pipeline.settings()),
            index=ready.index,
            warnings=tuple(filter(None, [*ready.warnings(), *busy])),
            seconds=round(time.monotonic() - clock, 1),
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            machine=work.machine,
        )
    work.cache.keep_cell(fingerprint, run, kept)
    return run, kept


def _busy() -> str:
    """Return a warning where the machine has had more to do than one process; the empty string otherwise."""
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    if load <= _BUSY * processors:
        return ""
    return f"timed while the machine was busy with other work (load {load:.1f} on {processors} processors)"


def fingerprint_of(work: Work, ground: CollectionGround, pipeline: Pipeline) -> tuple[str, bool]:
    """Return a cell's fingerprint, and whether what is kept under it may be used again."""
    ingredients = pipeline.ingredients(ground)
    own = (type(pipeline).__module__, "eval.experiment.answering", "eval.run")
    parts = {
        "corpus": ground.corpus_fingerprint,
        "topics": [
            [topic.query_id, topic.text, topic.user_id] for topic in ground.collection.topics.values()
        ],
        "kind": pipeline.kind,
        "settings": dict(pipeline.settings()),
        "ingredients": ingredients,
        "code": code_fingerprint(tuple(sorted({*own, *pipeline.sources}))),
        "k": work.experiment.k,
        "page": work.experiment.page,
    }
    return cell_fingerprint(parts), ingredients is not None


def _evaluated(
    work: Work, collection: Collection, source: CollectionSource, run: Run
) -> tuple[Evaluation, dict[str, str]]:
    """Measure a run; return also the measures that cannot be had of it, each with the reason."""
    names = dict.fromkeys([*work.experiment.measures, *source.measures])
    measures = list(dict.fromkeys(map(parse_measure, names)))
    try:
        return evaluate(run, collection.judgements, measures), {}
    except InvalidEvaluation:
        whole = Evaluation(run.name, {}, [], [])
        unmeasured: dict[str, str] = {}
        for measure in measures:
            try:
                one = evaluate(run, collection.judgements, [measure])
                whole = replace(one, values={**whole.values, **one.values})
            except InvalidEvaluation as error:
                unmeasured[str(measure)] = str(error)
        return whole, unmeasured


def facts_of(
    ground: CollectionGround, source: CollectionSource, in_all: int, cells: Sequence[Cell]
) -> CollectionFacts:
    """Return what a report says of a collection; reads its documents, for the titles of those that cells show."""
    collection = ground.collection
    shown = {doc_id for cell in cells for top in cell.top.values() for doc_id in top}
    titles = {
        document.doc_id: _title(document.title or document.text)
        for document in ground.documents()
        if document.doc_id in shown
    }
    return CollectionFacts(
        name=collection.name,
        source=source.path,
        split=source.split,
        fingerprint=collection.fingerprint,
        documents=ground.document_count,
        topics={query_id: topic.text for query_id, topic in collection.topics.items()},
        topics_in_all=in_all,
        qrels=collection.judgements.qrels,
        titles=titles,
    )


def _title(text: str) -> str:
    text = " ".join(text[: 4 * _TITLE].split())
    return text if len(text) <= _TITLE else text[: _TITLE - 1].rstrip() + "…"
