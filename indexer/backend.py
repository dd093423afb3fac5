"""What an index offers, whatever keeps its data: a folder (`indexer.index`) or Elasticsearch (`indexer.elastic.index`).

Readers are `indexer.protocol.IndexReader`; what is here is around them: writing, and looking after an index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol, Self, TypeAlias

from indexer.analyser import Analyser
from indexer.document import Document
from indexer.encoding import Encoder
from indexer.identity import EncoderIdentity
from indexer.protocol import IndexReader
from indexer.splitter import SplitterSettings

Outcome: TypeAlias = Literal["added", "updated", "unchanged"]
Store: TypeAlias = Literal[
    "sqlite", "lexical", "whole", "vectors", "graph", "manifest", "passages", "documents"
]


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a document that was put.

    Args:
        doc_id: Its id.
        source: Where it came from.
        outcome: `refused` when it could not be stored.
        reason: Why it was refused.
    """

    doc_id: str
    source: str
    outcome: Outcome | Literal["refused"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class IndexStats:
    """What an index holds.

    `removed_passages` are those of deleted and replaced documents, which `compact` takes off the disk;
    `graph_passages` are those that the HNSW graph covers, 0 while all are searched exactly. `token_vectors` is of
    how many passages each token's vector is kept, None in an index made without; with their size.
    """

    path: str
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
    fields: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken invariant: the store, what was found, and whether it can be rebuilt from what is left."""

    store: Store
    found: str
    repairable: bool


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` looked at and what it found wrong."""

    generation: int
    documents: int
    passages: int
    problems: tuple[Problem, ...]

    @property
    def sound(self) -> bool:
        """Whether every invariant holds."""
        return not self.problems


class DocumentWriter(Protocol):
    """Adds, replaces and deletes documents; commits when its `with` block ends well."""

    @property
    def generation(self) -> int:
        """The generation of the last commit."""
        ...

    @property
    def encoded(self) -> int:
        """Passages encoded so far."""
        ...

    @property
    def pending(self) -> int:
        """Passages that wait to be encoded."""
        ...

    @property
    def failed(self) -> bool:
        """Whether it failed halfway: it can only be closed."""
        ...

    def add(self, document: Document) -> Outcome:
        """Add a document, or replace the one of the same id."""
        ...

    def put(self, document: Document) -> None:
        """Add a document, or replace the one of the same id, when its turn comes; `settled` tells what became of it.

        Raises only for what is not the document's fault: the server, the disk, the encoder.
        """
        ...

    def settled(self) -> list[Settled]:
        """Return what became of documents that were put, each once; after `commit`, all that were put before it."""
        ...

    def delete(self, doc_id: str) -> bool:
        """Delete a document; return whether there was one."""
        ...

    def delete_all(self, doc_ids: Iterable[str]) -> int:
        """Delete documents; return how many of them there were."""
        ...

    def sources(self) -> Iterator[tuple[str, str]]:
        """Yield id and source of every document."""
        ...

    def commit(self) -> int:
        """Make all changes since the last commit durable and visible; return the generation."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class DocumentIndex(Protocol):
    """An index of documents. Safe to share between threads; a writer is one thread's own."""

    @property
    def analyser(self) -> Analyser:
        """What makes words of text."""
        ...

    @property
    def passages(self) -> SplitterSettings:
        """How documents are split."""
        ...

    @property
    def encoder_identity(self) -> EncoderIdentity:
        """Which encoder it was made with."""
        ...

    @property
    def keeps_token_vectors(self) -> bool:
        """Whether it keeps each token's own vector."""
        ...

    @property
    def encoder(self) -> Encoder:
        """The encoder that it was made with, loaded on first use."""
        ...

    def reader(self) -> IndexReader:
        """Return a reader of the current generation; the same one until there is a newer."""
        ...

    def writer(self) -> DocumentWriter:
        """Return a writer."""
        ...

    def documents(self) -> Iterator[Document]:
        """Yield every document as it was added."""
        ...

    def stats(self) -> IndexStats:
        """Return what it holds and how much room that takes."""
        ...

    def verify(self) -> Verification:
        """Check every invariant; reads all of the index."""
        ...

    def compact(self) -> None:
        """Take what was deleted or replaced off the disk."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
