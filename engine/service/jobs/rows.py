"""How jobs are laid out in SQLite."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from engine.service.jobs.job import Job, Progress, Refusal

SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, job_id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, state TEXT NOT NULL,
    tenant TEXT NOT NULL, created REAL NOT NULL, started REAL NOT NULL DEFAULT 0, finished REAL NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '', cancelling INTEGER NOT NULL DEFAULT 0, ready INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0, size INTEGER NOT NULL DEFAULT 0, progress TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX IF NOT EXISTS unfinished ON jobs (number) WHERE state NOT IN ('done', 'failed', 'cancelled');
CREATE INDEX IF NOT EXISTS of_state ON jobs (state);
CREATE INDEX IF NOT EXISTS of_tenant ON jobs (tenant, number);
CREATE TABLE IF NOT EXISTS refusals (
    job_id TEXT NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS of_job ON refusals (job_id);
CREATE TABLE IF NOT EXISTS keys (
    owner TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, job_id TEXT NOT NULL, created REAL NOT NULL,
    PRIMARY KEY (owner, name)
) WITHOUT ROWID;
"""
COLUMNS = (
    "job_id, kind, state, tenant, created, started, finished, message, cancelling, ready, attempts, size, "
    "progress"
)
UNFINISHED = "state NOT IN ('done', 'failed', 'cancelled')"


def row_of(job: Job) -> tuple[object, ...]:
    """Return the values of COLUMNS."""
    return (
        job.job_id,
        job.kind,
        job.state,
        job.tenant,
        job.created,
        job.started,
        job.finished,
        job.message,
        int(job.cancelling),
        int(job.ready),
        job.attempts,
        job.size,
        json.dumps(asdict(job.progress)),
    )


def job_of(row: Sequence[Any], refusals: Iterable[tuple[str, str]]) -> Job:
    """Return the job of which these are the values of COLUMNS."""
    (
        job_id,
        kind,
        state,
        tenant,
        created,
        started,
        finished,
        message,
        cancelling,
        ready,
        attempts,
        size,
        progress,
    ) = row
    return Job(
        job_id,
        kind,
        state,
        tenant,
        created,
        started,
        finished,
        message,
        bool(cancelling),
        bool(ready),
        attempts,
        size,
        Progress(**json.loads(progress)),
        tuple(Refusal(*each) for each in refusals),
    )
