"""A page token: the rest of a candidate list, self-contained, in characters that any URL may hold.

The token is JSON, compressed, in URL-safe base64. It names documents by id and passages by their place in the
document, so any process with the index can go on from it. It says which query it belongs to (a hash of text,
user, filters and settings) and which generation the list was made from. Nothing in it is trusted: what does not
decode to what was expected is an `InvalidCursor`.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import blake2b

import numpy as np

from engine.cursor_rows import columns_of, items, number, rows_of, text, whole
from engine.errors import InvalidCursor
from engine.fusion import Bounds
from engine.query import Query
from engine.row import Context, Row
from engine.settings import SearchSettings
from indexer.document import Scalar
from indexer.protocol import IndexReader, Numbers

VERSION = 5
_MAX_BYTES = 16 << 20
_DAMAGED = "the cursor is damaged or none of ours; ask for the first page again"


@dataclass(frozen=True, slots=True)
class Page:
    """A decoded token: where the list goes on.

    Args:
        context: What holds for all of the list.
        shown: How many documents the pages before held, skipped ones included.
        rows: The documents still to come; their passages by place in the document, not by number.
    """

    context: Context
    shown: int
    rows: tuple[Row, ...]


def question_hash(query: Query, settings: SearchSettings, personal: str = "") -> str:
    """Return what ties a token to its query: a hash of text, user, filters, sort and settings.

    Args:
        query: What was asked.
        settings: How it is searched.
        personal: The fingerprint of the settings of personal results; empty where nobody's interests count.
    """
    asked = (query.text, query.user_id, query.strength, query.at, query.filters, query.operators)
    question = repr((*asked, settings.fingerprint, personal, *([query.sort] if query.sort else [])))
    return blake2b(question.encode(), digest_size=9).hexdigest()


def encode(question: str, context: Context, shown: int, rest: Sequence[Row]) -> str:
    """Return the token for the rows still to come.

    Args:
        question: Of `question_hash`.
        context: What holds for all of the list.
        shown: How many documents the pages up to here held.
        rest: The rows to come, passages by place in the document: see `frozen`.
    """
    content = {
        "v": VERSION,
        "q": question,
        "g": context.generation,
        "b": [
            context.bounds.lexical,
            context.bounds.dense,
            context.bounds.unrelated,
            context.bounds.document,
        ],
        "a": context.alpha,
        "t": context.corrected,
        "n": context.found,
        "e": context.complete,
        "r": context.reranked_depth,
        "at": shown,
        "m": context.notices,
        "y": context.suggestions,
        "f": {
            name: [[_scalar_out(value), count] for value, count in counts]
            for name, counts in context.facets.items()
        },
        **columns_of(rest),
    }
    raw = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(zlib.compress(raw, 6)).rstrip(b"=").decode()


def decode(token: str, question: str) -> Page:
    """Return what a token holds.

    Raises:
        InvalidCursor: it is damaged, or belongs to another query, filter or settings.
    """
    content = _content(token)
    if content.get("q") != question:
        raise InvalidCursor(
            "the cursor belongs to another query, or to other filters or settings; give the same ones as on "
            "the page before, or ask for the first page"
        )
    try:
        return Page(_context(content), whole(content["at"]), rows_of(content))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InvalidCursor(_DAMAGED) from error


def frozen(rows: Sequence[Row], reader: IndexReader) -> list[Row]:
    """Return rows with their passages by place in the document in place of the reader's numbers."""
    numbers = sorted(
        {number for row in rows for number, _ in row.passages}
        | {row.lead for row in rows if row.lead is not None}
    )
    places = {stored.number: stored.passage.ordinal for stored in reader.passages(numbers)}
    return [
        replace(
            row,
            document=-1,
            lead=None if row.lead is None else places[row.lead],
            passages=tuple((places[number], score) for number, score in row.passages),
        )
        for row in rows
    ]


def thawed(rows: Sequence[Row], reader: IndexReader) -> list[Row | None]:
    """Return frozen rows with this reader's numbers; None in the place of one whose document is gone."""
    documents = reader.find_all([row.doc_id for row in rows])
    there = np.unique(documents[documents >= 0])
    passages, owners = reader.passages_of_all(there)
    return [
        None if document < 0 else _thawed(row, document, passages[owners == document])
        for row, document in zip(rows, documents.tolist(), strict=True)
    ]


def _thawed(row: Row, document: int, numbers: Numbers) -> Row:
    # A document changed since may have fewer passages: those that are gone are not shown.
    passages = tuple((int(numbers[at]), score) for at, score in row.passages if 0 <= at < len(numbers))
    lead = int(numbers[row.lead]) if row.lead is not None and 0 <= row.lead < len(numbers) else None
    return replace(row, document=document, lead=lead, passages=passages)


def _content(token: str) -> dict[str, object]:
    if not isinstance(token, str):
        raise InvalidCursor(f"a cursor is a string, found {type(token).__name__}")
    try:
        packed = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), b"-_", validate=True)
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(packed, _MAX_BYTES)
        if not unpacker.eof or unpacker.unused_data:
            raise InvalidCursor(_DAMAGED)
        content = json.loads(raw)
    except (UnicodeError, binascii.Error, zlib.error, ValueError, RecursionError) as error:
        raise InvalidCursor(_DAMAGED) from error
    if not isinstance(content, dict):
        raise InvalidCursor(_DAMAGED)
    if content.get("v") != VERSION:
        raise InvalidCursor("the cursor was made by another release; ask for the first page again")
    return content


def _context(content: dict[str, object]) -> Context:
    lexical, dense, unrelated, document = items(content["b"])
    facets = content["f"]
    if not isinstance(facets, dict):
        raise TypeError("facets are not an object")
    return Context(
        bounds=Bounds(number(lexical), number(dense), number(unrelated), number(document)),
        alpha=number(content["a"]),
        corrected=text(content["t"]),
        found=whole(content["n"]),
        complete=content["e"] is True,
        generation=whole(content["g"]),
        reranked_depth=whole(content["r"]),
        notices=tuple(text(item) for item in items(content["m"])),
        suggestions=tuple(text(item) for item in items(content["y"])),
        facets={
            text(name): tuple((_scalar_in(value), whole(count)) for value, count in map(items, items(counts)))
            for name, counts in facets.items()
        },
    )


def _scalar_out(value: Scalar) -> object:
    return {"date": value.isoformat()} if isinstance(value, date) else value


def _scalar_in(value: object) -> Scalar:
    if isinstance(value, dict):
        iso = text(value["date"])
        return datetime.fromisoformat(iso) if "T" in iso else date.fromisoformat(iso)
    if isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"{value!r} is not a value")
