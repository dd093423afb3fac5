"""What one document asks of the server, in order: its parts, and when they are all acknowledged, its record."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from indexer.analyser import Analyser
from indexer.backend import Outcome
from indexer.document import Document
from indexer.elastic.shape import records
from indexer.elastic.shape.numbers import (
    chunk_id,
    chunk_starts,
    document_number,
    passage_id,
    record_id,
    routing,
)
from indexer.elastic.writing.bulk import Action, Side
from indexer.passage_encoding import Prepared

HASH_KEPT = 12
"""Characters of a content hash that tell two versions of a document apart."""

Stage: TypeAlias = Literal["waiting", "parts", "record", "undoing", "settled"]


@dataclass(frozen=True, slots=True)
class Known:
    """What the index has of a document already.

    Args:
        doc_id: Its id.
        content_hash: Of the version there is.
        passages: How many.
        length: Characters of its text.
    """

    doc_id: str
    content_hash: str
    passages: int
    length: int


class Parcel(ABC):
    """A document to be written or deleted, on its way.

    Args:
        doc_id: Its id.
        source: Where it came from.
        known: What the index has of it; None for nothing.
        outcome: What is reported when all went well.

    Attributes:
        stage: What is being sent: its parts, its record, or deletions after a refusal.
        left: Actions that are not acknowledged.
        refusal: Why the server did not want some of it; empty while it wants all.
    """

    def __init__(self, doc_id: str, source: str, known: Known | None, outcome: Outcome) -> None:
        self.doc_id = doc_id
        self.source = source
        self.number = document_number(doc_id)
        self.known = known
        self.outcome: Outcome = outcome
        self.stage: Stage = "waiting"
        self.left = 0
        self.refusal = ""

    @property
    def hashes(self) -> tuple[str, str]:
        """The beginnings of the content hashes before and after; empty for no document."""
        return (self.known.content_hash[:HASH_KEPT] if self.known else "", self.hash_after[:HASH_KEPT])

    @property
    @abstractmethod
    def hash_after(self) -> str:
        """The content hash of what is written; empty for a deletion."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Bytes that it takes, about."""

    @abstractmethod
    def parts(self) -> Iterator[Action[Parcel]]:
        """Yield all but the record."""

    @abstractmethod
    def record(self) -> Action[Parcel]:
        """Return what is done to the record."""

    @abstractmethod
    def extent(self) -> tuple[int, int]:
        """Return how many passages and characters there may be in the index, before and after."""

    def undoing(self) -> Iterator[Action[Parcel]]:
        """Yield what removes all of it, the version before included: of a refused document nothing is left."""
        passages, length = self.extent()
        yield self._delete("documents", record_id(self.number))
        yield from self._deletions(0, passages, 0, length)

    def _deletions(self, first: int, passages: int, start: int, length: int) -> Iterator[Action[Parcel]]:
        for ordinal in range(first, passages):
            yield self._delete("passages", passage_id(self.number, ordinal))
        for at in chunk_starts(length):
            if at >= start:
                yield self._delete("documents", chunk_id(self.number, at))

    def _delete(self, side: Side, name: str) -> Action[Parcel]:
        return Action(side, name, routing(self.number), None, self)

    def _store(self, side: Side, name: str, body: dict[str, Any]) -> Action[Parcel]:
        import orjson

        return Action(side, name, routing(self.number), orjson.dumps(body), self)


class Deletion(Parcel):
    """A document that is to go.

    Args:
        known: What the index has of it.
        source: Where it came from.
    """

    def __init__(self, known: Known, source: str = "") -> None:
        super().__init__(known.doc_id, source, known, "updated")
        self._known = known

    @property
    def hash_after(self) -> str:
        """No document."""
        return ""

    @property
    def size(self) -> int:
        """Bytes of its deletions."""
        return 100 * (self._known.passages + 2)

    def extent(self) -> tuple[int, int]:
        """Return what the index has."""
        return self._known.passages, self._known.length

    def parts(self) -> Iterator[Action[Parcel]]:
        """Yield the deletions of its passages and text."""
        yield from self._deletions(0, self._known.passages, 0, self._known.length)

    def record(self) -> Action[Parcel]:
        """Return the deletion of its record."""
        return self._delete("documents", record_id(self.number))


class Writing(Parcel):
    """A document to be written, ready when all of its passages are encoded.

    Args:
        analyser: Makes the terms.
        document: The document.
        content_hash: Its hash.
        passages: Its passages.
        known: The version there is.
        generation: Written down in the record: the commit that it is expected to be part of.

    Attributes:
        document: What is written.
        encodings: For each passage its vector, filled in as they come.
        awaited: How many passages are still to be encoded.
    """

    def __init__(
        self,
        analyser: Analyser,
        document: Document,
        content_hash: str,
        passages: Sequence[Prepared],
        known: Known | None,
        generation: int,
    ) -> None:
        super().__init__(document.doc_id, document.source, known, "updated" if known else "added")
        self.passages = passages
        self.encodings = [records.Encoding() for _ in passages]
        self.awaited = 0
        self.document = document
        self._analyser = analyser
        self._hash = content_hash
        self._generation = generation

    @property
    def hash_after(self) -> str:
        """The hash of the document."""
        return self._hash

    @property
    def size(self) -> int:
        """Bytes of text, three times (to read, terms of passages, terms of the whole), and of vectors."""
        vectors = sum(
            (item.vector.nbytes if item.vector is not None else 0) + len(item.codes or b"")
            for item in self.encodings
        )
        return 4 * len(self.document.text) + 4 * vectors // 3 + 400 * len(self.passages)

    def extent(self) -> tuple[int, int]:
        """Return the larger of before and after."""
        before = (self.known.passages, self.known.length) if self.known else (0, 0)
        return max(before[0], len(self.passages)), max(before[1], len(self.document.text))

    def parts(self) -> Iterator[Action[Parcel]]:
        """Yield its passages, the deletions of what the version before had beyond them, and its text."""
        bodies = records.passage_bodies(
            self._analyser, self.document, self.number, self.passages, self.encodings
        )
        for ordinal, body in enumerate(bodies):
            yield self._store("passages", passage_id(self.number, ordinal), body)
        if self.known is not None:
            length = len(self.document.text)
            yield from self._deletions(len(self.passages), self.known.passages, length, self.known.length)
        for body in records.chunk_bodies(self.document, self.number):
            yield self._store("documents", chunk_id(self.number, body["start"]), body)

    def record(self) -> Action[Parcel]:
        """Return its record."""
        body = records.record_body(
            self._analyser, self.document, self.number, self._hash, self.encodings, self._generation
        )
        return self._store("documents", record_id(self.number), body)
