"""The rows of a page token, column by column: how each value is written, and how it is read again.

Nothing that is read is trusted: a reader raises TypeError or ValueError for what is not as it was written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from engine.ledger import DECIMALS, Because
from engine.row import Addend, Row

_SCALE: int = 10**DECIMALS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Column(NamedTuple):
    """One field of a row: its key in the token, what is written of a value, and the value that is read of that."""

    key: str
    write: Callable[[Any], object]
    read: Callable[[object], Any]


def whole(value: object) -> int:
    """Return a whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is not a whole number")
    return value


def number(value: object) -> float:
    """Return a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def items(value: object) -> list[object]:
    """Return a list."""
    if not isinstance(value, list):
        raise TypeError(f"{value!r:.80} is not a list")
    return value


def text(value: object) -> str:
    """Return a string."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a string")
    return value


def columns_of(rows: Sequence[Row]) -> dict[str, object]:
    """Return rows as columns of plain values; scores are written as whole numbers of their last decimal."""
    return {
        column.key: [column.write(getattr(row, name)) for row in rows] for name, column in _COLUMNS.items()
    }


def rows_of(content: Mapping[str, object]) -> tuple[Row, ...]:
    """Return the rows that columns hold; their documents' numbers are none.

    Raises:
        KeyError, TypeError, ValueError: a column is missing, shorter than another, or holds something else.
    """
    columns = [items(content[column.key]) for column in _COLUMNS.values()]
    return tuple(
        Row(
            document=-1,
            **{
                name: column.read(value)
                for (name, column), value in zip(_COLUMNS.items(), values, strict=True)
            },
        )
        for values in zip(*columns, strict=True)
    )


def _points(value: float) -> int:
    return round(value * _SCALE)


def _score(value: object) -> float:
    return whole(value) / _SCALE


def _as_it_is(value: object) -> object:
    return value


def _optional(read: Callable[[object], Any]) -> Callable[[object], Any]:
    return lambda value: None if value is None else read(value)


def _addend_out(addend: Addend | None) -> object:
    return None if addend is None else [_points(addend.value), addend.raw]


def _addend(value: object) -> Addend:
    points, raw = items(value)
    return Addend(_score(points), _optional(number)(raw))


def _passages_out(passages: Sequence[tuple[int, float]]) -> object:
    return [[place, _points(score)] for place, score in passages]


def _passages(value: object) -> tuple[tuple[int, float], ...]:
    pairs = (items(pair) for pair in items(value))
    return tuple((whole(place), _score(points)) for place, points in pairs)


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else (at - _EPOCH).total_seconds()


def _reasons_out(reasons: Sequence[Because]) -> object:
    return [
        [one.doc_id, one.title, one.source, one.value, one.weight, one.kind, _seconds(one.at)]
        for one in reasons
    ]


def _reasons(value: object) -> tuple[Because, ...]:
    return tuple(_reason(items(reason)) for reason in items(value))


def _reason(values: Sequence[object]) -> Because:
    doc_id, title, source, found, weight, kind, at = values
    if source not in ("near", "together", "declared", "own"):
        raise ValueError(f"{source!r} is no source of an interest")
    when = None if at is None else _EPOCH + timedelta(seconds=number(at))
    return Because(text(doc_id), text(title), source, number(found), number(weight), text(kind), when)


_COLUMNS = {
    "doc_id": _Column("id", _as_it_is, text),
    "score": _Column("s", _points, _score),
    "words": _Column("w", _points, _score),
    "whole": _Column("h", _points, _score),
    "diversity": _Column("d", _points, _score),
    "bm25": _Column("l", _as_it_is, _optional(number)),
    "cosine": _Column("c", _as_it_is, _optional(number)),
    "whole_bm25": _Column("hb", _as_it_is, _optional(number)),
    "lexical_rank": _Column("lr", _as_it_is, _optional(whole)),
    "dense_rank": _Column("dr", _as_it_is, _optional(whole)),
    "fused_rank": _Column("fr", _as_it_is, _optional(whole)),
    "lead": _Column("pl", _as_it_is, _optional(whole)),
    "passages": _Column("p", _passages_out, _passages),
    "late": _Column("xl", _addend_out, _optional(_addend)),
    "gist": _Column("xg", _addend_out, _optional(_addend)),
    "neighbours": _Column("xn", _addend_out, _optional(_addend)),
    "rerank": _Column("xr", _addend_out, _optional(_addend)),
    "reranked_rank": _Column("rr", _as_it_is, _optional(whole)),
    "read": _Column("xp", _as_it_is, whole),
    "tokens_cut": _Column("xc", _as_it_is, whole),
    "interest": _Column("xi", _addend_out, _optional(_addend)),
    "because": _Column("xb", _reasons_out, _reasons),
    "anonymous_rank": _Column("ar", _as_it_is, _optional(whole)),
}
