"""What is told of indexing jobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

ENDED = frozenset({"done", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job has come."""

    files: int
    files_read: int
    skipped: int
    documents: int
    added: int
    updated: int
    unchanged: int
    deleted: int
    missing: int
    refused: int
    passages: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file or document that was not taken, and why."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Job:
    """Documents being added or deleted. One that is `done` may have refused some: see `refusals`."""

    job_id: str
    kind: str
    state: str
    cancelling: bool
    message: str
    created: str
    started: str | None
    finished: str | None
    progress: Progress
    refusals: tuple[Refusal, ...]
    generation: int

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Jobs:
    """Jobs, the newest first; `next` asks for the page after this one, as `before`."""

    jobs: tuple[Job, ...]
    next: str | None

    def __iter__(self) -> Iterator[Job]:
        return iter(self.jobs)

    def __len__(self) -> int:
        return len(self.jobs)
