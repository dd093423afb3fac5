"""What comes of asking for documents like a given one: `Similar`, and each `SimilarDocument` with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.ranking import plain
from indexer.document import MetadataValue


@dataclass(frozen=True, slots=True)
class SimilarDocument:
    """A document that is like the one asked about.

    Args:
        doc_id: Its id.
        score: Higher is better, within one answer: the cosine, or where words alone decided, its BM25 for the words
            that name the given document, as a share of that document's own.
        rank: Its place, from 1.
        title: Its title, or the empty string.
        source: Where it came from.
        metadata: Its metadata.
        cosine: Of both documents' vectors; None where words alone decided.
        words: Words and phrases that name the given document and are said in this one too, most telling first.
    """

    doc_id: str
    score: float
    rank: int
    title: str
    source: str
    metadata: Mapping[str, MetadataValue]
    cosine: float | None
    words: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why it is here, in words."""
        parts = [] if self.cosine is None else [f"{self.cosine:.2f} near"]
        if self.words:
            parts.append(f"both say {', '.join(self.words)}")
        return "; ".join(parts)

    def to_json(self) -> dict[str, object]:
        """Return all of it as plain values for JSON; dates as ISO 8601."""
        return {
            "rank": self.rank,
            "doc_id": self.doc_id,
            "score": self.score,
            "title": self.title,
            "source": self.source,
            "metadata": {name: plain(value) for name, value in self.metadata.items()},
            "cosine": self.cosine,
            "words": list(self.words),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Similar:
    """Documents like a given one: score descending, ties by doc_id ascending, never that document itself.

    Args:
        doc_id: The given document.
        title: Its title, or the empty string.
        items: The documents like it.
        notices: What the reader ought to know, in sentences.
    """

    doc_id: str
    title: str
    items: tuple[SimilarDocument, ...]
    notices: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[SimilarDocument]:
        return iter(self.items)

    def to_json(self) -> dict[str, object]:
        """Return all of it as plain values for JSON; dates as ISO 8601."""
        return {
            "doc_id": self.doc_id,
            "title": self.title,
            "items": [item.to_json() for item in self.items],
            "notices": list(self.notices),
        }
