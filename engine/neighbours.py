"""Neighbours: a document whose likes score well probably deserves to, too."""

from __future__ import annotations

import numpy as np

from engine.fusion import Floats
from indexer.encoding import Vectors

NEAREST = 5
"""So many of the other candidates have a say."""


def neighbourhood(scores: Floats, vectors: Vectors, nearest: int = NEAREST) -> Floats:
    """Return for each candidate the mean score of those nearest to it, weighted by their cosine with it.

    One step of score regularisation (Diaz, "Regularizing query-based retrieval scores", Information Retrieval 10,
    2007): documents that say alike things should have like scores.

    Args:
        scores: The candidates' scores, shape (m,).
        vectors: Unit vectors of the documents, shape (m, dim); zeros where there is none.
        nearest: How many neighbours each has; those with a cosine of 0 or less count nothing. Among equals the one
            that stands first in `scores` is nearer.

    Returns:
        Shape (m,); NaN where no other candidate is near.
    """
    # Without BLAS, whose threads would wait for each other longer than so few products take where others work too;
    # rounded, so that of equals the last bits of float arithmetic choose none.
    alike = np.round(np.einsum("id,jd->ij", vectors, vectors).astype(np.float64), 6)
    np.fill_diagonal(alike, -np.inf)
    chosen = np.argsort(-alike, axis=1, kind="stable")[:, :nearest]
    weights = np.maximum(np.take_along_axis(alike, chosen, axis=1), 0.0)
    total = weights.sum(axis=1)
    sums = (weights * scores[chosen]).sum(axis=1)
    near = total > 1e-9
    means: Floats = np.where(near, sums / np.where(near, total, 1.0), np.nan)
    return means
