"""How near each document of a reader's past is to each document of a list: the matrix that interest is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from engine.fusion import Floats
from engine.personal.interests import Points
from indexer.encoding import Vectors

Together: TypeAlias = Callable[[Sequence[str]], Floats]
"""Gives, for documents of a list, how often each document of the past was read together with them: shape (p, n)."""


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
    cosines = np.round((points.vectors @ vectors.T).astype(np.float64), 6)
    # (a - c) · (b - c), without making a - c for every document
    common = vectors @ centre
    near = cosines - (points.vectors @ centre)[:, None] - common[None, :] + float(centre @ centre)
    near = near.astype(np.float64)
    near[:, ~vectors.any(axis=1)] = 0.0
    met = np.zeros_like(near) if together is None else together(doc_ids)
    place = {name: row for row, name in enumerate(points.names) if points.kinds[row]}
    for column, doc_id in enumerate(doc_ids):
        if doc_id in place:
            near[place[doc_id], column] = met[place[doc_id], column] = 0.0
    return Pairs(near, met, cosines)
