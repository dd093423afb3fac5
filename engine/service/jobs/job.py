"""`Job`: what was asked for, how far it has come, and what could not be taken."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from indexer.document import storable

Kind: TypeAlias = Literal["documents", "files", "paths", "delete"]
State: TypeAlias = Literal["queued", "reading", "indexing", "interrupted", "done", "failed", "cancelled"]

FINISHED: frozenset[State] = frozenset({"done", "failed", "cancelled"})
"""States that a job stays in. One that is `interrupted` is taken up again when the service next runs."""

SHOWN_REFUSALS = 100
"""Refused documents that a job keeps; the others are counted."""

LONGEST_REASON = 500
LONGEST_SOURCE = 300


@dataclass(frozen=True, slots=True)
class Refusal:
    """A document or file that was not taken.

    Args:
        source: Its name, with `:line` for a record of a file.
        reason: What was found, what was expected, what to do.
    """

    source: str
    reason: str

    @classmethod
    def of(cls, source: str, reason: str) -> Refusal:
        """Return a refusal whose texts are cut to what is shown, and hold nothing that cannot be stored."""
        return cls(_cut(source, LONGEST_SOURCE), _cut(reason, LONGEST_REASON))


@dataclass(slots=True)
class Progress:
    """How far a job has come.

    Args:
        files: Files to be read; 0 while that is not known.
        files_read: Files read, those refused included.
        skipped: Files in folders that are of no kind that is read.
        documents: Documents to be indexed, as far as they are known.
        added: Documents that are new in the index.
        updated: Documents that replaced an older version.
        unchanged: Documents that were there already, word for word.
        deleted: Documents deleted.
        missing: Documents that were to be deleted, and were not there.
        unread: Files and documents refused before they came to the index.
        unfit: Documents that the index refused.
        passages: Passages encoded.
        offset: Bytes of documents read, for taking up again.
        generation: Of the index, which holds what was done.
    """

    files: int = 0
    files_read: int = 0
    skipped: int = 0
    documents: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    missing: int = 0
    unread: int = 0
    unfit: int = 0
    passages: int = 0
    offset: int = 0
    generation: int = 0

    @property
    def refused(self) -> int:
        """Files and documents refused."""
        return self.unread + self.unfit


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is stored.

    Args:
        job_id: Its name.
        kind: `documents` given as JSON, uploaded `files`, `paths` under the roots, or `delete`.
        state: Where it is.
        tenant: Whose it is; nobody else's key sees it.
        created: When it was acknowledged, in seconds since 1970; likewise `started` and `finished`, 0.0 for not yet.
        started: When it was first taken up.
        finished: When it came to its end.
        message: What it waits for, or what came of it, in words.
        cancelling: Whether it was asked to stop.
        ready: Whether its documents are read, so that it can be indexed.
        attempts: How often the indexing process died over it.
        size: Bytes that were given.
        progress: How far it has come.
        refusals: The first of what was refused.
    """

    job_id: str
    kind: Kind
    state: State
    tenant: str
    created: float
    started: float = 0.0
    finished: float = 0.0
    message: str = ""
    cancelling: bool = False
    ready: bool = False
    attempts: int = 0
    size: int = 0
    progress: Progress = field(default_factory=Progress)
    refusals: tuple[Refusal, ...] = ()

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in FINISHED


def moment(seconds: float) -> datetime | None:
    """Return a time as a datetime in UTC; None for not yet."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _cut(text: str, most: int) -> str:
    text = storable(text)
    return text if len(text) <= most else text[: most - 1] + "…"
