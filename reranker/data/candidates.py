"""What mining asks of an index, through a protocol, so that the reranker knows none: `CandidateSource`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reranker.pairs import PassageText


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A passage that might answer a query.

    Args:
        doc_id: Its document.
        ordinal: Its place among the document's passages.
        passage: What a reranker reads.
        score: The first stage's fused score for the query.
        lexical_rank: Its place in the list by words, from 1; 0 where it is not in it.
        dense_rank: Its place in the list by meaning, likewise.
        fused_rank: Its place in the fused list, likewise.
        vector: Its unit vector, shape (dim,); None where there is none.
    """

    doc_id: str
    ordinal: int
    passage: PassageText
    score: float
    lexical_rank: int = 0
    dense_rank: int = 0
    fused_rank: int = 0
    vector: NDArray[np.float32] | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Which passage it is."""
        return self.doc_id, self.ordinal


class CandidateSource(Protocol):
    """An index, as mining sees it. The same question has the same answer.

    Scores are those of the query, on one scale, whichever method gave the candidate.
    """

    @property
    def fingerprint(self) -> str:
        """Changes where the same question would have another answer."""
        ...

    def search(self, query: str, depth: int) -> Sequence[Candidate]:
        """Return the passages that words, meaning, or both put among the best `depth`, by fused rank."""
        ...

    def best(self, query: str, doc_ids: Sequence[str]) -> Sequence[Candidate]:
        """Return the best passage for the query of each document; a document that there is not is left out."""
        ...

    def exactly(self, query: str, keys: Sequence[tuple[str, int]]) -> Sequence[Candidate]:
        """Return these passages, each named by its document and ordinal; one that there is not is left out."""
        ...

    def near(self, query: str, text: str, depth: int) -> Sequence[Candidate]:
        """Return the `depth` passages nearest to a text in meaning, nearest first."""
        ...

    def random(self, query: str, count: int, seed: int) -> Sequence[Candidate]:
        """Return up to `count` different passages drawn by chance, each as probable as any other."""
        ...
