"""Metadata filters against SQLite: each leaf is a look-up in an index, and/or/not combine masks."""

from __future__ import annotations

import difflib
import sqlite3
from collections.abc import Mapping
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from indexer.document import Scalar
from indexer.errors import InvalidFilter
from indexer.filters import And, Eq, Exists, Filter, In, Not, Or, Range
from indexer.local.truth import field_row
from indexer.protocol import FieldKind

Fields = Mapping[str, frozenset[FieldKind]]
Mask = NDArray[np.bool_]

_OPERATORS = (("gte", ">="), ("gt", ">"), ("lte", "<="), ("lt", "<"))


def mask(connection: sqlite3.Connection, filters: Filter, documents: int, fields: Fields) -> Mask:
    """Return which of the documents numbered below `documents` match.

    Raises:
        InvalidFilter: a field that is not among `fields`, or a value of a kind that the field never holds.
    """
    match filters:
        case And(parts):
            result = np.ones(documents, dtype=np.bool_)
            for part in parts:
                result &= mask(connection, part, documents, fields)
            return result
        case Or(parts):
            result = np.zeros(documents, dtype=np.bool_)
            for part in parts:
                result |= mask(connection, part, documents, fields)
            return result
        case Not(inner):
            return ~mask(connection, inner, documents, fields)
        case Exists(name):
            _known(name, fields)
            return _look_up(connection, documents, "name = ?", (name,))
        case Eq(name, value):
            return _equal(connection, documents, name, (value,), fields)
        case In(name, values):
            return _equal(connection, documents, name, values, fields)
        case Range():
            return _between(connection, documents, filters, fields)
    raise InvalidFilter(f"{filters!r:.80} is not a filter")


def _equal(
    connection: sqlite3.Connection, documents: int, name: str, values: tuple[Scalar, ...], fields: Fields
) -> Mask:
    result = np.zeros(documents, dtype=np.bool_)
    _known(name, fields)
    for value in values:
        kind, text, number = comparable(name, value, fields)
        column, wanted = ("text", text) if kind == "string" else ("number", number)
        result |= _look_up(
            connection, documents, f"name = ? AND kind = ? AND {column} = ?", (name, kind, wanted)
        )
    return result


def _between(connection: sqlite3.Connection, documents: int, bounds: Range, fields: Fields) -> Mask:
    conditions = ["name = ?"]
    values: list[object] = [bounds.field]
    kinds = set()
    for attribute, operator in _OPERATORS:
        bound = getattr(bounds, attribute)
        if bound is not None:
            kind, text, number = comparable(bounds.field, bound, fields)
            kinds.add(kind)
            conditions.append(f"kind = ? AND {'text' if kind == 'string' else 'number'} {operator} ?")
            values += [kind, text if kind == "string" else number]
    if len(kinds) > 1:
        raise InvalidFilter(
            f"the bounds of the range on {bounds.field!r} are of different kinds: {sorted(kinds)}"
        )
    return _look_up(connection, documents, " AND ".join(conditions), tuple(values))


def _look_up(connection: sqlite3.Connection, documents: int, where: str, values: tuple[object, ...]) -> Mask:
    result = np.zeros(documents, dtype=np.bool_)
    rows = connection.execute(f"SELECT document FROM fields WHERE {where}", values)
    numbers = np.fromiter((row[0] for row in rows), dtype=np.int64)
    result[numbers[numbers < documents]] = True
    return result


def comparable(name: str, value: Scalar, fields: Fields) -> tuple[FieldKind, str | None, float | None]:
    """Return kind, text and number of a value, read as a kind that the field holds.

    A string is read as a date, number or bool where the field holds no strings: "2020-01-31", "3.5", "true".

    Raises:
        InvalidFilter: the field never holds such a value.
    """
    kinds = _known(name, fields)
    kind, text, number = field_row(value)
    if kind in kinds:
        return kind, text, number
    if isinstance(value, str):
        for read in (_read_date, _read_number, _read_bool):
            other = read(value)
            if other is not None:
                kind, text, number = field_row(other)
                if kind in kinds:
                    return kind, text, number
    raise InvalidFilter(
        f"the field {name!r} holds values of kind {' and '.join(sorted(kinds))}; {value!r} is none"
    )


def _read_date(value: str) -> date | None:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _read_number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _read_bool(value: str) -> bool | None:
    return {"true": True, "false": False}.get(value.lower())


def _known(name: str, fields: Fields) -> frozenset[FieldKind]:
    if name in fields:
        return fields[name]
    near = difflib.get_close_matches(name, fields, n=1)
    known = ", ".join(sorted(fields)[:20]) or "none: no document has metadata"
    hint = f"; did you mean {near[0]!r}?" if near else "."
    raise InvalidFilter(f"no document has a field {name!r}{hint} The fields are: {known}")
