"""What is told of indexing jobs."""

from __future__ import annotations

from dataclasses import dataclass

ENDED = frozenset({"done", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Job:
    """Documents being added or deleted."""

    id: str
    state: str

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Jobs:
    """The jobs that there are."""

    jobs: tuple[Job, ...]
