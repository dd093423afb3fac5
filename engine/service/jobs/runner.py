"""`Runner`: of all processes that serve, the one that holds the lock does the jobs; another takes over when it ends."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import sqlite3
import threading
import time
from pathlib import Path

from engine.service.jobs import folders
from engine.service.jobs.indexing import DEATHS, Indexing, Stop
from engine.service.jobs.job import Job
from engine.service.jobs.reading import Failed, Reading
from engine.service.jobs.store import JobStore
from engine.service.problems import Problem

_log = logging.getLogger(__name__)

LOCK = "jobs.lock"
KEPT_SECONDS = 7 * 24 * 3600.0
"""How long a job that has ended is remembered."""
SWEEP_SECONDS = 3600.0
_TROUBLE_SECONDS = 2.0
TOGETHER, TOGETHER_BYTES = 64, 32 << 20
"""Jobs that may be given to one indexing process, and bytes of them all."""
SMALL_BYTES = 4 << 20
"""Bytes up to which an upload is read while others wait to be indexed."""


class Runner(threading.Thread):
    """Does the jobs, in a thread that waits for other processes most of the time.

    Args:
        store: The jobs.
        state: The service's folder, for the lock.
        folder: Where the jobs' folders are.
        poll_seconds: Between looks for jobs that other processes were given.
    """

    def __init__(self, store: JobStore, state: Path, folder: Path, poll_seconds: float = 0.5) -> None:
        super().__init__(name="quire-jobs", daemon=True)
        self._store = store
        self._lock_path = state / LOCK
        self._folder = folder
        self._poll_seconds = poll_seconds
        self._lock: int | None = None
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._swept = 0.0
        self.reading: Reading
        self.indexing: Indexing

    def wake(self) -> None:
        """Say that there is a job, or one to be cancelled."""
        self._woken.set()

    def stop(self, seconds: float) -> None:
        """Have the job at work on commit what it has, and end."""
        self._stopping.set()
        self._woken.set()
        if self.is_alive():
            self.join(seconds)

    def look(self, names: tuple[str, ...]) -> None:
        """Make sure that jobs are to go on.

        Raises:
            Stop: they are not.
        """
        if self._stopping.is_set() or self._store.cancelling(names):
            raise Stop

    def run(self) -> None:
        """Do jobs until told to stop."""
        try:
            while not self._stopping.is_set():
                pause = self._turn()
                if pause:
                    self._woken.wait(pause)
                self._woken.clear()
            self._interrupt()
        finally:
            if self._lock is not None:
                os.close(self._lock)

    def _turn(self) -> float:
        """Do what there is to do, if this process is the one; return how many seconds to wait then."""
        try:
            if not self._holds_lock():
                return self._poll_seconds
            self._sweep()
            return self._some()
        except (Problem, sqlite3.Error) as error:
            _log.error("indexing jobs cannot be done now: %s", error)
        except Exception:
            _log.exception("an indexing job failed unexpectedly; it is tried again")
            self._blame()
        return _TROUBLE_SECONDS

    def _blame(self) -> None:
        """Count an unexpected failure against the first job, so that it does not hold up the others for ever."""
        try:
            for job in self._store.waiting(1):
                if job.attempts + 1 < DEATHS:
                    self._store.change(job.job_id, attempts=job.attempts + 1)
                else:
                    message = "it failed unexpectedly, several times; the service's log says how"
                    self._store.change(job.job_id, state="failed", message=message)
        except (Problem, sqlite3.Error) as error:
            _log.error("that a job failed could not be noted: %s", error)

    def _holds_lock(self) -> bool:
        """Take the lock if it is to be had; the kernel drops it when this process ends, however it does."""
        if self._lock is not None:
            return True
        descriptor = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._lock = descriptor
        return True

    def _some(self) -> float:
        """Do the first of the jobs that wait; return how many seconds there is nothing to do."""
        batch: list[Job] = []
        try:
            for job in self._store.waiting(TOGETHER):
                if batch and (job.attempts or batch[0].attempts):
                    break  # what a process died of is tried again by itself
                if job.cancelling:
                    self._cancelled(job.job_id)
                elif not job.ready:
                    if batch and (job.kind == "paths" or job.size > SMALL_BYTES):
                        break
                    if self._read(job):
                        batch.append(self._store.get(job.job_id))
                elif self._intact(job):
                    batch.append(job)
                if sum(max(each.size, each.progress.offset) for each in batch) > TOGETHER_BYTES:
                    break
            if not batch:
                return self._poll_seconds
            return self.indexing.index(batch)
        except Stop:
            return 0.0
        finally:
            for name in self._store.ended([job.job_id for job in batch]):
                folders.remove(self._folder / name)

    def _read(self, job: Job) -> bool:
        """Read the files of a job; return whether it can be indexed."""
        try:
            return self.reading.read(job, self._folder / job.job_id)
        except Failed as error:
            reason = str(error)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            reason = "the service's disk is full: make room there and send it again"
        self._store.change(job.job_id, state="failed", message=reason)
        folders.remove(self._folder / job.job_id)
        return False

    def _intact(self, job: Job) -> bool:
        """Return whether what is to be indexed is still there; fail the job if not."""
        folder = self._folder / job.job_id
        if (folder / (folders.IDS if job.kind == "delete" else folders.DOCUMENTS)).is_file():
            return True
        self._store.change(
            job.job_id,
            state="failed",
            message="the job's files are gone from the service's folder: send them again",
        )
        return False

    def _cancelled(self, name: str) -> None:
        self._store.change(name, state="cancelled", message="what was indexed before stays in the index")
        folders.remove(self._folder / name)

    def _interrupt(self) -> None:
        """Say of jobs that were begun that they go on another time."""
        if self._lock is None:
            return
        try:
            for job in self._store.waiting(TOGETHER):
                if job.state in ("reading", "indexing"):
                    message = "the service was stopped; the job goes on when it runs again"
                    self._store.change(job.job_id, state="interrupted", message=message)
        except (Problem, sqlite3.Error) as error:
            _log.error("that jobs were interrupted could not be noted: %s", error)

    def _sweep(self) -> None:
        """Forget what is old, once an hour."""
        if self._swept and time.monotonic() - self._swept < SWEEP_SECONDS:
            return
        self._swept = time.monotonic()
        self._store.sweep(time.time() - KEPT_SECONDS)
        names = [each.name for each in self._folder.iterdir()]
        for name in self._store.ended(names):
            folders.remove(self._folder / name)
        left = [name for name in names if folders.abandoned(self._folder / name)]
        for name in set(left) - self._store.known(left):
            folders.remove(self._folder / name)
