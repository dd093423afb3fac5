"""Checks every invariant within SQLite: what was written is what is there."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator

import numpy as np

from indexer.document import Block, Document, metadata_from_json
from indexer.errors import InvalidDocument
from indexer.field_values import field_rows
from indexer.local import token_vectors, truth
from indexer.passage_encoding import passage_hash
from indexer.splitter import contextual_text

_UNIT = 1e-3  # how far from 1 a vector's length may be


def truth_problems(connection: sqlite3.Connection, dim: int) -> Iterator[str]:
    """Yield a sentence for each broken invariant of the SQLite file."""
    for (message,) in connection.execute("PRAGMA integrity_check"):
        if message != "ok":
            yield f"integrity check: {message}"
            return
    for what, query in (
        (
            "passages of no document",
            "SELECT count(*) FROM passages WHERE document NOT IN (SELECT number FROM documents)",
        ),
        (
            "vectors of no passage",
            "SELECT count(*) FROM vectors WHERE passage NOT IN (SELECT number FROM passages)",
        ),
        (
            "passages that should have a vector and have none",
            "SELECT count(*) FROM passages WHERE encoded AND number NOT IN (SELECT passage FROM vectors)",
        ),
    ):
        (count,) = connection.execute(query).fetchone()
        if count:
            yield f"{count} {what}"
    for row in connection.execute("SELECT passage, crc, vector FROM vectors"):
        if zlib.crc32(row[2]) != row[1]:
            yield f"the vector of passage {row[0]} is not what was written"
        elif (
            len(row[2]) != dim * 4
            or abs(float(np.linalg.norm(np.frombuffer(row[2], dtype="<f4"))) - 1) > _UNIT
        ):
            yield f"the vector of passage {row[0]} is not a unit vector of {dim} numbers"
    coding = token_vectors.coding_of(truth.read_meta(connection))
    if coding is not None:
        yield from token_vectors.problems(connection, coding)
    numbers = connection.execute(
        "SELECT number FROM documents WHERE removed IS NULL ORDER BY number"
    ).fetchall()
    for (number,) in numbers:
        yield from _document(connection, number)


def _document(connection: sqlite3.Connection, number: int) -> Iterator[str]:
    doc_id, expected, count = connection.execute(
        "SELECT doc_id, hash, passages FROM documents WHERE number = ?", (number,)
    ).fetchone()
    try:
        document = stored_document(connection, number)
    except (InvalidDocument, ValueError, KeyError) as error:
        yield f"document {doc_id!r} cannot be read back: {error}"
        return
    if document.content_hash() != expected:
        yield f"document {doc_id!r} is not what was written: its content hash differs"
    rows = connection.execute(
        "SELECT ordinal, start, end, headings, hash FROM passages WHERE document = ? ORDER BY ordinal",
        (number,),
    ).fetchall()
    if [row[0] for row in rows] != list(range(count)):
        yield f"document {doc_id!r} should have {count} passages, found {len(rows)}"
    for ordinal, start, end, headings, digest in rows:
        if not 0 <= start <= end <= len(document.text):
            yield f"document {doc_id!r}: passage {ordinal} lies outside its text"
        elif (
            passage_hash(contextual_text(document.title, json.loads(headings), document.text[start:end]))
            != digest
        ):
            yield f"document {doc_id!r}: passage {ordinal} is not what was written"
    fields = connection.execute(
        "SELECT name, kind, text, number FROM fields WHERE document = ?", (number,)
    ).fetchall()
    if sorted(map(repr, fields)) != sorted(map(repr, field_rows(document.metadata))):
        yield f"document {doc_id!r}: its metadata differs from what filters look at"


def stored_document(connection: sqlite3.Connection, number: int) -> Document:
    """Return a document as it was added."""
    row = connection.execute(
        "SELECT doc_id, title, source, metadata, blocks, pages, length FROM documents WHERE number = ?",
        (number,),
    ).fetchone()
    return Document(
        doc_id=row[0],
        text=truth.read_text(connection, number, 0, row[6]),
        title=row[1],
        metadata=metadata_from_json(row[3]),
        source=row[2],
        blocks=tuple(Block(*block) for block in json.loads(row[4])),
        pages=tuple(json.loads(row[5])),
    )
