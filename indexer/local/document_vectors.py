"""One vector for a whole document: the mean of its passages', made when it is first asked for and kept in memory."""

from __future__ import annotations

import threading
from functools import cached_property

import numpy as np

from indexer.encoding import Vectors
from indexer.local.catalogue import Catalogue
from indexer.local.vectors import VectorFile
from indexer.protocol import Numbers

KEPT_BYTES = 64 << 20
"""So many bytes of documents' vectors are remembered of one generation."""
SAMPLE = 2048
"""Of so many documents, evenly spread, the centre is taken."""


class DocumentVectors:
    """Vectors of documents. Safe to share between threads.

    Args:
        catalogue: Which passages a document has.
        passages: Their vectors.
        kept_bytes: Of how many bytes of vectors to remember; when more are asked for, all are forgotten.
    """

    def __init__(self, catalogue: Catalogue, passages: VectorFile, kept_bytes: int = KEPT_BYTES) -> None:
        self._catalogue = catalogue
        self._passages = passages
        self._dim = passages.matrix.shape[1]
        self._room = max(kept_bytes // (4 * max(self._dim, 1)), 1)
        self._rows: Vectors = np.zeros((0, self._dim), dtype=np.float32)
        self._row_of: Numbers = np.zeros(0, dtype=np.int64)
        self._used = 0
        self._lock = threading.Lock()

    def of(self, documents: Numbers) -> Vectors:
        """Return the vectors of these documents, shape (n, dim), unit length; zeros for one without vectors."""
        with self._lock:
            if not len(self._row_of):
                self._row_of = np.full(len(self._catalogue.live), -1, dtype=np.int64)
            missing = np.unique(documents[self._row_of[documents] < 0])
            if len(missing):
                if self._used + len(missing) > self._room:
                    self._row_of[:] = -1
                    self._used = 0
                    missing = np.unique(documents)
                if len(missing) > self._room:
                    names, back = np.unique(documents, return_inverse=True)
                    return self._made(names)[back]
                self._keep(missing, self._made(missing))
            return self._rows[self._row_of[documents]]

    @cached_property
    def centre(self) -> Vectors:
        """The mean of documents' vectors, shape (dim,); of a sample where there are many."""
        live = np.flatnonzero(self._catalogue.live)
        spread = live[np.unique(np.linspace(0, len(live) - 1, min(SAMPLE, len(live))).astype(np.int64))]
        vectors = self._made(spread)
        there = vectors.any(axis=1)
        mean = vectors[there].mean(axis=0, dtype=np.float64) if there.any() else np.zeros(self._dim)
        return mean.astype(np.float32)

    def _keep(self, documents: Numbers, vectors: Vectors) -> None:
        end = self._used + len(documents)
        if end > len(self._rows):
            grown = np.zeros((min(max(end, 2 * len(self._rows)), self._room), self._dim), dtype=np.float32)
            grown[: self._used] = self._rows[: self._used]
            self._rows = grown
        self._rows[self._used : end] = vectors
        self._row_of[documents] = np.arange(self._used, end)
        self._used = end

    def _made(self, documents: Numbers) -> Vectors:
        """Return the mean of each document's passages, at unit length; it does not depend on the others."""
        vectors = np.zeros((len(documents), self._dim), dtype=np.float32)
        for at, document in enumerate(documents.tolist()):
            numbers = self._catalogue.passages_of(document)
            if not len(numbers):
                continue
            first, last = int(numbers[0]), int(numbers[-1])
            whole = last - first + 1 == len(numbers)
            rows = self._passages.matrix[first : last + 1] if whole else self._passages.matrix[numbers]
            total = rows.sum(axis=0, dtype=np.float32)
            length = float(np.sqrt(np.square(total, dtype=np.float64).sum()))
            if length > 1e-6:
                vectors[at] = total / length
        return vectors
