"""Metadata filters as Elasticsearch takes them: the same documents match as in the embedded index.

A passage carries its document's metadata, so that one body filters both indexes.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

from indexer.document import Scalar, kind_of
from indexer.elastic.shape.metadata import LETTERS, escaped, form
from indexer.errors import InvalidFilter
from indexer.field_values import Fields, known_kinds, one_kind, read_as
from indexer.filters import And, Eq, Exists, Filter, In, Not, Or, Range
from indexer.protocol import FieldKind

Body: TypeAlias = dict[str, Any]

NOTHING: Body = {"match_none": {}}
MOST_TERMS = 65_536
"""So many values one `terms` query may have."""
_BOUNDS = ("gte", "gt", "lte", "lt")


def filter_body(filters: Filter, fields: Fields) -> Body:
    """Return the query that matches what a filter does.

    Raises:
        InvalidFilter: a field that is not among `fields`, or a value of a kind that the field never holds.
    """
    match filters:
        case And():
            return {"bool": {"filter": [filter_body(part, fields) for part in _flat(filters)]}}
        case Or():
            return any_of([filter_body(part, fields) for part in _flat(filters)])
        case Not(inner):
            return {"bool": {"must_not": [filter_body(inner, fields)]}}
        case Exists(name):
            kinds = sorted(known_kinds(name, fields))
            return any_of([{"exists": {"field": field_path(name, kind)}} for kind in kinds])
        case Eq(name, value):
            return _equal(name, (value,), fields)
        case In(name, values):
            return _equal(name, values, fields)
        case Range():
            return _between(filters, fields)
    raise InvalidFilter(f"{filters!r:.80} is not a filter")


def any_of(parts: list[Body]) -> Body:
    """Return the query that at least one of these matches; of none, nothing."""
    if not parts:
        return NOTHING
    return parts[0] if len(parts) == 1 else {"bool": {"should": parts, "minimum_should_match": 1}}


def field_path(name: str, kind: FieldKind) -> str:
    """Return where Elasticsearch holds the values of a kind of a metadata field."""
    return f"meta.{escaped(name)}.{LETTERS[kind]}"


def _flat(filters: And | Or) -> list[Filter]:
    """Return what is joined by and, or by or, in one list: Elasticsearch takes queries 30 levels deep at most."""
    found: list[Filter] = []
    waiting: list[Filter] = [filters]
    while waiting:
        part = waiting.pop()
        if isinstance(part, And | Or) and type(part) is type(filters):
            waiting += reversed(part.filters)
        else:
            found.append(part)
    return found


def _equal(name: str, values: tuple[Scalar, ...], fields: Fields) -> Body:
    known_kinds(name, fields)
    wanted: dict[FieldKind, list[str | float | bool | int]] = {}
    for value in values:
        known = read_as(name, value, fields)
        if not _is_nan(known):
            wanted.setdefault(kind_of(known), []).append(form(known))
    return any_of(
        [
            {"terms": {field_path(name, kind): found[at : at + MOST_TERMS]}}
            for kind, found in wanted.items()
            for at in range(0, len(found), MOST_TERMS)
        ]
    )


def _between(bounds: Range, fields: Fields) -> Body:
    limits: dict[str, str | float | bool | int] = {}
    kinds: set[FieldKind] = set()
    unequal = False
    for attribute in _BOUNDS:
        bound = getattr(bounds, attribute)
        if bound is not None:
            known = read_as(bounds.field, bound, fields)
            kinds.add(kind_of(known))
            limits[attribute] = form(known)
            unequal |= _is_nan(known)
    one_kind(bounds.field, kinds)
    if unequal:  # nothing is above or below what is no number
        return NOTHING
    return {"range": {field_path(bounds.field, kinds.pop()): limits}}


def _is_nan(value: Scalar) -> bool:
    return isinstance(value, float) and math.isnan(value)
