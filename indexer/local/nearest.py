"""The passages nearest to a vector: by the graph where that pays, exactly elsewhere, and always with exact cosines."""

from __future__ import annotations

import numpy as np

from indexer.encoding import Vectors
from indexer.local.graph import GraphReader
from indexer.local.vectors import VectorFile, top
from indexer.protocol import Numbers, Scores

_EXACT_SHARE = 0.1  # a selection of less than this share of the passages is searched exactly


class Nearest:
    """Searches the vectors of one generation.

    Args:
        vectors: All of them.
        graph: Of the first ones; those after it are searched exactly. None where there are too few for one.
    """

    def __init__(self, vectors: VectorFile, graph: GraphReader | None) -> None:
        self._vectors = vectors
        self._graph = graph

    def best(self, vector: Vectors, depth: int, rows: Numbers) -> tuple[Numbers, Scores]:
        """Return the nearest of some passages with their cosines, nearest first, ties by number.

        Args:
            vector: A unit vector, shape (dim,).
            depth: How many, at least 1.
            rows: The passages that may come, at least one, ascending; each has a vector.
        """
        if self._graph is None or len(rows) < _EXACT_SHARE * len(self._vectors.matrix) or depth >= len(rows):
            found = self._vectors.nearest(vector, depth, rows)
        else:
            found = self._approximate(self._graph, vector, depth, rows)
        scores = self._vectors.scores(vector, found)
        order = np.lexsort((found, -scores))
        return found[order], scores[order]

    def _approximate(self, graph: GraphReader, vector: Vectors, depth: int, rows: Numbers) -> Numbers:
        allowed = np.zeros(len(self._vectors.matrix), dtype=np.bool_)
        allowed[rows] = True
        tail = rows[np.searchsorted(rows, graph.rows) :]
        within = len(rows) - len(tail)
        ask = int(depth * graph.rows / max(within, 1) * 1.2) + 16
        while ask < graph.rows // 4:
            near = graph.nearest(vector, ask)
            near = near[allowed[near]]
            if len(near) >= min(depth, within):
                pool = np.concatenate([near, tail])
                return top(self._vectors.scores(vector, pool), pool, depth)
            ask *= 4
        return self._vectors.nearest(vector, depth, rows)
