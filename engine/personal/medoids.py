"""Groups of documents around some of their own: greedy facility location, the same at every run."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.fusion import Floats
from indexer.encoding import Vectors
from indexer.protocol import Numbers

LEAST_GAIN = 0.02
"""A further medoid has to be worth so much of the greatest worth that there could be."""
_DECIMALS = 6  # likeness is rounded, so that the last bits of float arithmetic choose no medoid


def medoids(
    vectors: Vectors, weights: Floats, most: int, unrelated: float = 0.0, forced: Sequence[int] = ()
) -> tuple[Numbers, Numbers]:
    """Return the documents that stand for all, and for each document the one that stands for it.

    A set of medoids is worth Σ weight · likeness to the nearest of them, where likeness is the cosine on a scale from
    `unrelated` (0) to 1. Each step takes the document that adds most, the first of equals, while it adds at least
    `LEAST_GAIN`, and while there are fewer than the square root of the number of documents: of that number as it would
    be if all weighed the same, 1 / Σ share². The worth is submodular, so this comes within 1 - 1/e of the best set of
    its size (Nemhauser, Wolsey and Fisher 1978).

    Args:
        vectors: Unit vectors, shape (n, dim).
        weights: At least 0, shape (n,).
        most: At most so many medoids, besides those forced.
        unrelated: The cosine that stands for no likeness.
        forced: Documents that are medoids in any case.

    Returns:
        Rows of the medoids, those forced first, shape (m,); for each document a place among them, shape (n,).
    """
    count = len(weights)
    if not count:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    cosines = (vectors @ vectors.T).astype(np.float64)
    alike = np.round(np.clip((cosines - unrelated) / (1.0 - unrelated), 0.0, 1.0), _DECIMALS)
    np.fill_diagonal(alike, 1.0)
    total = float(weights.sum())
    shares = weights / total if total > 0 else np.full(count, 1.0 / count)
    chosen = list(dict.fromkeys(forced))
    nearest = alike[chosen].max(axis=0) if chosen else np.zeros(count)
    few = math.ceil(math.sqrt(round(1.0 / float(np.square(shares).sum()), 6)))
    for _ in range(min(most, few)):
        gains = np.round(np.maximum(alike - nearest, 0.0) @ shares, 9)
        best = int(np.argmax(gains))
        if chosen and gains[best] < LEAST_GAIN:
            break
        chosen.append(best)
        nearest = np.maximum(nearest, alike[best])
    rows = np.array(chosen, dtype=np.int64)
    belongs = np.argmax(alike[rows], axis=0).astype(np.int64)
    belongs[rows] = np.arange(len(rows))
    return rows, belongs
