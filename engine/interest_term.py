"""What a reader's interests say of a list: the border between the list and `engine.personal`, which need not be loaded.

A search that names a reader asks their `Inclination` for documents to add to the list, and for the `InterestTerm` that
is added to the scores. Nothing here knows how either comes about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.fusion import Bounds, Floats
from engine.ledger import Because
from indexer.encoding import Vectors
from indexer.protocol import IndexReader, Numbers, Selection


@dataclass(frozen=True, slots=True)
class Scored:
    """The documents that interests are asked about: the first of the list, best first, then those that they proposed.

    Args:
        documents: Their numbers, shape (n,), at least one.
        doc_ids: Their ids.
        scores: Their scores without interests, shape (n,).
        listed: How many of them are in the list that nobody in particular gets.
        terms: How many different terms of the query BM25 counts.
        vector: What the query means; None where meaning has no say.
        alpha: The weight of meaning in this list.
        bounds: Between which its cosines lie.
    """

    documents: Numbers
    doc_ids: Sequence[str]
    scores: Floats
    listed: int
    terms: int
    vector: Vectors | None
    alpha: float
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class InterestTerm:
    """What interests add to the scores of the documents that they were asked about.

    Args:
        values: What is added, shape (n,).
        raw: The interest in each, before weight and strength were put in, shape (n,); NaN where it does not count.
        because: Returns what the value at a place rests on, the weightiest first.
    """

    values: Floats
    raw: Floats
    because: Callable[[int], tuple[Because, ...]]


class Inclination(Protocol):
    """One reader's interests, for one query."""

    @property
    def depth(self) -> int:
        """How many documents of the list get a term of their own."""
        ...

    @property
    def left_out(self) -> frozenset[str]:
        """Ids of documents that are not to be in this reader's list."""
        ...

    def proposals(self, reader: IndexReader, selection: Selection | None) -> Numbers:
        """Return the documents that the interests are nearest to, among those that may answer."""
        ...

    def term(self, reader: IndexReader, scored: Scored) -> InterestTerm | None:
        """Return what the interests add to these documents' scores; None when they have no say in this query."""
        ...
