"""What is asked and told of documents."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.service.api.schemas.parts import Metadata, Span
from engine.service.api.schemas.search import QueryText
from engine.service.api.schemas.strict import Address, DocumentId, Given, Taken, exampled

Offset = Annotated[
    int, Field(ge=0, le=2**53, description="In characters (code points) of the document's text.")
]
Length = Annotated[int, Field(ge=1, le=5000, description="Characters that the summary may have.")]
Sentences = Annotated[int, Field(ge=1, le=50, description="Sentences that it may have at most.")]


class TextAddress(Address):
    """Which stretch of which document."""

    id: DocumentId
    start: Offset = 0
    end: Annotated[
        Offset | None,
        Field(
            description="One past the last character; without it, as far as one answer goes: 100,000 characters."
        ),
    ] = None


class SimilarAddress(Address):
    """Which document others are to be like."""

    id: DocumentId
    k: Annotated[int, Field(ge=0, le=10_000)] = 10


class SummaryAddress(Address):
    """Which document, and what for."""

    id: DocumentId
    q: Annotated[
        QueryText, Field(description="What the summary is to answer; empty for the whole document.")
    ] = ""
    length: Length = 600
    sentences: Sentences | None = None


class SummariesIn(Taken):
    """Which documents, and what for."""

    model_config = exampled(
        {"ids": ["papers/flutter.md", "papers/rotors.md"], "query": "what flutter comes from"}
    )

    ids: Annotated[
        list[DocumentId],
        Field(
            min_length=1, max_length=20, description="Up to 20 documents.", examples=[["books/sailing.epub"]]
        ),
    ]
    query: Annotated[
        QueryText, Field(description="What each is to answer; empty for the whole document.")
    ] = ""
    length: Length = 600
    sentences: Sentences | None = None
    keyphrases: Annotated[
        int, Field(ge=0, le=50, description="How many phrases that name the documents together are wanted.")
    ] = 8


class StretchOut(Given):
    """A passage of a document: where it stands."""

    ordinal: int
    start: int
    end: int
    headings: list[str]
    page: int | None


class TextOut(Given):
    """A stretch of a document's text, with what is known of it."""

    doc_id: str
    title: str
    source: str
    metadata: Metadata
    length: int = Field(description="Characters of the whole text.")
    pages: list[int] = Field(description="Where each page starts; empty for a document without pages.")
    page: int | None = Field(description="The page that `start` is on, from 1.")
    passage_count: int
    start: int
    end: int = Field(description="Where the text stops; ask again from here while it is less than `length`.")
    text: str
    passages: list[StretchOut] = Field(description="Those that overlap the text, in order.")


class SimilarItem(Given):
    """A document like the one asked about."""

    rank: int
    doc_id: str
    score: float
    title: str
    source: str
    metadata: Metadata
    cosine: float | None
    words: list[str] = Field(description="What names the given document and is said in this one too.")
    reason: str


class SimilarOut(Given):
    """Documents like a given one, best first."""

    doc_id: str
    title: str
    items: list[SimilarItem]
    notices: list[str]


class SentenceOut(Given):
    """A sentence of a summary."""

    text: str
    start: int
    end: int
    taken: int
    closeness: float | None
    highlights: list[Span]
    reached: float
    page: int | None
    headings: list[str]
    whole: bool
    why: str


class SummaryOut(Given):
    """Sentences of a document that together say most of it, or most of what was asked."""

    doc_id: str
    title: str
    query: str
    tilted: bool = Field(description="Whether a reader's interests had a say.")
    coverage: float | None
    text: str
    sentences: list[SentenceOut]
    notices: list[str]


class KeyphraseOut(Given):
    """A phrase that names the documents."""

    text: str
    score: float
    count: int
    documents: int


class SummariesOut(Given):
    """Summaries, in the order asked."""

    summaries: list[SummaryOut]
    missing: list[str] = Field(description="Ids that the index does not have.")
    keyphrases: list[KeyphraseOut]
