"""What is told to whoever runs a site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ReaderToken:
    """A signed token: whoever has it is that reader until it expires."""

    token: str = field(repr=False)
    user_id: str
    tenant: str
    expires: str


@dataclass(frozen=True, slots=True)
class IndexStats:
    """What the index holds."""

    generation: int
    documents: int
    passages: int
    vectors: int
    removed_passages: int
    graph_passages: int
    megabytes: float
    token_vectors: int | None
    token_megabytes: float
    encoder: str
    analyser: str
    fields: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ProcessStats:
    """How the process does that answered."""

    generation: int
    threads: int
    working: int
    waiting: int
    queue: int


@dataclass(frozen=True, slots=True)
class Stats:
    """The service's state."""

    index: IndexStats
    process: ProcessStats
