"""Indexing jobs: documents, files and folders that the service was given, and what became of each.

    api/jobs.py ──► Jobs ──► uploads, roots ──► a folder a job ─┐
                     │                                          ▼
                     └────► JobStore (jobs.db) ◄── Runner ──► reading ──► a process with limits: files to documents
                                                          └──► indexing ─► a niced process: documents to the index

Three promises. A job that was acknowledged is done, whatever is killed in between: it is in SQLite and its files are
on the disk before the answer is sent, and both steps may be repeated. One process of all that serve runs the jobs:
the one that holds the lock. And no file that somebody sent is opened by a process that answers requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.service.jobs.job import Job, Refusal

if TYPE_CHECKING:
    from engine.service.jobs.jobs import Jobs

__all__ = ["Job", "Jobs", "Refusal"]


def __getattr__(name: str) -> object:
    """Load `Jobs` when it is asked for: the processes that read and index do not need it."""
    if name == "Jobs":
        from engine.service.jobs.jobs import Jobs

        return Jobs
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
