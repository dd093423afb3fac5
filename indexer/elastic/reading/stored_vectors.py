"""Vectors as they are stored: of passages, of whole documents, and of passages' tokens."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.elastic.reading import bodies
from indexer.elastic.reading.memory import Memory
from indexer.elastic.reading.pit import PointInTime, Search, Tell, Where, hits_of
from indexer.encoding import Vectors
from indexer.errors import IndexCorrupt
from indexer.protocol import Numbers, Scores
from indexer.token_coding import Codes, TokenCoding
from indexer.token_scores import token_scores

SAMPLE = 2048
"""Of so many documents, those with the lowest numbers, the centre is taken: numbers are spread at random."""
_AT_A_TIME = 1_000


@dataclass(frozen=True, slots=True)
class StoredVectors:
    """Reads vectors for one reader. Safe to share between threads.

    Args:
        point: Whom to ask.
        tell: Is called with a sentence where an answer lacks something.
        memory: Documents' vectors that were read before.
        dim: The length of a vector.
        coding: How tokens are written down; None where they are not kept.
    """

    point: PointInTime
    tell: Tell | None
    memory: Memory
    dim: int
    coding: TokenCoding | None

    def of_passages(self, passages: Numbers) -> Vectors:
        """Return the vectors of these passages, shape (n, dim); rows of zeros for those without one."""
        found = self._read("passages", passages, {"field": "vector", "format": "binary"}, ">f4")
        return self._rows(found, passages)

    def of_documents(self, documents: Numbers) -> Vectors:
        """Return one unit vector for each of these documents, shape (n, dim); zeros for one without vectors."""
        known = self.memory.means.known(documents.tolist())
        missing = np.array([number for number in documents.tolist() if number not in known], dtype=np.int64)
        if len(missing):
            found = self._read("documents", missing, "mean", "<f4")
            found = {number: found.get(number, _NONE) for number in missing.tolist()}
            self.memory.means.keep(found)
            known.update(found)
        return self._rows(known, documents)

    def centre(self) -> Vectors:
        """Return the mean of documents' vectors, shape (dim,); of a sample where there are many."""
        if self.memory.centre is None:
            body = bodies.listed(bodies.DOCUMENTS, SAMPLE, [{"number": "asc"}], columns=["mean"])
            (answer,) = self.point.ask([Search("documents", body)], self.tell)
            rows = [_row(hit["fields"]["mean"][0], "<f4") for hit in hits_of(answer) if "fields" in hit]
            mean = np.mean(rows, axis=0, dtype=np.float64) if rows else np.zeros(self.dim)
            self.memory.centre = np.asarray(mean, dtype=np.float32)
        return self.memory.centre

    def late_scores(self, tokens: Vectors, weights: Scores, passages: Numbers) -> Scores:
        """Return for each passage how well its tokens meet the query's; NaN where it has none."""
        if self.coding is None:
            return np.full(len(passages), np.nan, dtype=np.float32)
        return token_scores(self.coding, tokens, weights, passages, self._codes)

    def _codes(self, passages: Numbers) -> dict[int, Codes]:
        width = self.coding.token_bytes if self.coding is not None else 1
        found: dict[int, Codes] = {}
        for number, text in self._columns("passages", passages, "codes"):
            codes = base64.b64decode(text)
            if len(codes) % width:
                raise IndexCorrupt(
                    f"the tokens of passage {number} have {len(codes)} bytes, expected a multiple of {width}; "
                    "run `quire verify`"
                )
            found[number] = np.frombuffer(codes, np.uint8).reshape(-1, width)
        return found

    def _read(self, where: Where, numbers: Numbers, column: Any, kind: str) -> dict[int, Vectors]:
        return {number: _row(text, kind) for number, text in self._columns(where, numbers, column)}

    def _columns(self, where: Where, numbers: Numbers, column: Any) -> list[tuple[int, str]]:
        """Return a column's values, as base64, of those that have one."""
        name = column if isinstance(column, str) else column["field"]
        names = np.unique(numbers)
        pieces = [names[at : at + _AT_A_TIME] for at in range(0, len(names), _AT_A_TIME)]
        found: list[tuple[int, str]] = []
        for piece in pieces:
            filters = [bodies.among("number", piece)]
            if where == "documents":
                filters.insert(0, bodies.DOCUMENTS)
            query = bodies.matching(None, filters)
            body = bodies.listed(query, len(piece), [{"number": "asc"}], columns=[column])
            (answer,) = self.point.ask([Search(where, body)], self.tell)
            found += [
                (hit["sort"][0], hit["fields"][name][0])
                for hit in hits_of(answer)
                if name in hit.get("fields", {})
            ]
        return found

    def _rows(self, found: dict[int, Vectors], numbers: Numbers) -> Vectors:
        result = np.zeros((len(numbers), self.dim), dtype=np.float32)
        for at, number in enumerate(numbers.tolist()):
            row = found.get(number, _NONE)
            if len(row):
                result[at] = row
        return result


_NONE: Vectors = np.zeros(0, dtype=np.float32)


def _row(text: str, kind: str) -> Vectors:
    row: NDArray[np.float32] = np.frombuffer(base64.b64decode(text), dtype=kind).astype(np.float32)
    return row
