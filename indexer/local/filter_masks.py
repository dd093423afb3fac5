"""Metadata filters against SQLite: each leaf is a look-up in an index, and/or/not combine masks."""

from __future__ import annotations

import sqlite3

import numpy as np
from numpy.typing import NDArray

from indexer.document import FieldKind, Scalar
from indexer.errors import InvalidFilter
from indexer.field_values import Fields, comparable, known_kinds, one_kind
from indexer.filters import And, Eq, Exists, Filter, In, Not, Or, Range

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
            known_kinds(name, fields)
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
    known_kinds(name, fields)
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
    kinds: set[FieldKind] = set()
    for attribute, operator in _OPERATORS:
        bound = getattr(bounds, attribute)
        if bound is not None:
            kind, text, number = comparable(bounds.field, bound, fields)
            kinds.add(kind)
            conditions.append(f"kind = ? AND {'text' if kind == 'string' else 'number'} {operator} ?")
            values += [kind, text if kind == "string" else number]
    one_kind(bounds.field, kinds)
    return _look_up(connection, documents, " AND ".join(conditions), tuple(values))


def _look_up(connection: sqlite3.Connection, documents: int, where: str, values: tuple[object, ...]) -> Mask:
    result = np.zeros(documents, dtype=np.bool_)
    rows = connection.execute(f"SELECT document FROM fields WHERE {where}", values)
    numbers = np.fromiter((row[0] for row in rows), dtype=np.int64)
    result[numbers[numbers < documents]] = True
    return result
