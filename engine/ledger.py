"""The account of a score: terms that add up to it, and the raw facts behind them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from engine.fusion import Bounds
from engine.settings import Fusion, Grouping

DECIMALS = 7
"""Scores are kept to so many decimals, so that the last bits of float arithmetic decide no order."""


@dataclass(frozen=True, slots=True)
class Term:
    """One addend of a score.

    Args:
        name: `words` (BM25 of passages), `document` (BM25 of the whole document), `meaning` (vectors), `late` (late
            interaction), `gist` (the document as a whole), `neighbours` (what the likes of the document score),
            `rerank` (the cross-encoder), `interest` (what the reader has met before) or `diversity` (likeness to
            documents above; never positive).
        value: What it adds.
        detail: How it came about, in words.
    """

    name: str
    value: float
    detail: str


@dataclass(frozen=True, slots=True)
class WordShare:
    """What one word or phrase of the query adds to the BM25 score of a document's best passage."""

    word: str
    bm25: float


@dataclass(frozen=True, slots=True)
class Because:
    """One thing in a reader's past that the interest in a document rests on.

    Args:
        doc_id: The document that they met; empty for an interest that they declared.
        title: Its title, or the words that they declared; empty where there is none.
        source: `near` (the documents are about like things), `together` (other readers met both), `declared`, or `own`
            (it is this very document, and they called it good).
        value: How near, as a cosine; or what it brings to the interest, where others met both. Negative for something
            that they disliked.
        weight: The share that it has in the reader's interests, 0 to 1.
        kind: What they last did with it: read, like, ...; empty for a declared interest.
        at: When, in UTC; None where that is not known.
    """

    doc_id: str
    title: str
    source: Literal["near", "together", "declared", "own"]
    value: float
    weight: float
    kind: str = ""
    at: datetime | None = None

    def to_json(self) -> dict[str, object]:
        """Return all of it as plain values for JSON; the time as ISO 8601."""
        return {
            "doc_id": self.doc_id,
            "title": self.title,
            "source": self.source,
            "value": self.value,
            "weight": self.weight,
            "kind": self.kind,
            "at": self.at.isoformat() if self.at else None,
        }


@dataclass(frozen=True, slots=True)
class Ledger:
    """Why a document has its score. The raw facts are of its best passage.

    Args:
        terms: They add up to the score (to 1e-6).
        bm25: The passage's BM25 score; None where words had no say.
        cosine: Its cosine with the query; None where meaning had no say, or the passage has no vector.
        document_bm25: The BM25 score of the whole document; None where whole documents had no say.
        lexical_rank: Its place among passages by BM25, from 1; None beyond the depth.
        dense_rank: Its place among passages by cosine; None beyond the depth.
        fused_rank: The document's place after fusion and grouping, from 1, before the second stage; None where only
            the reader's interests proposed it.
        reranked_rank: Its place after the second stage, before diversity moved it; None where there was none.
        bounds: The highest BM25 score and cosine of any passage that may answer, the cosine of unrelated texts, and
            the highest BM25 score of a whole document.
        alpha: The weight of meaning that held.
        fusion: How the two scores became one.
        grouping: How passages' scores became the document's.
        words: What each word of the query adds to `bm25`, largest first; only when explaining.
        tokens_cut: Tokens of its passages that did not fit what the cross-encoder reads; the first stage cuts none.
        because: What in the reader's past the term `interest` rests on, the weightiest first.
        anonymous_rank: Its place in the list that nobody in particular gets for this query; None where only the
            reader's interests proposed it, and where interests had no say.
    """

    terms: tuple[Term, ...]
    bm25: float | None
    cosine: float | None
    document_bm25: float | None
    lexical_rank: int | None
    dense_rank: int | None
    fused_rank: int | None
    bounds: Bounds
    alpha: float
    fusion: Fusion
    grouping: Grouping
    words: tuple[WordShare, ...] = ()
    tokens_cut: int = 0
    reranked_rank: int | None = None
    because: tuple[Because, ...] = ()
    anonymous_rank: int | None = None

    @property
    def total(self) -> float:
        """The sum of the terms: the score."""
        return round(math.fsum(term.value for term in self.terms), DECIMALS)

    def to_json(self) -> dict[str, object]:
        """Return all of it as plain values for JSON."""
        return {
            "terms": [{"name": term.name, "value": term.value, "detail": term.detail} for term in self.terms],
            "bm25": self.bm25,
            "cosine": self.cosine,
            "document_bm25": self.document_bm25,
            "ranks": {
                "lexical": self.lexical_rank,
                "dense": self.dense_rank,
                "fused": self.fused_rank,
                "reranked": self.reranked_rank,
                "anonymous": self.anonymous_rank,
            },
            "bounds": {
                "bm25": self.bounds.lexical,
                "cosine": self.bounds.dense,
                "unrelated_cosine": self.bounds.unrelated,
                "document_bm25": self.bounds.document,
            },
            "alpha": self.alpha,
            "fusion": self.fusion,
            "grouping": self.grouping,
            "words": [{"word": share.word, "bm25": share.bm25} for share in self.words],
            "tokens_cut": self.tokens_cut,
            "because": [one.to_json() for one in self.because],
        }

    def __str__(self) -> str:
        parts = " + ".join(f"{term.name} {term.value:.4f}" for term in self.terms)
        return f"{self.total:.4f} = {parts or '0'}"
