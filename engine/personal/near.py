"""How near documents are to what a reader met, each pair of them: what interest is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.event import PRAISE
from engine.fusion import Floats
from engine.personal.interests import Points
from indexer.encoding import Vectors

NEAREST = 3
"""The interest in a document is made of so many points of the past."""
REMARKABLE = 0.2
"""Documents that are nearer to each other than by this are about like things."""


@dataclass(frozen=True, slots=True, eq=False)
class Near:
    """The p points of a past, ready to be compared: `near_to` makes it, once for many lists.

    How near two documents are is the product of their vectors, less the centre of the index: what all documents have in
    common makes none nearer to another, so that a document that is like everything gains nothing by it.

    Args:
        vectors: Share of each point, times its vector less the centre, shape (p, dim).
        offsets: The product of these with the centre, shape (p,).
        place: Documents among the points, by id.
        praised: Points that are documents which the reader called good.
    """

    vectors: Vectors
    offsets: Vectors
    place: Mapping[str, int]
    praised: frozenset[int]

    def to(self, doc_ids: Sequence[str], vectors: Vectors) -> Vectors:
        """Return how near documents are to each point, times the point's share, shape (n, p).

        A document and itself are no pair, and have 0; so does a document without a vector. But what a reader called
        good is as near to itself as the nearest of the others, so that its praise lifts none of them above it.

        Args:
            doc_ids: The documents, n of them.
            vectors: Their unit vectors, shape (n, dim); zeros where there is none.
        """
        near = vectors @ self.vectors.T
        near -= self.offsets
        near[np.einsum("ij,ij->i", vectors, vectors) == 0.0] = 0.0
        own = [(row, self.place[doc_id]) for row, doc_id in enumerate(doc_ids) if doc_id in self.place]
        for row, point in own:
            near[row, point] = 0.0
        for row, point in own:
            if point in self.praised:
                near[row, point] = near[:, point].max()
        return near


def near_to(points: Points, shares: Floats, centre: Vectors) -> Near:
    """Return points ready to be compared.

    Args:
        points: The past.
        shares: What each point counts beside the heaviest, 0 to 1, shape (p,).
        centre: The mean of the documents of the index, shape (dim,).
    """
    vectors = (shares[:, None] * (points.vectors - centre)).astype(np.float32)
    place = {name: row for row, name in enumerate(points.names) if points.kinds[row]}
    praised = frozenset(row for row, kind in enumerate(points.kinds) if kind in PRAISE)
    return Near(vectors, vectors @ centre, place, praised)


def nearest(near: Vectors) -> Floats:
    """Return a third of the sum of the three highest values of each row, negative ones included, shape (n,).

    Of fewer than three points it is a third of their sum: little is known, and little made of it. Rounded, so that the
    last bits of a matrix product, which depend on its shape, decide nothing.
    """
    if near.shape[1] > NEAREST:
        near = np.partition(near, near.shape[1] - NEAREST, axis=1)[:, -NEAREST:]
    total: Floats = near.sum(axis=1, dtype=np.float64)
    thirds: Floats = (total / NEAREST).round(6)
    return thirds


def against(near: Vectors) -> Floats:
    """Return how near each document is to something disliked, as far as that is remarkable, shape (n,)."""
    worst: Floats = near.max(axis=1, initial=0.0).astype(np.float64)
    beyond: Floats = np.maximum(worst - REMARKABLE, 0.0).round(6)
    return beyond
