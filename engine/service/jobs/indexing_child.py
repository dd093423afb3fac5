"""The process that writes to the index: `python -m engine.service.jobs.indexing_child`.

Searches do not feel it: it has its own interpreter lock, and is niced. It is told which jobs to do, and does them in
their order; small ones that have no document in common share a commit. SIGTERM, or the end of whoever started it,
makes it commit what it has and end.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from engine.service.jobs.documents import documents_in, ids_in
from engine.service.jobs.saying import say
from engine.service.jobs.tally import Tally, watching
from indexer.backend import DocumentIndex
from indexer.document import Document, ReadFailure
from indexer.elastic.settings import ElasticSettings
from indexer.errors import IndexFull, IndexingError, IndexLocked, IndexUnavailable
from indexer.opening import open_index
from indexer.pipeline import IndexingReport, index_corpus
from indexer.readers import ReadOptions

SMALL = 4 << 20
"""Bytes of documents up to which a job may share a commit."""
NICE = 5
"""Beside one search that takes all it can get, about a quarter of the processor is left to indexing."""
_TWICE = "was used by an earlier document of this job, which is kept: make ids unique"
_SAY_SECONDS = 0.5
_LOOK_SECONDS = 1.0
"""Between looks whether another writer is done."""

T = TypeVar("T")


def main() -> None:
    """Do what standard input says."""
    order = json.loads(sys.stdin.buffer.readline())
    os.nice(NICE)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    threading.Thread(target=_watch, args=(stop,), daemon=True).start()
    elastic = ElasticSettings(**order["elastic"]) if order["elastic"] else None
    try:
        with _patiently(lambda: open_index(order["place"], elastic=elastic), stop) as index:
            _jobs(index, order["jobs"], ReadOptions(**order["options"]), stop)
    except Stopped:
        return
    except IndexUnavailable as error:
        say(unavailable=str(error), seconds=error.retry_after)
    except IndexFull as error:
        say(failed=str(error))
    except IndexingError as error:
        say(failed=str(error))


class Stopped(Exception):
    """It was asked to end while it waited."""


def _patiently(step: Callable[[], T], stop: threading.Event) -> T:
    """Take a step, waiting for other writers to be done.

    Raises:
        Stopped: there is no time left to wait.
    """
    while not stop.is_set():
        try:
            return step()
        except IndexLocked as error:
            say(waits=str(error))
            stop.wait(_LOOK_SECONDS)
    raise Stopped


def _watch(stop: threading.Event) -> None:
    """Wait until nobody is there any more to tell."""
    while os.read(0, 1):
        continue
    stop.set()


def _jobs(
    index: DocumentIndex, jobs: Sequence[dict[str, Any]], options: ReadOptions, stop: threading.Event
) -> None:
    for group in grouped(jobs):
        if stop.is_set():
            return
        say(group=[job["job_id"] for job in group])
        _patiently(partial(_group, index, group, options, stop), stop)


def grouped(jobs: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield jobs in their order, those together that may share a commit: small, and no document is in two of them."""
    group: list[dict[str, Any]] = []
    ids: set[str] = set()
    for job in jobs:
        small = not job["delete"] and os.path.getsize(job["documents"]) <= SMALL
        own = ids_in(Path(job["documents"])) if small else set()
        if group and (not small or ids & own):
            yield group
            group, ids = [], set()
        if small:
            group.append(job)
            ids |= own
        else:
            yield [job]
    if group:
        yield group


def _group(
    index: DocumentIndex, group: Sequence[dict[str, Any]], options: ReadOptions, stop: threading.Event
) -> None:
    if group[0]["delete"]:
        _delete(index, group[0])
    else:
        _add(index, group, options, stop)


def _delete(index: DocumentIndex, job: dict[str, Any]) -> None:
    ids = job["delete"]
    with index.writer() as writer:
        deleted = writer.delete_all(ids)
        generation = writer.commit()
    counts = {"deleted": deleted, "missing": len(ids) - deleted, "generation": generation}
    say(done={job["job_id"]: counts}, refusals={})


def _add(
    index: DocumentIndex, group: Sequence[dict[str, Any]], options: ReadOptions, stop: threading.Event
) -> None:
    tallies = {job["job_id"]: Tally() for job in group}
    owners: dict[str, Tally] = {}
    said = 0.0

    def items() -> Iterator[Document]:
        for job in group:
            tally = tallies[job["job_id"]]
            for item in documents_in(Path(job["documents"]), options):
                if isinstance(item, ReadFailure):
                    tally.refuse(item.source, item.reason)
                elif item.doc_id in owners:
                    tally.refuse(item.source or item.doc_id, f"the id {item.doc_id!r:.100} {_TWICE}")
                else:
                    owners[item.doc_id] = tally
                    yield item

    def progress(report: IndexingReport) -> None:
        nonlocal said
        if time.monotonic() - said >= _SAY_SECONDS:
            said = time.monotonic()
            say(progress={name: tally.counts() for name, tally in tallies.items()}, passages=report.encoded)

    watched = watching(index, lambda settled: owners[settled.doc_id].settle(settled))
    report = index_corpus(watched, items(), progress=progress, should_stop=stop.is_set)
    for tally in tallies.values():
        tally.passages = report.encoded if len(group) == 1 else 0
        tally.generation = report.generation
    counts = {name: tally.counts() for name, tally in tallies.items()}
    if report.interrupted:
        say(progress=counts)
    else:
        say(done=counts, refusals={name: tally.refusals for name, tally in tallies.items()})


if __name__ == "__main__":
    main()
