"""Idempotency-Keys: which job a request made that may be sent again."""

from __future__ import annotations

import sqlite3
import time

from engine.service.jobs.job import Job
from engine.service.jobs.rows import COLUMNS, job_of
from engine.service.problems import Problem

KEY_SECONDS = 24 * 3600.0
"""How long a key is remembered."""


def remembered(database: sqlite3.Connection, owner: str, name: str, digest: str) -> Job | None:
    """Return the job that was made under a key, without its refusals; None where there is none.

    Args:
        database: Where jobs are.
        owner: The id of the API key.
        name: The Idempotency-Key.
        digest: Of what is asked for now.

    Raises:
        Problem: 422: the key was used for something else.
    """
    since = time.time() - KEY_SECONDS
    found = database.execute(
        "SELECT digest, job_id FROM keys WHERE owner = ? AND name = ? AND created >= ?", (owner, name, since)
    ).fetchone()
    if found is None:
        return None
    if found[0] != digest:
        raise Problem(
            422,
            "idempotency-key-reused",
            "this Idempotency-Key was sent before with another request: use a new key for a new request",
        )
    row = database.execute(f"SELECT {COLUMNS} FROM jobs WHERE job_id = ?", (found[1],)).fetchone()
    return None if row is None else job_of(row, ())


def remember(database: sqlite3.Connection, owner: str, name: str, digest: str, job_id: str) -> None:
    """Remember under which key a job was made."""
    database.execute(
        "INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?, ?)", (owner, name, digest, job_id, time.time())
    )


def forget_old(database: sqlite3.Connection) -> None:
    """Forget keys that are a day old."""
    database.execute("DELETE FROM keys WHERE created < ?", (time.time() - KEY_SECONDS,))
