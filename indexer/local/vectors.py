"""The vectors as one flat file, and exact search over it: the oracle of the graph.

`vectors.f32` holds float32 rows of `dim`, little-endian; row i is passage i's vector, zeros for a passage
without one. Rows are only ever appended, so a reader that maps the first n rows sees one generation.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.encoding import Vectors
from indexer.errors import IndexCorrupt
from indexer.protocol import Numbers, Scores

FILE = "vectors.f32"
_PIECE = 8192  # rows in one matrix product of a scan


def append(path: Path, dim: int, first: int, rows: Vectors) -> None:
    """Write `rows` from row `first` on, cut the file after them, and sync it."""
    with path.open("r+b" if path.exists() else "w+b") as file:
        file.seek(first * dim * 4)
        file.write(np.ascontiguousarray(rows, dtype="<f4").tobytes())
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


class VectorFile:
    """The first `rows` rows of the file, mapped read-only.

    Raises:
        IndexCorrupt: the file is missing or shorter than that.
    """

    def __init__(self, path: Path, rows: int, dim: int) -> None:
        expected = rows * dim * 4
        size = path.stat().st_size if path.exists() else -1
        if size < expected:
            raise IndexCorrupt(f"{path} has {size} bytes; {rows} vectors of {dim} take {expected}")
        self.matrix: Vectors = (
            np.memmap(path, dtype="<f4", mode="r", shape=(rows, dim))
            if rows
            else np.zeros((0, dim), dtype=np.float32)
        )

    def scores(self, vector: Vectors, rows: Numbers) -> Scores:
        """Return the cosines of these rows with `vector`: one row's is the same whatever the others are."""
        # einsum adds up each row by itself; a matrix product's blocking would let neighbours change last bits.
        scores: Scores = np.einsum("ij,j->i", self.matrix[rows], vector, dtype=np.float32)
        return scores

    def nearest(self, vector: Vectors, depth: int, rows: Numbers) -> Numbers:
        """Return the `depth` nearest of `rows`, nearest first, ties by row."""
        if len(rows) <= len(self.matrix) // 4:
            found = self.scores(vector, rows)
        else:
            found = self._scan(vector)[rows]
        return top(found, rows, depth)

    def _scan(self, vector: Vectors) -> Scores:
        result = np.empty(len(self.matrix), dtype=np.float32)
        for at in range(0, len(self.matrix), _PIECE):
            np.dot(self.matrix[at : at + _PIECE], vector, out=result[at : at + _PIECE])
        return result


def top(scores: Scores, names: Numbers, depth: int) -> Numbers:
    """Return the names of the `depth` highest scores, highest first, ties by name ascending."""
    if depth <= 0 or len(scores) == 0:
        return np.zeros(0, dtype=np.int64)
    if depth < len(scores):
        floor = np.partition(scores, len(scores) - depth)[len(scores) - depth]
        kept: NDArray[np.intp] = np.flatnonzero(scores >= floor)
        scores, names = scores[kept], names[kept]
    return names[np.lexsort((names, -scores))[:depth]]
