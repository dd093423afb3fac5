"""`JobStore`: the jobs of all processes, in one SQLite file that survives them."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from engine.service.jobs import keys
from engine.service.jobs.job import FINISHED, SHOWN_REFUSALS, Job, Progress, Refusal, State
from engine.service.jobs.rows import COLUMNS, SCHEMA, UNFINISHED, job_of, row_of
from engine.service.jobs.troubles import no_such_job, storage_problem, too_many, unusable
from engine.service.problems import Problem
from indexer.document import storable

_BUSY_SECONDS = 10.0


class JobStore:
    """The jobs in one SQLite file. Safe to share between threads, and between processes that each open it.

    Args:
        path: The file; made when absent.

    Raises:
        JobsFileError: the file cannot be opened, or is another one.
        Problem: 503 or 507, from any method: the file is held by another process for too long, or the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        try:
            self._database = _opened(path)
        except (OSError, sqlite3.Error) as error:
            raise unusable(path, error) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def add(
        self,
        job: Job,
        refusals: Iterable[Refusal] = (),
        *,
        waiting_at_most: int,
        key: tuple[str, str, str] | None = None,
    ) -> Job:
        """Store a new job durably, and return it; or the one that was made under the same Idempotency-Key.

        Args:
            job: The job.
            refusals: What was refused of it already.
            waiting_at_most: Unfinished jobs that there may be.
            key: Owner, name and digest, as `keys.remembered` takes them.

        Raises:
            Problem: 503: too many jobs wait. 422: the key was used for something else.
        """
        with self._transaction() as database:
            if key is not None:
                before = keys.remembered(database, *key)
                if before is not None:
                    return before
            self._expect_room(database, waiting_at_most)
            database.execute(
                f"INSERT INTO jobs ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row_of(job)
            )
            self._refuse(database, job.job_id, refusals)
            if key is not None:
                keys.remember(database, *key, job.job_id)
            return self.get(job.job_id)  # in here, so that what fails has stored nothing

    def get(self, job_id: str, tenant: str | None = None) -> Job:
        """Return a job with its refusals.

        Args:
            job_id: Its name.
            tenant: Whose it must be; None for anybody's.

        Raises:
            Problem: 404: there is none of that name, or it is another tenant's.
        """
        with self._transaction(write=False) as database:
            row = database.execute(f"SELECT {COLUMNS} FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
            if row is None or tenant not in (None, row[3]):
                raise no_such_job()
            refusals = database.execute(
                "SELECT source, reason FROM refusals WHERE job_id = ? ORDER BY rowid LIMIT ?",
                (job_id, SHOWN_REFUSALS),
            ).fetchall()
        return job_of(row, refusals)

    def page(
        self, tenant: str, *, limit: int, before: str = "", states: Sequence[State] = ()
    ) -> tuple[Job, ...]:
        """Return a tenant's jobs, the newest first, without their refusals.

        Args:
            tenant: Whose.
            limit: How many at most.
            before: The name of a job, after which in this order the page begins; empty for the newest.
            states: Only jobs in one of these; all where empty.

        Raises:
            Problem: 404: there is no job of the name `before`.
        """
        where, values = ["tenant = ?"], [tenant]
        if states:
            where.append(f"state IN ({', '.join('?' * len(states))})")
            values += states
        with self._transaction(write=False) as database:
            bound = 1 << 62
            if before:
                found = database.execute(
                    "SELECT number FROM jobs WHERE job_id = ? AND tenant = ?", (before, tenant)
                ).fetchone()
                if found is None:
                    raise no_such_job()
                (bound,) = found
            rows = database.execute(
                f"SELECT {COLUMNS} FROM jobs WHERE {' AND '.join(where)} AND number < ? ORDER BY number DESC LIMIT ?",
                (*values, bound, limit),
            ).fetchall()
        return tuple(job_of(row, ()) for row in rows)

    def waiting(self, limit: int) -> tuple[Job, ...]:
        """Return the first unfinished jobs, in the order in which they came, without their refusals."""
        with self._transaction(write=False) as database:
            rows = database.execute(
                f"SELECT {COLUMNS} FROM jobs WHERE {UNFINISHED} ORDER BY number LIMIT ?", (limit,)
            ).fetchall()
        return tuple(job_of(row, ()) for row in rows)

    def expect_room(self, waiting_at_most: int) -> None:
        """Make sure, before an upload is taken in, that there is room for one more job.

        Raises:
            Problem: 503: too many wait.
        """
        with self._transaction(write=False) as database:
            self._expect_room(database, waiting_at_most)

    def counts(self) -> dict[State, int]:
        """Return how many jobs there are in each state."""
        with self._transaction(write=False) as database:
            found = dict(database.execute("SELECT state, count(*) FROM jobs GROUP BY state"))
        return {state: found.get(state, 0) for state in get_args(State)}

    @contextmanager
    def together(self) -> Iterator[None]:
        """Have all that the block changes count together, or not at all; they cost one write to the disk."""
        with self._transaction():
            yield

    def change(
        self,
        job_id: str,
        *,
        state: State | None = None,
        message: str | None = None,
        ready: bool | None = None,
        attempts: int | None = None,
        progress: Progress | None = None,
        refusals: Iterable[Refusal] = (),
    ) -> bool:
        """Store what has become of an unfinished job, all of it or nothing; return whether it was unfinished."""
        values: dict[str, Any] = {}
        if state is not None:
            values["state"] = state
            if state in FINISHED:
                values["finished"] = time.time()
        if message is not None:
            values["message"] = storable(message[:2000])
        if ready is not None:
            values["ready"] = int(ready)
        if attempts is not None:
            values["attempts"] = attempts
        if progress is not None:
            values["progress"] = json.dumps(asdict(progress))
        with self._transaction() as database:
            if state in ("reading", "indexing"):
                database.execute(
                    "UPDATE jobs SET started = ? WHERE job_id = ? AND started = 0", (time.time(), job_id)
                )
            changed = database.execute(
                f"UPDATE jobs SET {', '.join(f'{name} = ?' for name in values)} WHERE job_id = ? AND {UNFINISHED}",
                (*values.values(), job_id),
            )
            if changed.rowcount:
                self._refuse(database, job_id, refusals)
        return bool(changed.rowcount)

    def cancel(self, job_id: str, tenant: str) -> Job:
        """Ask a job to stop; one that nobody has begun is cancelled at once.

        Raises:
            Problem: 404: there is none of that name. 409: it is done, or has failed.
        """
        with self._transaction() as database:
            found = database.execute("SELECT state, tenant FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
            if found is None or found[1] != tenant:
                raise no_such_job()
            if found[0] in ("done", "failed"):
                raise Problem(
                    409, "job-finished", f"the job is {found[0]} already: there is nothing to cancel"
                )
            database.execute(f"UPDATE jobs SET cancelling = 1 WHERE job_id = ? AND {UNFINISHED}", (job_id,))
            database.execute(
                "UPDATE jobs SET state = 'cancelled', finished = ? WHERE job_id = ? AND state = 'queued'",
                (time.time(), job_id),
            )
        return self.get(job_id)

    def cancelling(self, job_ids: Sequence[str]) -> frozenset[str]:
        """Return which of these unfinished jobs were asked to stop."""
        marks = ", ".join("?" * len(job_ids))
        with self._transaction(write=False) as database:
            rows = database.execute(
                f"SELECT job_id FROM jobs WHERE cancelling AND {UNFINISHED} AND job_id IN ({marks})",
                tuple(job_ids),
            ).fetchall()
        return frozenset(job_id for (job_id,) in rows)

    def sweep(self, older_than: float) -> None:
        """Forget jobs that ended before a moment, and Idempotency-Keys that are a day old.

        Args:
            older_than: Seconds since 1970.
        """
        with self._transaction() as database:
            keys.forget_old(database)
            gone = "finished > 0 AND finished < ?"
            database.execute(
                f"DELETE FROM refusals WHERE job_id IN (SELECT job_id FROM jobs WHERE {gone})", (older_than,)
            )
            database.execute(f"DELETE FROM jobs WHERE {gone}", (older_than,))

    def ended(self, job_ids: Iterable[str]) -> frozenset[str]:
        """Return which of these are the names of jobs that have come to their end."""
        with self._transaction(write=False) as database:
            return frozenset(
                job_id
                for job_id in job_ids
                if database.execute(
                    f"SELECT 1 FROM jobs WHERE job_id = ? AND NOT ({UNFINISHED})", (job_id,)
                ).fetchone()
            )

    def known(self, job_ids: Iterable[str]) -> frozenset[str]:
        """Return which of these are the names of jobs, ended or not."""
        with self._transaction(write=False) as database:
            return frozenset(
                job_id
                for job_id in job_ids
                if database.execute("SELECT 1 FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
            )

    def _expect_room(self, database: sqlite3.Connection, waiting_at_most: int) -> None:
        (waiting,) = database.execute(f"SELECT count(*) FROM jobs WHERE {UNFINISHED}").fetchone()
        if waiting >= waiting_at_most:
            raise too_many(waiting, waiting_at_most)

    def _refuse(self, database: sqlite3.Connection, job_id: str, refusals: Iterable[Refusal]) -> None:
        (kept,) = database.execute("SELECT count(*) FROM refusals WHERE job_id = ?", (job_id,)).fetchone()
        room = SHOWN_REFUSALS - kept
        if room > 0:
            rows = [
                (job_id, each.source, each.reason) for _, each in zip(range(room), refusals, strict=False)
            ]
            database.executemany("INSERT INTO refusals VALUES (?, ?, ?)", rows)

    def _inside(self) -> bool:
        """Return whether a transaction is open: this thread's own, since it holds the lock."""
        return self._database.in_transaction

    @contextmanager
    def _transaction(self, *, write: bool = True) -> Iterator[sqlite3.Connection]:
        """Give the connection to the block, whose statements all count or none."""
        with self._lock:
            if self._inside():
                yield self._database
                return
            try:
                self._database.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                try:
                    yield self._database
                    self._database.execute("COMMIT")
                finally:
                    if self._inside():
                        self._database.execute("ROLLBACK")
            except sqlite3.OperationalError as error:
                raise storage_problem(error) from error


def _opened(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.executescript(SCHEMA)
    except BaseException:
        database.close()
        raise
    return database
