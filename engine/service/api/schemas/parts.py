"""What several answers are made of: hits, passages, and the account of a score."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from engine.service.api.schemas.strict import Given

Scalar: TypeAlias = str | int | float | bool
Metadata: TypeAlias = Annotated[
    dict[str, Scalar | list[Scalar]],
    Field(description="Fields and values; dates as ISO 8601.", examples=[{"year": 1962, "lang": "en"}]),
]
Span: TypeAlias = Annotated[
    list[int],
    Field(
        min_length=2,
        max_length=2,
        description="Start and end in the document's text, in characters (code points), the end exclusive.",
        examples=[[120, 131]],
    ),
]


class SnippetOut(Given):
    """A piece of a document's text."""

    text: str
    start: int
    end: int
    highlights: list[Span] = Field(description="The query's words, in the document's text.")
    cut_before: bool
    cut_after: bool


class MarkOut(Given):
    """The sentence of a snippet that says most of what is asked."""

    start: int
    end: int
    cosine: float


class PassageOut(Given):
    """A passage that was found."""

    start: int
    end: int
    headings: list[str]
    page: int | None
    score: float
    snippet: SnippetOut
    mark: MarkOut | None = Field(
        default=None, description="Only where `marks` was asked for, and one sentence stands out."
    )


class TermOut(Given):
    """One addend of a score."""

    name: str = Field(examples=["meaning"])
    value: float
    detail: str


class BecauseOut(Given):
    """One thing in a reader's past that an interest rests on."""

    doc_id: str
    title: str
    source: Literal["near", "together", "declared", "own"]
    value: float
    weight: float
    kind: str
    at: str | None


class WordOut(Given):
    """What a word of the query adds."""

    word: str
    bm25: float


class RanksOut(Given):
    """A document's place at each stage, from 1."""

    lexical: int | None
    dense: int | None
    fused: int | None
    reranked: int | None
    anonymous: int | None


class BoundsOut(Given):
    """The highest scores that there are for the query."""

    bm25: float
    cosine: float
    unrelated_cosine: float
    document_bm25: float


class LedgerOut(Given):
    """The account of a score: its terms add up to it."""

    terms: list[TermOut]
    bm25: float | None
    cosine: float | None
    document_bm25: float | None
    ranks: RanksOut
    bounds: BoundsOut
    alpha: float
    fusion: str
    grouping: str
    words: list[WordOut]
    tokens_cut: int
    because: list[BecauseOut]


class HitOut(Given):
    """A document that was found."""

    doc_id: str
    score: float
    rank: int
    title: str
    source: str
    metadata: Metadata
    passages: list[PassageOut]
    ledger: LedgerOut
