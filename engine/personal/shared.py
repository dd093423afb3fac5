"""What other readers read together with a reader's past, summed up once for many lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.fusion import Floats
from engine.personal.together import Neighbours

MOST = 1.5
"""Sums grow with the length of a past; libraries of 40 documents come to 1.4, and that is where they end."""


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """How often documents were read together with those of a past.

    Args:
        near: Of which documents of the past which others are neighbours; the past's in the order of its points.
        shares: What each document of the past counts beside the heaviest, 0 to 1, shape (m,).
        total: By document, √ Σ share · likeness over the past, at most `MOST`.
        column: The place of each of these among the neighbours.
    """

    near: Neighbours
    shares: Floats
    total: Mapping[str, float]
    column: Mapping[str, int]

    def with_(self, doc_ids: Sequence[str]) -> Floats:
        """Return the totals of some documents, shape (n,); 0 for one that nobody read together with the past."""
        return np.array([self.total.get(doc_id, 0.0) for doc_id in doc_ids], dtype=np.float64)

    def parts(self, doc_id: str) -> Floats:
        """Return what each document of the past brings to the total of one of these documents, shape (m,)."""
        weighted = np.zeros(len(self.shares))
        there = np.flatnonzero(self.near.columns == self.column[doc_id])
        rows = self.near.rows[there]
        weighted[rows] = self.shares[rows] * self.near.values[there]
        total = float(weighted.sum())
        return weighted * (self.total.get(doc_id, 0.0) / total) if total > 0 else weighted


def shared_by(near: Neighbours, shares: Floats) -> Shared:
    """Return the sum of what others read together with a past.

    Args:
        near: The neighbours of the past's documents.
        shares: What each of these counts, shape (m,).
    """
    sums = np.bincount(near.columns, shares[near.rows] * near.values, minlength=len(near.doc_ids))
    totals = np.round(np.minimum(np.sqrt(np.maximum(sums, 0.0)), MOST), 6).tolist()
    kept = [at for at, total in enumerate(totals) if total > 0]
    return Shared(
        near,
        shares,
        {near.doc_ids[at]: totals[at] for at in kept},
        {near.doc_ids[at]: at for at in kept},
    )
