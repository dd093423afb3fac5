"""What is told of a reader, and what was done for one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.service.client.answers.search import Because, Metadata


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A document that a reader may want to read next, and why."""

    rank: int
    doc_id: str
    score: float
    title: str
    source: str
    metadata: Metadata
    origin: str
    interest: str
    because: tuple[Because, ...]
    readers: int
    dated: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Recommendations:
    """Documents for one reader, best first."""

    items: tuple[Recommendation, ...]
    notices: tuple[str, ...]
    shares: Mapping[str, int]

    def __iter__(self) -> Iterator[Recommendation]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of events: kept, known already, or refused as their time is over a day ahead."""

    added: int
    duplicates: int
    future: int


@dataclass(frozen=True, slots=True)
class Interest:
    """Something that a reader is interested in; `name` is what turns it off."""

    name: str
    title: str
    declared: bool
    muted: bool
    weight: float
    session: float
    last: str | None
    keyphrases: tuple[str, ...]
    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """Who a reader seems to be; empty for somebody of whom nothing is kept."""

    events: int
    documents: int
    flooding: bool
    evidence: float
    interests: tuple[Interest, ...]
    disliked: tuple[str, ...]
    hidden: tuple[str, ...]
    muted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """Whether anything is other than before."""

    changed: bool


@dataclass(frozen=True, slots=True)
class ForgottenDocument:
    """How many events of one document were forgotten."""

    events: int


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was erased."""

    readers: int
    events: int
    declared: int
    muted: int


@dataclass(frozen=True, slots=True)
class Export:
    """All that is kept of a reader."""

    user_id: str
    tenant: str
    events: tuple[Mapping[str, object], ...]
    declared: tuple[Mapping[str, object], ...]
    muted: tuple[str, ...]
    flooding: bool
