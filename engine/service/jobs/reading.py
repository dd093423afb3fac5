"""Files to documents, in a process with limits; when it dies of a file, that file is refused and the rest is read."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from engine.service.jobs import folders
from engine.service.jobs.child import Child, Silence, bare_environment
from engine.service.jobs.folders import Listed
from engine.service.jobs.job import Job, Progress, Refusal
from engine.service.jobs.limits import Limits
from engine.service.jobs.roots import Roots
from engine.service.jobs.store import JobStore
from indexer.readers import ReadOptions

CHILD = "engine.service.jobs.reading_child"
TELL_SECONDS = 0.5
"""How often progress is stored, at most."""
STARTS = 3
"""How often it is tried to start a process that dies before it has opened a file."""


class Failed(Exception):
    """A job cannot be done; says why."""


class Reading:
    """Reads the files of jobs.

    Args:
        store: Where progress is told.
        roots: Where files that were not uploaded may be.
        options: How files are read.
        limits: What reading one file may use.
        look: Called a few times a second with the names of the jobs at work on; raises to stop.
        child: The module that the process runs.
    """

    def __init__(
        self,
        store: JobStore,
        roots: Roots,
        options: ReadOptions,
        limits: Limits,
        look: Callable[[tuple[str, ...]], None],
        child: str = CHILD,
    ) -> None:
        self._store = store
        self._roots = roots
        self._options = options
        self._limits = limits
        self._look = look
        self._child = child

    def read(self, job: Job, folder: Path) -> bool:
        """Read all files of a job into its `documents.jsonl`; go on where it was left off.

        Returns:
            Whether it is still wanted: not if it was cancelled just before.

        Raises:
            Failed: the job cannot be done.
            OSError: the disk cannot be written to.
        """
        if not self._store.change(job.job_id, state="reading", message=""):
            return False
        if not folder.is_dir():
            raise Failed("the job's files are gone from the service's folder: send them again")
        if not (folder / folders.LISTED).exists():
            self._list(job, folder)
        documents = folder / folders.DOCUMENTS
        progress = self._resumed(job, documents)
        progress.files = sum(1 for _ in folders.read_listed(folder))
        told = _Told(self._store, job, progress, documents)
        starts = 0
        while progress.files_read < progress.files:
            before = progress.files_read
            complaint = self._some(job, folder, told)
            starts = starts + 1 if progress.files_read == before else 0
            if starts == STARTS:
                raise Failed(f"the process that reads files does not start: {complaint}")
        told.tell()
        return self._store.change(job.job_id, ready=True)

    def _resumed(self, job: Job, documents: Path) -> Progress:
        """Return how far reading has come, as far as that can be relied on."""
        if documents.exists() and documents.stat().st_size >= job.progress.offset:
            return replace(job.progress)
        documents.touch(mode=0o600)
        kept = job.progress
        return Progress(skipped=kept.skipped, unread=kept.unread if not kept.files_read else 0)

    def _some(self, job: Job, folder: Path, told: _Told) -> str:
        """Read files until all are read, or the process has died of one; return what it died of."""
        progress = told.progress
        order = self._order(folder, first=progress.files_read, offset=progress.offset)
        begun, name, reason = -1, "", ""
        with Child(self._child, order, bare_environment(str(folder)), "/") as child:
            try:
                for line in child.lines(self._limits.wall_seconds, lambda: self._look((job.job_id,))):
                    if "begun" in line:
                        begun, name = progress.files_read, str(line["name"])
                    elif "read" in line:
                        if line["read"] != begun or begun != progress.files_read:
                            raise Failed("the process that reads files lost count of them")
                        told.file(line)
                    elif "full" in line:
                        raise Failed("the service's disk is full: make room there and send it again")
                reason = self._why(child)
            except Silence:
                reason = f"took more than {self._limits.wall_seconds:,.0f} seconds to read, and was given up"
        if progress.files_read <= begun:
            told.refuse(begun, Refusal.of(name, reason))
        return reason

    def _why(self, child: Child) -> str:
        """Return why the process died, in words for whoever sent the file."""
        status = child.end()
        if status == -signal.SIGXCPU:
            return (
                f"took more than {self._limits.seconds:,} seconds of processor time to read, and was given up"
            )
        if status == -signal.SIGKILL:
            return "made its reader take more memory than there is, and was given up"
        return f"made its reader fail: {child.outcome()}"

    def _list(self, job: Job, folder: Path) -> None:
        """Find the files under the paths of a job."""
        order = self._order(folder) | {"list": folders.read_json(folder / folders.PATHS)}
        progress = Progress()
        refusals: list[Refusal] = []

        def found() -> Iterator[Listed]:
            over = False
            with Child(self._child, order, bare_environment(str(folder)), "/") as child:
                try:
                    for line in child.lines(self._limits.wall_seconds, lambda: self._look((job.job_id,))):
                        if "file" in line:
                            yield Listed(*line["file"])
                        elif "skipped" in line:
                            progress.skipped += 1
                        elif "refused" in line:
                            progress.unread += 1
                            refusals.append(Refusal(*line["refused"]))
                        elif "end" in line:
                            over = True
                except Silence:
                    raise Failed(
                        "finding the files under these paths took too long: give smaller folders"
                    ) from None
                if not over:
                    raise Failed(f"the files under these paths could not be found: {child.outcome()}")

        progress.files = folders.write_listed(folder, found())
        self._store.change(job.job_id, progress=progress, refusals=refusals)
        job.progress.skipped, job.progress.unread = progress.skipped, progress.unread

    def _order(self, folder: Path, *, first: int = 0, offset: int = 0) -> dict[str, Any]:
        return {
            "parent": os.getpid(),
            "list": [],
            "folder": str(folder),
            "first": first,
            "offset": offset,
            "limits": asdict(self._limits),
            "roots": self._roots.to_json(),
            "options": asdict(self._options),
        }


class _Told:
    """How far the reading of a job has come, as the child says it and the store keeps it."""

    def __init__(self, store: JobStore, job: Job, progress: Progress, documents: Path) -> None:
        self.progress = progress
        self._store = store
        self._job = job
        self._documents = documents
        self._refusals: list[Refusal] = []
        self._told = 0.0

    def file(self, line: dict[str, Any]) -> None:
        """Take in what became of a file."""
        self.progress.files_read = line["read"] + 1
        self.progress.documents += line["documents"]
        self.progress.unread += line["refused"]
        self.progress.skipped += line["skipped"]
        self.progress.offset = line["offset"]
        self._refusals += [Refusal(*each) for each in line["refusals"]]
        if time.monotonic() - self._told >= TELL_SECONDS:
            self.tell()

    def refuse(self, number: int, refusal: Refusal) -> None:
        """Take in that a file was the end of its reader."""
        self.progress.files_read = number + 1
        self.progress.unread += 1
        self._refusals.append(refusal)
        self.tell()

    def tell(self) -> None:
        """Store it, once the documents that it speaks of are on the disk."""
        descriptor = os.open(self._documents, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._store.change(self._job.job_id, progress=self.progress, refusals=self._refusals)
        self._refusals = []
        self._told = time.monotonic()
