"""What is told of documents: their text, their likes, summaries of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.service.client.answers.search import Metadata, Span


@dataclass(frozen=True, slots=True)
class DocumentPassage:
    """A passage of a document, by where it stands."""

    ordinal: int
    start: int
    end: int
    headings: tuple[str, ...]
    page: int | None


@dataclass(frozen=True, slots=True)
class DocumentText:
    """A stretch of a document's text; there is more to read while `end` is less than `length`."""

    doc_id: str
    title: str
    source: str
    metadata: Metadata
    length: int
    pages: tuple[int, ...]
    page: int | None
    passage_count: int
    start: int
    end: int
    text: str
    passages: tuple[DocumentPassage, ...]


@dataclass(frozen=True, slots=True)
class SimilarDocument:
    """A document like another."""

    rank: int
    doc_id: str
    score: float
    title: str
    source: str
    metadata: Metadata
    cosine: float | None
    words: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Similar:
    """Documents like a given one, best first."""

    doc_id: str
    title: str
    items: tuple[SimilarDocument, ...]
    notices: tuple[str, ...]

    def __iter__(self) -> Iterator[SimilarDocument]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class SummarySentence:
    """A sentence of a summary, with where it stands and why it was taken."""

    text: str
    start: int
    end: int
    taken: int
    closeness: float | None
    highlights: tuple[Span, ...]
    reached: float
    page: int | None
    headings: tuple[str, ...]
    whole: bool
    why: str


@dataclass(frozen=True, slots=True)
class Summary:
    """Some sentences of a document that stand for it, in the document's order."""

    doc_id: str
    title: str
    query: str
    tilted: bool
    coverage: float | None
    text: str
    sentences: tuple[SummarySentence, ...]
    notices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Keyphrase:
    """A phrase that names some documents together."""

    text: str
    score: float
    count: int
    documents: int


@dataclass(frozen=True, slots=True)
class Summaries:
    """Summaries of several documents, in the order asked for; `missing` are ids that the index does not have."""

    summaries: tuple[Summary, ...]
    missing: tuple[str, ...]
    keyphrases: tuple[Keyphrase, ...]

    def __iter__(self) -> Iterator[Summary]:
        return iter(self.summaries)

    def __len__(self) -> int:
        return len(self.summaries)
