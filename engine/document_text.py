"""Reading a document: a stretch of its text, what is known of it, and the passages that stand there."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from engine.errors import InvalidQuery, NoSuchDocument
from engine.ranking import plain
from indexer.document import MetadataValue, Passage, storable
from indexer.protocol import IndexReader, StoredDocument

LONGEST_TEXT = 100_000
"""So many characters at most come back at once."""
_PROBES = 64  # passages looked at together to find where a stretch begins; their texts come along on a server


@dataclass(frozen=True, slots=True)
class DocumentPassage:
    """A passage of a document that is read.

    Args:
        ordinal: Its place among the document's passages, from 0.
        start: First character, in the document's text.
        end: One past the last character.
        headings: The headings above it, outermost first.
        page: The page it starts on, from 1; None for documents without pages.
    """

    ordinal: int
    start: int
    end: int
    headings: tuple[str, ...]
    page: int | None

    def to_json(self) -> dict[str, object]:
        """Return all of it as plain values for JSON."""
        return {
            "ordinal": self.ordinal,
            "start": self.start,
            "end": self.end,
            "headings": list(self.headings),
            "page": self.page,
        }


@dataclass(frozen=True, slots=True)
class DocumentText:
    """A stretch of a document, with what is known of the whole.

    Args:
        doc_id: Its id.
        title: Its title, or the empty string.
        source: Where it came from.
        metadata: Its metadata.
        length: Characters of its whole text.
        pages: The offset at which each page starts; empty for documents without pages.
        passage_count: How many passages it has.
        start: First character of `text`, in the document's text.
        end: One past the last; there is more to read while it is less than `length`.
        text: The characters from `start` to `end`.
        passages: Those that have a character there, in order.
    """

    doc_id: str
    title: str
    source: str
    metadata: Mapping[str, MetadataValue]
    length: int
    pages: tuple[int, ...]
    passage_count: int
    start: int
    end: int
    text: str
    passages: tuple[DocumentPassage, ...]

    @property
    def page(self) -> int | None:
        """The page that `start` is on, from 1; None for documents without pages."""
        return max(bisect_right(self.pages, self.start), 1) if self.pages else None

    def to_json(self) -> dict[str, object]:
        """Return all of it as plain values for JSON; dates as ISO 8601."""
        return {
            "doc_id": self.doc_id,
            "title": self.title,
            "source": self.source,
            "metadata": {name: plain(value) for name, value in self.metadata.items()},
            "length": self.length,
            "pages": list(self.pages),
            "page": self.page,
            "passage_count": self.passage_count,
            "start": self.start,
            "end": self.end,
            "text": self.text,
            "passages": [passage.to_json() for passage in self.passages],
        }


def known_document(reader: IndexReader, doc_id: str) -> StoredDocument:
    """Return the document of an id.

    Raises:
        NoSuchDocument: the index has none.
    """
    found = reader.find(storable(doc_id)) if isinstance(doc_id, str) else None
    if found is None:
        raise NoSuchDocument(f"the index has no document {doc_id!r:.200}; use an id that a search shows")
    return found


def read_document(
    reader: IndexReader, doc_id: str, *, start: int = 0, end: int | None = None
) -> DocumentText:
    """Return a stretch of a document's text, with what is known of it and the passages there.

    Args:
        reader: The index.
        doc_id: Which document.
        start: The first character wanted; what is outside the text is clamped to it.
        end: One past the last; None for as far as one answer goes (`LONGEST_TEXT`).

    Raises:
        NoSuchDocument: there is no such document.
        InvalidQuery: `start` or `end` is no whole number.
    """
    _check_offset("start", start)
    if end is not None:
        _check_offset("end", end)
    document = known_document(reader, doc_id)
    first = min(max(start, 0), document.length)
    last = document.length if end is None else min(end, document.length)
    last = min(max(last, first), first + LONGEST_TEXT)
    return DocumentText(
        doc_id=document.doc_id,
        title=document.title,
        source=document.source,
        metadata=MappingProxyType(dict(document.metadata)),
        length=document.length,
        pages=document.pages,
        passage_count=document.passages,
        start=first,
        end=last,
        text=reader.text(document.number, first, last),
        passages=tuple(
            DocumentPassage(each.ordinal, each.start, each.end, each.headings, each.page)
            for each in _passages_in(reader, document, first, last)
        ),
    )


def _check_offset(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidQuery(f"{name} is an offset into the text, a whole number; found {value!r:.40}")


def _passages_in(reader: IndexReader, document: StoredDocument, start: int, end: int) -> list[Passage]:
    """Return the passages that have a character from `start` to `end`: starts and ends ascend with their place."""
    if start >= end:
        return []
    numbers = reader.passages_of(document.number)

    def first_place(wanted: Callable[[Passage], bool], low: int, high: int) -> int:
        """Return the first place from `low` on whose passage, like all after it, is wanted; `high` if none is."""
        while low < high:
            places = np.unique(np.linspace(low, high - 1, _PROBES).astype(np.int64))
            stored = reader.passages(numbers[places])
            at = next((i for i, each in enumerate(stored) if wanted(each.passage)), len(places))
            high = int(places[at]) if at < len(places) else high
            low = int(places[at - 1]) + 1 if at > 0 else high
        return low

    first = first_place(lambda each: each.end > start, 0, len(numbers))
    last = first_place(lambda each: each.start >= end, first, len(numbers))
    return [each.passage for each in reader.passages(numbers[first:last])]
