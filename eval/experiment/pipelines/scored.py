"""Rankings from one score for every document, ties by doc_id ascending."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


class Scored:
    """Documents by number, ready to be ranked by scores.

    Args:
        doc_ids: The document of each number.
    """

    def __init__(self, doc_ids: Sequence[str]) -> None:
        self.doc_ids = list(doc_ids)
        self._by_id = np.array(sorted(range(len(self.doc_ids)), key=self.doc_ids.__getitem__), dtype=np.int64)

    def best(self, scores: Floats, k: int, among: NDArray[np.bool_] | None = None) -> list[tuple[str, float]]:
        """Return the k best documents with their scores: score descending, ties by doc_id ascending.

        Args:
            scores: One for each document, shape (documents,).
            k: How many.
            among: Which documents may be in the answer; all by default.
        """
        order = self._by_id if among is None else self._by_id[among[self._by_id]]
        if 0 < k < len(order):
            least = np.partition(scores[order], len(order) - k)[len(order) - k]
            order = order[scores[order] >= least]
        best = order[np.argsort(-scores[order], kind="stable")][:k]
        return [(self.doc_ids[number], float(scores[number])) for number in best.tolist()]
