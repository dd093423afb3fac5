"""Maximal marginal relevance: a document that says what those above it said comes later."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.fusion import Floats
from indexer.encoding import Vectors


def diversify(
    scores: Floats, vectors: Vectors, doc_ids: Sequence[str], diversity: float
) -> tuple[list[int], list[float]]:
    """Return the order by maximal marginal relevance, and each document's penalty in that order.

    Carbonell and Goldstein (SIGIR 1998): next comes the document of the highest
    (1 - diversity) · score - diversity · (highest cosine with one chosen before, 0 if negative). The first has
    no penalty. The value reached never rises from one to the next, so it serves as the document's score.

    Args:
        scores: Relevance, shape (n,).
        vectors: Unit vectors of the documents' best passages, shape (n, dim); zeros where there is none.
        doc_ids: Ids, which decide between equals: ascending.
        diversity: From 0 (relevance alone) to 1.

    Returns:
        Rows in the new order, and for each the term -diversity · (highest cosine) that its score holds.
    """
    count = len(scores)
    alike = (vectors @ vectors.T).astype(np.float64)
    by_id = np.argsort(np.array(doc_ids, dtype=object), kind="stable")
    relevance = (1.0 - diversity) * scores[by_id]
    highest = np.zeros(count)
    left = np.ones(count, dtype=bool)
    order: list[int] = []
    penalties: list[float] = []
    for _ in range(count):
        penalty = -diversity * highest
        chosen = int(np.argmax(np.where(left, relevance + penalty, -np.inf)))
        left[chosen] = False
        order.append(int(by_id[chosen]))
        penalties.append(float(penalty[chosen]))
        np.maximum(highest, alike[by_id[chosen], by_id], out=highest)
    return order, penalties
