"""What an index offers, whatever keeps its data: a folder (`indexer.index`) or Elasticsearch (`indexer.elastic.index`).

Readers are `indexer.protocol.IndexReader`; what is here is around them: writing, and looking after an index.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Protocol, Self, TypeAlias

from indexer.analyser import Analyser
from indexer.document import Document
from indexer.encoding import Encoder
from indexer.identity import EncoderIdentity
from indexer.protocol import IndexReader
from indexer.splitter import SplitterSettings

if TYPE_CHECKING:
    from indexer.index import IndexStats
    from indexer.local.verify import Verification

Outcome: TypeAlias = Literal["added", "updated", "unchanged"]


class DocumentWriter(Protocol):
    """Adds, replaces and deletes documents; commits when its `with` block ends well."""

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

    def delete(self, doc_id: str) -> bool:
        """Delete a document; return whether there was one."""
        ...

    def sources(self) -> dict[str, str]:
        """Return the source of every document by its id."""
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
