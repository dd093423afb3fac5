"""One document of a candidate list, and what holds for all of the list: what pages are made from."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.fusion import Bounds
from engine.ledger import DECIMALS, Because
from engine.ranking import FacetCounts


@dataclass(frozen=True, slots=True)
class Addend:
    """What a signal of the second stage, or the reader's interests, add to one document's score.

    Args:
        value: What it adds.
        raw: The signal itself; None where the document was not scored, and the lowest of the others stands in.
    """

    value: float
    raw: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One document of the list: what is fixed about it.

    Args:
        doc_id: Its id.
        score: Its final score.
        words: What the words of passages brought of it.
        whole: What the words of the whole document brought.
        diversity: What diversity took, 0 or negative.
        bm25: BM25 of its best passage, None where words had no say.
        cosine: Cosine of its best passage, None where meaning had no say or there is no vector.
        whole_bm25: BM25 of the whole document, None where whole documents had no say.
        lexical_rank: The best passage's place by words, None beyond the depth.
        dense_rank: Its place by meaning.
        fused_rank: The document's place before the second stage; None where only interests proposed it.
        document: Its number, in the reader that the list is shown with.
        lead: The number there of the passage that the fused score is of; None when it is gone.
        passages: The numbers there of the passages to show, and their fused scores: the one that the cross-encoder
            found best first, then by score.
        late: What late interaction added, None where it had no say; the next three likewise.
        gist: What the likeness of the document as a whole added.
        neighbours: What its neighbours added.
        rerank: What the cross-encoder added. Meaning brought what is left of the score.
        reranked_rank: Its place after the second stage, before diversity; None where there was none.
        read: How many of its passages the cross-encoder read.
        tokens_cut: How many tokens of them did not fit.
        interest: What the reader's interests added; None where they had no say.
        because: What they rest on, the weightiest first.
        anonymous_rank: Its place in the list that nobody in particular gets; None where only interests proposed it,
            and where they had no say.
    """

    doc_id: str
    score: float
    words: float
    whole: float
    diversity: float
    bm25: float | None
    cosine: float | None
    whole_bm25: float | None
    lexical_rank: int | None
    dense_rank: int | None
    fused_rank: int | None
    document: int
    lead: int | None
    passages: tuple[tuple[int, float], ...]
    late: Addend | None = None
    gist: Addend | None = None
    neighbours: Addend | None = None
    rerank: Addend | None = None
    reranked_rank: int | None = None
    read: int = 0
    tokens_cut: int = 0
    interest: Addend | None = None
    because: tuple[Because, ...] = ()
    anonymous_rank: int | None = None

    @property
    def meaning(self) -> float:
        """What meaning brought."""
        addends = (self.late, self.gist, self.neighbours, self.rerank, self.interest)
        others = [addend.value for addend in addends if addend]
        return round(self.score - self.words - self.whole - self.diversity - math.fsum(others), DECIMALS)


@dataclass(frozen=True, slots=True)
class Context:
    """What holds for all of a list, on whichever page.

    Args:
        bounds: The best scores of each side.
        alpha: The weight of meaning that held.
        corrected: The text searched in place of the query's, or the empty string.
        found: How many documents are in the list.
        complete: Whether these are all that match.
        generation: The generation it was made from.
        notices: What the user was told.
        suggestions: What was suggested.
        facets: What was counted.
        reranked_depth: How many documents the cross-encoder read.
    """

    bounds: Bounds
    alpha: float
    corrected: str
    found: int
    complete: bool
    generation: int
    notices: tuple[str, ...]
    suggestions: tuple[str, ...]
    facets: dict[str, FacetCounts]
    reranked_depth: int = 0
