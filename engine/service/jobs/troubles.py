"""What can be wrong with the list of jobs and the disk that it is on, as problems."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from engine.errors import SearchError
from engine.service.problems import Problem


class JobsFileError(SearchError):
    """The list of jobs cannot be opened, or is none."""


def unusable(path: Path, error: Exception) -> JobsFileError:
    """Return the error of a list of jobs that cannot be opened."""
    return JobsFileError(
        f"{path} cannot be used as the list of jobs: {error}; restore it from a copy, or move it away, and have what "
        "was not indexed yet sent again"
    )


def too_many(waiting: int, most: int) -> Problem:
    """Return the problem of too many unfinished jobs."""
    return Problem(
        503,
        "too-many-jobs",
        f"{waiting:,} indexing jobs wait already, and no more than {most:,} may: try again when some are done",
        {"Retry-After": "10"},
    )


def no_such_job() -> Problem:
    """Return the problem of a job that is not there, or is another tenant's."""
    return Problem(404, "no-such-job", "there is no job of that name; finished ones are kept for seven days")


def storage_problem(error: sqlite3.OperationalError) -> Problem:
    """Return the problem that an error of SQLite is."""
    if "full" in str(error):
        return disk_full()
    return Problem(
        503,
        "jobs-unavailable",
        f"the list of jobs cannot be used now ({error}): try again",
        {"Retry-After": "2"},
    )


def disk_full() -> Problem:
    """Return the problem of a disk without room."""
    return Problem(
        507, "disk-full", "the service's disk is full: nothing was taken; make room there and send it again"
    )
