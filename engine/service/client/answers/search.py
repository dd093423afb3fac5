"""What comes of a search: a page of hits, each with its passages and the account of its score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool
Metadata: TypeAlias = Mapping[str, str | int | float | bool | tuple[str | int | float | bool, ...]]
Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of a document's text; `highlights` are spans of that text, where the query's words stand."""

    text: str
    start: int
    end: int
    highlights: tuple[Span, ...]
    cut_before: bool
    cut_after: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """The sentence of a snippet that says most of what is asked."""

    start: int
    end: int
    cosine: float


@dataclass(frozen=True, slots=True)
class HitPassage:
    """A passage that was found; `mark` only where marks were asked for, and one sentence stands out."""

    start: int
    end: int
    headings: tuple[str, ...]
    page: int | None
    score: float
    snippet: Snippet
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """One addend of a score."""

    name: str
    value: float
    detail: str


@dataclass(frozen=True, slots=True)
class Because:
    """One thing in a reader's past that an interest rests on."""

    doc_id: str
    title: str
    source: str
    value: float
    weight: float
    kind: str
    at: str | None


@dataclass(frozen=True, slots=True)
class WordShare:
    """What a word of the query adds."""

    word: str
    bm25: float


@dataclass(frozen=True, slots=True)
class Ranks:
    """A document's place at each stage, from 1."""

    lexical: int | None
    dense: int | None
    fused: int | None
    reranked: int | None
    anonymous: int | None


@dataclass(frozen=True, slots=True)
class Bounds:
    """The highest scores that there are for the query."""

    bm25: float
    cosine: float
    unrelated_cosine: float
    document_bm25: float


@dataclass(frozen=True, slots=True)
class Ledger:
    """The account of a score: its terms add up to it."""

    terms: tuple[Term, ...]
    bm25: float | None
    cosine: float | None
    document_bm25: float | None
    ranks: Ranks
    bounds: Bounds
    alpha: float
    fusion: str
    grouping: str
    words: tuple[WordShare, ...]
    tokens_cut: int
    because: tuple[Because, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that was found."""

    doc_id: str
    score: float
    rank: int
    title: str
    source: str
    metadata: Metadata
    passages: tuple[HitPassage, ...]
    ledger: Ledger


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value of a field, with how many of the documents found have it."""

    value: Scalar
    count: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """A page of results, best first. `cursor` asks for the next page."""

    query: str
    k: int
    found: int
    reranked_depth: int
    hits: tuple[Hit, ...]
    notices: tuple[str, ...]
    degraded: tuple[str, ...]
    suggestions: tuple[str, ...]
    facets: Mapping[str, tuple[FacetValue, ...]]
    cursor: str | None
    generation: int
    timings_ms: Mapping[str, float]

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)


@dataclass(frozen=True, slots=True)
class WhyNot:
    """What became of one document in one search; `sentences` say it."""

    doc_id: str
    query: str
    k: int
    stage: str
    sentences: tuple[str, ...]
    rank: int | None
    ledger: Ledger | None
    last: Ledger | None
    bm25: float | None
    cosine: float | None
    document_bm25: float | None
    depth: int


@dataclass(frozen=True, slots=True)
class Completion:
    """A query that what was typed may become; `highlights` are the spans of it that were typed."""

    text: str
    kind: str
    doc_id: str
    highlights: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Completions:
    """What a text may become, the likeliest first."""

    completions: tuple[Completion, ...]

    def __iter__(self) -> Iterator[Completion]:
        return iter(self.completions)

    def __len__(self) -> int:
        return len(self.completions)
