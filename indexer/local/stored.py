"""What is stored of documents and passages: rows of the truth by their numbers, in the order asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from indexer.document import metadata_from_json
from indexer.errors import IndexCorrupt
from indexer.local import truth
from indexer.protocol import Numbers, StoredDocument, StoredPassage

_AT_A_TIME = 500  # numbers in one statement


class Stored:
    """Looks numbers up.

    Args:
        connections: To the truth.
    """

    def __init__(self, connections: truth.Connections) -> None:
        self._connections = connections

    def passages(self, numbers: Sequence[int] | Numbers) -> list[StoredPassage]:
        """Return these passages. Raises IndexCorrupt when one is missing."""
        found = self._rows(
            "SELECT p.number, p.document, doc_id, ordinal, start, end, headings, page, tokens FROM passages p "
            "JOIN documents d ON d.number = p.document WHERE p.number",
            numbers,
        )
        return [StoredPassage(row[0], row[1], truth.passage(*row[2:])) for row in found]

    def documents(self, numbers: Sequence[int] | Numbers) -> list[StoredDocument]:
        """Return these documents. Raises IndexCorrupt when one is missing."""
        found = self._rows(
            "SELECT number, doc_id, title, source, metadata, length, passages, pages FROM documents WHERE number",
            numbers,
        )
        return [
            StoredDocument(
                row[0],
                row[1],
                row[2],
                row[3],
                metadata_from_json(row[4]),
                row[5],
                row[6],
                tuple(json.loads(row[7])),
            )
            for row in found
        ]

    def doc_ids(self, documents: Numbers) -> list[str]:
        """Return the ids of these documents. Raises IndexCorrupt when one is missing."""
        return [row[1] for row in self._rows("SELECT number, doc_id FROM documents WHERE number", documents)]

    def numbers(self, doc_id: str) -> list[int]:
        """Return the numbers of the documents of this id, of whatever generation."""
        with self._connections.borrow() as connection:
            found = connection.execute("SELECT number FROM documents WHERE doc_id = ?", (doc_id,)).fetchall()
        return [number for (number,) in found]

    def text(self, document: int, start: int, end: int) -> str:
        """Return the characters from `start` to `end` of the document's text."""
        with self._connections.borrow() as connection:
            return truth.read_text(connection, document, start, end)

    def _rows(self, select: str, numbers: Sequence[int] | Numbers) -> list[tuple[Any, ...]]:
        """Return the rows of these numbers, in their order; the number is the first column."""
        wanted = [int(number) for number in numbers]
        found: dict[int, tuple[Any, ...]] = {}
        with self._connections.borrow() as connection:
            for at in range(0, len(wanted), _AT_A_TIME):
                piece = wanted[at : at + _AT_A_TIME]
                for row in connection.execute(f"{select} IN ({','.join('?' * len(piece))})", piece):
                    found[row[0]] = row
        missing = [number for number in wanted if number not in found]
        if missing:
            raise IndexCorrupt(
                f"SQLite lacks rows {missing[:5]} that the index refers to; run `quire verify`"
            )
        return [found[number] for number in wanted]
