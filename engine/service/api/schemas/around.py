"""What is asked and told around a search: completions, and why a document was not found."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.service.api.schemas.parts import LedgerOut
from engine.service.api.schemas.search import K, QueryText, RerankDepth, Strength
from engine.service.api.schemas.strict import Address, DocumentId, Given
from engine.why_not import Stage


class WhyNotAddress(Address):
    """Which document, and which question, in the query string of an address."""

    q: QueryText
    id: DocumentId
    k: K = 10
    strength: Strength = 1.0
    rerank_depth: RerankDepth | None = None


class SuggestAddress(Address):
    """What was typed, in the query string of an address."""

    q: Annotated[str, Field(max_length=1000, description="What was typed so far.", examples=["boundary la"])]
    k: Annotated[int, Field(ge=0, le=50)] = 8


class CompletionOut(Given):
    """A query that what was typed may become."""

    text: str
    kind: Literal["title", "heading", "word"]
    doc_id: str = Field(description="Of a title, the document; otherwise empty.")
    highlights: list[list[int]] = Field(description="Spans of `text` that were typed.")


class CompletionsOut(Given):
    """Queries that what was typed may become."""

    completions: list[CompletionOut]


class WhyNotOut(Given):
    """What became of one document in one search."""

    doc_id: str
    query: str
    k: int
    stage: Stage = Field(description="Where it was left out; `found` where it is among the k.")
    sentences: list[str] = Field(description="The account, for people.")
    rank: int | None
    ledger: LedgerOut | None
    last: LedgerOut | None = Field(
        description="The account of the k-th document, which it would have to beat."
    )
    bm25: float | None
    cosine: float | None
    document_bm25: float | None
    depth: int
