"""By what numbers and ids documents and passages are known: the same on every worker, without asking the server.

A document's number is a hash of its id. Its passages are numbered on from there, so that they are consecutive and in
order. Two documents overlap when the number of one falls among the other's passages. Of N documents with P passages
each, N² P / 2⁶² pairs are expected to: 1 in 4,600 for ten million documents of ten passages, 1 in 155 for thirty
million of thirty-three. The writer refuses a document whose number another one has; `verify` finds overlaps.

Everything of a document has the same routing, and so lies on one shard of each index.
"""

from __future__ import annotations

from hashlib import blake2b

CHUNK = 1 << 16
"""Characters of a document's text in one stored chunk."""
_BITS = 62


def document_number(doc_id: str) -> int:
    """Return the number of the document of this id, from 0 to 2**62 - 1."""
    digest = blake2b(doc_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - _BITS)


def passage_number(document: int, ordinal: int) -> int:
    """Return the number of a document's passage, counted from 0."""
    return document + ordinal


def routing(document: int) -> str:
    """Return what everything of a document is routed by."""
    return str(document)


def record_id(document: int) -> str:
    """Return the id of a document's record."""
    return str(document)


def passage_id(document: int, ordinal: int) -> str:
    """Return the id of a passage."""
    return f"{document}-{ordinal}"


def chunk_id(document: int, start: int) -> str:
    """Return the id of the piece of a document's text that begins at `start`."""
    return f"{document}@{start}"


def chunk_starts(length: int) -> range:
    """Return where the pieces of a text of so many characters begin."""
    return range(0, length, CHUNK)
