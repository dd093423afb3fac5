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
import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import blake2b

from engine.errors import InvalidCursor
from engine.frozen import Context, Row
from engine.fusion import Bounds
from engine.ledger import DECIMALS
from engine.query import Query
from engine.settings import SearchSettings
from indexer.document import Scalar
from indexer.protocol import IndexReader

VERSION = 2
_MAX_BYTES = 16 << 20
_SCALE = 10**DECIMALS
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


def question_hash(query: Query, settings: SearchSettings) -> str:
    """Return what ties a token to its query: a hash of text, user, filters and settings."""
    question = repr((query.text, query.user_id, query.filters, query.operators, settings.fingerprint))
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
        "at": shown,
        "m": context.notices,
        "y": context.suggestions,
        "f": {
            name: [[_scalar_out(value), count] for value, count in counts]
            for name, counts in context.facets.items()
        },
        "id": [row.doc_id for row in rest],
        "s": [round(row.score * _SCALE) for row in rest],
        "w": [round(row.words * _SCALE) for row in rest],
        "h": [round(row.whole * _SCALE) for row in rest],
        "d": [round(row.diversity * _SCALE) for row in rest],
        "l": [row.bm25 for row in rest],
        "c": [row.cosine for row in rest],
        "hb": [row.whole_bm25 for row in rest],
        "lr": [row.lexical_rank for row in rest],
        "dr": [row.dense_rank for row in rest],
        "fr": [row.fused_rank for row in rest],
        "p": [[place for place, _ in row.passages] for row in rest],
        "ps": [[round(score * _SCALE) for _, score in row.passages] for row in rest],
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
        return Page(_context(content), _whole(content["at"]), tuple(_rows(content)))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InvalidCursor(_DAMAGED) from error


def frozen(rows: Sequence[Row], reader: IndexReader) -> list[Row]:
    """Return rows with their passages by place in the document in place of the reader's numbers."""
    numbers = [number for row in rows for number, _ in row.passages]
    places = {stored.number: stored.passage.ordinal for stored in reader.passages(numbers)}
    return [
        replace(row, document=-1, passages=tuple((places[number], score) for number, score in row.passages))
        for row in rows
    ]


def thawed(row: Row, reader: IndexReader) -> Row | None:
    """Return a frozen row with this reader's numbers; None when the document is gone."""
    stored = reader.find(row.doc_id)
    if stored is None:
        return None
    numbers = reader.passages_of(stored.number)
    # A document changed since may have fewer passages: those that are gone are not shown.
    passages = tuple((int(numbers[at]), score) for at, score in row.passages if 0 <= at < len(numbers))
    return replace(row, document=stored.number, passages=passages)


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


def _rows(content: dict[str, object]) -> Iterable[Row]:
    names = ("id", "s", "w", "h", "d", "l", "c", "hb", "lr", "dr", "fr", "p", "ps")
    columns = [_list(content[key]) for key in names]
    for (
        doc_id,
        score,
        words,
        whole,
        diversity,
        bm25,
        cosine,
        whole_bm25,
        lexical,
        dense,
        fused,
        places,
        scores,
    ) in zip(*columns, strict=True):
        yield Row(
            doc_id=_text(doc_id),
            score=_whole(score) / _SCALE,
            words=_whole(words) / _SCALE,
            whole=_whole(whole) / _SCALE,
            diversity=_whole(diversity) / _SCALE,
            bm25=None if bm25 is None else _number(bm25),
            cosine=None if cosine is None else _number(cosine),
            whole_bm25=None if whole_bm25 is None else _number(whole_bm25),
            lexical_rank=None if lexical is None else _whole(lexical),
            dense_rank=None if dense is None else _whole(dense),
            fused_rank=_whole(fused),
            document=-1,
            passages=tuple(
                (_whole(place), _whole(part) / _SCALE)
                for place, part in zip(_list(places), _list(scores), strict=True)
            ),
        )


def _context(content: dict[str, object]) -> Context:
    lexical, dense, unrelated, document = _list(content["b"])
    facets = content["f"]
    if not isinstance(facets, dict):
        raise TypeError("facets are not an object")
    return Context(
        bounds=Bounds(_number(lexical), _number(dense), _number(unrelated), _number(document)),
        alpha=_number(content["a"]),
        corrected=_text(content["t"]),
        found=_whole(content["n"]),
        complete=content["e"] is True,
        generation=_whole(content["g"]),
        notices=tuple(_text(item) for item in _list(content["m"])),
        suggestions=tuple(_text(item) for item in _list(content["y"])),
        facets={
            _text(name): tuple(
                (_scalar_in(value), _whole(count)) for value, count in map(_list, _list(counts))
            )
            for name, counts in facets.items()
        },
    )


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is not a whole number")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r:.80} is not a list")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a string")
    return value


def _scalar_out(value: Scalar) -> object:
    return {"date": value.isoformat()} if isinstance(value, date) else value


def _scalar_in(value: object) -> Scalar:
    if isinstance(value, dict):
        iso = _text(value["date"])
        return datetime.fromisoformat(iso) if "T" in iso else date.fromisoformat(iso)
    if isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"{value!r} is not a value")
