"""What a whole past is to some documents, pair by pair; for lists, in a hurry, there is `engine.personal.near`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.fusion import Floats
from engine.personal.interests import Points
from indexer.encoding import Vectors


class Together(Protocol):
    """What other readers read together with m documents of a past."""

    def likeness(self, candidates: Sequence[str]) -> Floats:
        """Return how often these were read with each of the m, shape (m, candidates), 0 to 1."""
        ...

    def best(self, weights: Floats, most: int) -> list[str]:
        """Return the documents of the highest Σ weight · likeness, given what the m weigh."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """What p points of a past are to n documents of a list; arrays of shape (p, n).

    Args:
        near: How much nearer they are than two documents of this index usually are.
        together: How often other readers met both, 0 to 1; all 0 where nothing was learnt.
        cosines: The plain cosines.
    """

    near: Floats
    together: Floats
    cosines: Floats


def pairs_of(
    points: Points, doc_ids: Sequence[str], vectors: Vectors, centre: Vectors, together: Together | None
) -> Pairs:
    """Return the pairs of points and documents; a document and itself are no pair, and have 0.

    `near` is the product of both vectors less the `centre`: what all documents have in common makes none nearer to
    another, so a document that is like everything gains nothing by it.

    Args:
        points: The past, p of them.
        doc_ids: The documents, n of them.
        vectors: Their unit vectors, shape (n, dim); zeros where there is none, and nothing is near those.
        centre: The mean of the documents of this index, shape (dim,).
        together: How often points and documents were read together; None where nothing was learnt.
    """
    # Rounded, so that the last bits of a matrix product, which depend on its shape, decide nothing.
    cosines = (points.vectors @ vectors.T).astype(np.float64).round(6)
    # (a - c) · (b - c), without making a - c for every document
    common = vectors @ centre
    near: Floats = cosines - (points.vectors @ centre)[:, None] - common[None, :] + float(centre @ centre)
    near[:, ~vectors.any(axis=1)] = 0.0
    met = np.zeros_like(near)
    if together is not None:  # what was declared comes after the documents, and nobody read it
        likeness = together.likeness(doc_ids)
        met[: len(likeness)] = likeness
    place = {name: row for row, name in enumerate(points.names) if points.kinds[row]}
    for column, doc_id in enumerate(doc_ids):
        if doc_id in place:
            near[place[doc_id], column] = met[place[doc_id], column] = 0.0
    return Pairs(near, met, cosines)
