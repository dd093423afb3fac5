"""Run an experiment: every cell that is not in the cache, in order. What fails is reported, and the rest goes on."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from engine.errors import SearchError
from eval.errors import EvalError, InvalidEvaluation
from eval.experiment.cache import Cache
from eval.experiment.cell import Progress, Stage, Work, cell_of, facts_of, fingerprint_of
from eval.experiment.definition import CollectionSource, Experiment, chosen_topics
from eval.experiment.ground import CollectionGround
from eval.experiment.machine import versions
from eval.experiment.pipeline import Pipeline
from eval.experiment.result import Cell, CollectionFacts, ExperimentResult, Failure
from eval.formats import read_collection
from eval.measures import Measure, parse_measure
from indexer.errors import IndexingError

__all__ = ["RESULTS", "Progress", "Stage", "planned", "run_experiment"]

_log = logging.getLogger(__name__)
RESULTS = "results.json"


def run_experiment(
    experiment: Experiment,
    out: str | Path,
    *,
    cache: str | Path | None = None,
    only: Sequence[str] = (),
    force: bool = False,
    progress: Progress = lambda stage: None,
) -> ExperimentResult:
    """Run an experiment and write `results.json` and the runs. Killed at any moment, it is simply run again.

    Args:
        experiment: What to run.
        out: The folder for results.
        cache: The folder of everything kept: cells, indexes. By default `cache` in `out`; experiments may share one.
        only: Run only cells that these name, as `collection`, `pipeline` or `collection/pipeline`. Others are part of
            the result where they are in the cache.
        force: Run cells anew that are in the cache. Indexes are kept.
        progress: Told how far it is.

    Raises:
        UnknownMeasure: a measure's name cannot be parsed; nothing has been run then.
        InvalidExperiment: `only` names nothing.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    measures = [parse_measure(name) for name in experiment.measures]
    for source in experiment.collections.values():
        for name in source.measures:
            parse_measure(name)
    wanted = set(experiment.only(only))
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    work = Work(experiment, out, Cache(Path(cache) if cache else out / "cache"), force, progress)
    facts: list[CollectionFacts] = []
    cells: list[Cell] = []
    failures: list[Failure] = []
    order = experiment.cells()
    for name, source in experiment.collections.items():
        here = [(at, pipeline) for at, (of, pipeline) in enumerate(order, 1) if of == name]
        if not here:  # no pipeline runs on it
            continue
        chosen = [(at, pipeline, (name, pipeline) in wanted) for at, pipeline in here]
        try:
            with _ground(work, name, source) as (ground, in_all):
                found = list(_cells(work, ground, source, chosen, len(order), failures))
                if found:
                    facts.append(facts_of(ground, source, in_all, found))
                cells += found
        except Exception as error:
            failures += [Failure(name, pipeline, _reason(error)) for _, pipeline, asked in chosen if asked]
            progress(Stage(here[-1][0], len(order), name, "", failed=_reason(error)))
    result = ExperimentResult(
        name=experiment.name,
        description=experiment.description,
        definition=experiment.definition,
        measures=_all_measures(experiment, measures),
        baseline=experiment.compared_with,
        test=experiment.test,
        correction=experiment.correction,
        k=experiment.k,
        collections=facts,
        pipelines=list(experiment.pipelines),
        cells=cells,
        failures=failures,
        versions=versions(),
        machine=work.machine,
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - clock, 1),
    )
    result.save(out / RESULTS)
    return result


def planned(experiment: Experiment, cache: str | Path) -> Iterator[tuple[str, str, bool]]:
    """Yield every cell's collection and pipeline, and whether it is in the cache; runs nothing.

    Raises:
        EvalError, IndexingError: a collection cannot be read, or an encoder not be found.
    """
    work = Work(experiment, Path(), Cache(Path(cache)), False, lambda stage: None)
    for name, source in experiment.collections.items():
        with _ground(work, name, source) as (ground, _):
            for of, pipeline in experiment.cells():
                if of == name:
                    yield name, pipeline, _is_kept(work, ground, experiment.pipeline(name, pipeline))


def _is_kept(work: Work, ground: CollectionGround, pipeline: Pipeline) -> bool:
    try:
        fingerprint, keeps = fingerprint_of(work, ground, pipeline)
    except EvalError:  # a run file that is not there yet
        return False
    return keeps and work.cache.has_cell(fingerprint)


def _all_measures(experiment: Experiment, measures: list[Measure]) -> list[Measure]:
    more = [parse_measure(name) for source in experiment.collections.values() for name in source.measures]
    return list(dict.fromkeys([*measures, *more]))


@contextmanager
def _ground(work: Work, name: str, source: CollectionSource) -> Iterator[tuple[CollectionGround, int]]:
    """Open a collection's ground, with how many judged topics there are in all."""
    collection = read_collection(work.experiment.path_of(source), split=source.split)
    chosen = chosen_topics(collection, source, name)
    if not chosen.topics:
        raise InvalidEvaluation(f"{work.experiment.path_of(source)} has no judged topic")
    ground = CollectionGround(chosen, work.experiment.folder, work.cache, work.encoders, work.doing)
    try:
        yield ground, len(collection.topics)
    finally:
        ground.close()


def _cells(
    work: Work,
    ground: CollectionGround,
    source: CollectionSource,
    chosen: Sequence[tuple[int, str, bool]],
    total: int,
    failures: list[Failure],
) -> Iterator[Cell]:
    name = ground.collection.name
    for at, pipeline, asked in chosen:
        work.stage = Stage(at, total, name, pipeline)
        try:
            cell = cell_of(work, ground, source, pipeline, asked)
        except Exception as error:
            if not asked:  # nobody wants to know what it lacks
                continue
            if not isinstance(error, EvalError | SearchError | IndexingError | OSError):
                _log.warning("%s / %s", name, pipeline, exc_info=True)
            failures.append(Failure(name, pipeline, _reason(error)))
            work.progress(replace(work.stage, failed=_reason(error)))
            continue
        if cell is not None:
            work.progress(replace(work.stage, cached=cell.cached))
            yield cell


def _reason(error: Exception) -> str:
    if isinstance(error, EvalError | SearchError | IndexingError):
        return str(error)
    return f"{type(error).__name__}: {error}"
