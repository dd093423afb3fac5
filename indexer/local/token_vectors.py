"""The tokens of passages, coded: written beside the vectors in SQLite, read by number when a query compares them.

They are the truth's alone: no file is derived from them. A few hundred rows by key take a millisecond or two, and so
few are ever wanted: those of the passages that other means have found already.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from indexer.encoding import Vectors
from indexer.errors import IndexCorrupt
from indexer.local.truth import Connections
from indexer.protocol import Numbers, Scores
from indexer.token_coding import Codes, TokenCoding
from indexer.token_scores import token_scores

KEY = "token_coding"  # in the truth's settings; without it the index keeps no tokens
_ROWS = 500


def coding_of(meta: Mapping[str, str]) -> TokenCoding | None:
    """Return how the index of these settings codes tokens, or None when it keeps none."""
    return TokenCoding.from_text(meta[KEY]) if KEY in meta else None


def insert(connection: sqlite3.Connection, rows: Iterable[tuple[int, bytes]]) -> None:
    """Insert the codes of passages' tokens by the passages' numbers."""
    connection.executemany(
        "INSERT INTO token_vectors VALUES (?, ?, ?)",
        ((number, zlib.crc32(codes), codes) for number, codes in rows),
    )


def problems(connection: sqlite3.Connection, coding: TokenCoding) -> Iterator[str]:
    """Yield a sentence for each broken invariant of the stored tokens."""
    for what, query in (
        (
            "passages have tokens and no vector",
            "SELECT count(*) FROM token_vectors WHERE passage NOT IN (SELECT passage FROM vectors)",
        ),
        (
            "passages have a vector and no tokens",
            "SELECT count(*) FROM vectors WHERE passage NOT IN (SELECT passage FROM token_vectors)",
        ),
    ):
        (count,) = connection.execute(query).fetchone()
        if count:
            yield f"{count} {what}"
    for number, crc, codes in connection.execute("SELECT passage, crc, codes FROM token_vectors"):
        if zlib.crc32(codes) != crc:
            yield f"the tokens of passage {number} are not what was written"
        elif len(codes) % coding.token_bytes:
            yield f"the tokens of passage {number} are not of {coding.token_bytes} bytes each"


def stored(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return of how many passages there are tokens, and the bytes of these."""
    count, size = connection.execute("SELECT count(*), sum(length(codes)) FROM token_vectors").fetchone()
    return int(count), int(size or 0)


class TokenReader:
    """Compares a query's tokens with those of passages. Safe to share between threads.

    Args:
        connections: To the truth.
        coding: How the tokens were written down.
    """

    def __init__(self, connections: Connections, coding: TokenCoding) -> None:
        self._connections = connections
        self._coding = coding

    def scores(self, tokens: Vectors, weights: Scores, passages: Numbers) -> Scores:
        """Return the weighted mean of the tokens' best cosines in each passage; NaN where it has no tokens.

        Raises:
            InvalidSettings: the shapes do not fit each other or the index.
        """
        return token_scores(self._coding, tokens, weights, passages, self._codes)

    def _codes(self, passages: Numbers) -> dict[int, Codes]:
        wanted = passages.tolist()
        found: dict[int, Codes] = {}
        with self._connections.borrow() as connection:
            for at in range(0, len(wanted), _ROWS):
                piece = wanted[at : at + _ROWS]
                marks = ",".join("?" * len(piece))
                for number, codes in connection.execute(
                    f"SELECT passage, codes FROM token_vectors WHERE passage IN ({marks})", piece
                ):
                    if len(codes) % self._coding.token_bytes:
                        raise IndexCorrupt(
                            f"the tokens of passage {number} have {len(codes)} bytes, expected a multiple of "
                            f"{self._coding.token_bytes}; run `quire verify`"
                        )
                    found[number] = np.frombuffer(codes, np.uint8).reshape(-1, self._coding.token_bytes)
        return found
