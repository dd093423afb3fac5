"""Which documents and passages a generation holds, in memory: numbers only."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.protocol import Numbers


class Catalogue:
    """The live numbers of one generation, read once from SQLite.

    Args:
        connection: To the truth; later generations may be in it already.
        generation: Which one.
        rows: Passage numbers of this generation are below it.

    Attributes:
        live: Which document numbers are live, shape (highest number + 1,).
        document_of: Each passage's document, -1 for passages that are not live, shape (rows,).
        encoded: The live passages that have a vector, ascending.
        has_vector: The same as a mask, shape (rows,).
        documents: How many documents are live.
        passages: How many passages are.
    """

    def __init__(self, connection: sqlite3.Connection, generation: int, rows: int) -> None:
        highest = connection.execute("SELECT max(number) FROM documents").fetchone()[0]
        self.live: NDArray[np.bool_] = np.zeros(0 if highest is None else highest + 1, dtype=np.bool_)
        numbers = connection.execute(
            "SELECT number FROM documents WHERE added <= ?1 AND (removed IS NULL OR removed > ?1)",
            (generation,),
        )
        self.live[np.fromiter((row[0] for row in numbers), dtype=np.int64)] = True
        found = connection.execute(  # a writer may be adding more
            "SELECT number, document, encoded FROM passages INDEXED BY passage_of WHERE number < ?", (rows,)
        )
        table = np.fromiter((value for row in found for value in row), dtype=np.int64).reshape(-1, 3)
        table = table[self.live[table[:, 1]]]
        self.document_of: Numbers = np.full(rows, -1, dtype=np.int64)
        self.document_of[table[:, 0]] = table[:, 1]
        self.encoded: Numbers = np.sort(table[table[:, 2] == 1, 0])
        self.has_vector: NDArray[np.bool_] = np.zeros(rows, dtype=np.bool_)
        self.has_vector[self.encoded] = True
        self.documents = int(self.live.sum())
        self.passages = len(table)
        # Both kinds of number are given in the order in which documents come, so owners ascend with passages.
        self._numbers: Numbers = np.sort(table[:, 0])
        self._owners: Numbers = self.document_of[self._numbers]

    def find_all(self, connection: sqlite3.Connection, doc_ids: Sequence[str]) -> Numbers:
        """Return the numbers of the live documents of these ids, in the order asked; -1 where there is none."""
        found: dict[str, int] = {}
        for at in range(0, len(doc_ids), 500):
            piece = doc_ids[at : at + 500]
            rows = connection.execute(
                f"SELECT doc_id, number FROM documents WHERE doc_id IN ({','.join('?' * len(piece))})", piece
            )
            # Documents that were replaced are there under the same id, and so may a later generation's be.
            found.update(row for row in rows if row[1] < len(self.live) and self.live[row[1]])
        return np.array([found.get(doc_id, -1) for doc_id in doc_ids], dtype=np.int64)

    def passages_of(self, document: int) -> Numbers:
        """Return the numbers of a document's passages, in the document's order."""
        first, end = np.searchsorted(self._owners, [document, document + 1])
        return self._numbers[first:end]

    def passages_of_all(self, documents: Numbers) -> tuple[Numbers, Numbers]:
        """Return the numbers of these documents' passages, document by document, and the document of each."""
        first = np.searchsorted(self._owners, documents)
        counts = np.searchsorted(self._owners, documents + 1) - first
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return self._numbers[np.repeat(first, counts) + within], np.repeat(documents, counts)
