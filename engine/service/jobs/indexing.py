"""Documents into the index, in a process of its own: which jobs it did, and what stopped it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from engine.service.jobs import folders
from engine.service.jobs.child import Child, own_environment
from engine.service.jobs.job import Job, Refusal
from engine.service.jobs.store import JobStore
from indexer.elastic.settings import ElasticSettings
from indexer.opening import Place
from indexer.readers import ReadOptions

CHILD = "engine.service.jobs.indexing_child"
DEATHS = 3
"""How often the process may die over one job before that is given up."""
UNAVAILABLE_SECONDS = 5.0
"""How long to wait before a cluster that did not answer is asked again, where it does not say."""
PATIENCE_SECONDS = 60.0
"""How long a process that was asked to end may take to commit what it has."""


class Stop(Exception):
    """The service is to stop, or a job to be cancelled."""


class Indexing:
    """Brings the documents of jobs into the index.

    Args:
        store: Where progress is told.
        folder: Where the jobs' folders are.
        place: Where the index is.
        elastic: How to reach Elasticsearch; None for what the environment says.
        options: How documents that were given become documents.
        look: Called a few times a second with the names of the jobs at work on; raises `Stop`.
        child: The module that the process runs.
    """

    def __init__(
        self,
        store: JobStore,
        folder: Path,
        place: Place,
        elastic: ElasticSettings | None,
        options: ReadOptions,
        look: Callable[[tuple[str, ...]], None],
        child: str = CHILD,
    ) -> None:
        self._store = store
        self._folder = folder
        self._place = place
        self._elastic = elastic
        self._options = options
        self._look = look
        self._child = child

    def index(self, jobs: Sequence[Job]) -> float:
        """Do jobs in their order, as far as that can be done now.

        Returns:
            Seconds after which it makes sense to try again what is left of them; 0.0 for at once.

        Raises:
            Stop: it was asked for; what was done till then is committed.
        """
        with self._store.together():
            wanted = [job for job in jobs if self._store.change(job.job_id, state="indexing", message="")]
        if not wanted:
            return 0.0
        run = _Run(self._store, wanted)
        order = {
            "place": str(self._place),
            "elastic": None if self._elastic is None else asdict(self._elastic),
            "options": asdict(self._options),
            "jobs": [self._order(job) for job in wanted],
        }
        with Child(self._child, order, own_environment()) as child:
            try:
                for line in child.lines(None, lambda: self._look(run.names)):
                    run.take(line)
            except Stop:
                child.terminate()
                self._end(child, run)
                raise
            if not run.explained and run.left:
                run.died(child.outcome())
        return run.pause

    def _order(self, job: Job) -> dict[str, Any]:
        folder = self._folder / job.job_id
        if job.kind == "delete":
            return {"job_id": job.job_id, "delete": folders.read_json(folder / folders.IDS)}
        return {"job_id": job.job_id, "delete": [], "documents": str(folder / folders.DOCUMENTS)}

    def _end(self, child: Child, run: _Run) -> None:
        """Wait until a process that was asked to end has committed what it has; not for ever."""
        until = time.monotonic() + PATIENCE_SECONDS

        def look() -> None:
            if time.monotonic() > until:
                raise Stop

        try:
            for line in child.lines(None, look):
                run.take(line)
        except Stop:
            child.end()


class _Run:
    """What one process has said of the jobs that it was given."""

    def __init__(self, store: JobStore, jobs: Sequence[Job]) -> None:
        self.left = {job.job_id: job for job in jobs}
        self.pause = 0.0
        self.explained = False
        self._store = store
        self._group: list[str] = []

    @property
    def names(self) -> tuple[str, ...]:
        """The jobs that are not done."""
        return tuple(self.left)

    def take(self, line: dict[str, Any]) -> None:
        """Take in what it said."""
        with self._store.together():
            self._take(line)

    def _take(self, line: dict[str, Any]) -> None:
        if "group" in line:
            self._group = line["group"]
        elif "progress" in line:
            for name, counts in line["progress"].items():
                self._progress(name, counts)
        elif "done" in line:
            for name, counts in line["done"].items():
                self._done(name, counts, line["refusals"].get(name, []))
        elif "waits" in line:
            for name in self.left:
                self._store.change(name, message=f"waits: {line['waits']}")
        elif "unavailable" in line:
            self._unavailable(line["unavailable"], line["seconds"])
        elif "failed" in line:
            self._failed(self._group or list(self.left), line["failed"])

    def died(self, outcome: str) -> None:
        """Take in that the process died, and count that against the jobs that it was at work on."""
        for name in [name for name in self._group or list(self.left) if name in self.left]:
            job = self.left[name]
            if job.attempts + 1 >= DEATHS:
                self._failed([name], f"the process that indexes died {DEATHS} times over this job: {outcome}")
            else:
                message = f"the process that indexes died ({outcome}); it is tried again"
                self._store.change(name, attempts=job.attempts + 1, message=message)
        self.pause = max(self.pause, 1.0)

    def _progress(self, name: str, counts: dict[str, int]) -> None:
        job = self.left[name]
        self._store.change(name, message="", progress=replace(job.progress, **counts))

    def _done(self, name: str, counts: dict[str, int], refusals: Sequence[Sequence[str]]) -> None:
        job = self.left.pop(name)
        progress = replace(job.progress, **counts)
        shown = [Refusal(*each) for each in refusals]
        self._store.change(name, state="done", message="", progress=progress, refusals=shown)

    def _unavailable(self, reason: str, seconds: float | None) -> None:
        self.explained = True
        self.pause = seconds or UNAVAILABLE_SECONDS
        for name in self.left:
            self._store.change(name, state="queued", message=f"waits: {reason}")

    def _failed(self, names: Sequence[str], reason: str) -> None:
        self.explained = True
        for name in [name for name in names if name in self.left]:
            self._store.change(name, state="failed", message=reason)
            del self.left[name]
