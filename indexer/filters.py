"""Metadata filters: values that say which documents may answer.

    Eq("lang", "en") & Range("year", gte=2000) & ~Exists("withdrawn")

or the same as plain JSON, for files and services (`filter_from_json`):

    {"lang": "en", "year": {"gte": 2000}, "not": {"withdrawn": {"exists": true}}}

A field with several values matches when one of them does. A document without the field matches nothing
but `Not`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from indexer.document import Scalar
from indexer.errors import InvalidFilter


class _Combinable:
    __slots__ = ()

    def __and__(self: Filter, other: Filter) -> And:  # type: ignore[misc]
        return And((self, other))

    def __or__(self: Filter, other: Filter) -> Or:  # type: ignore[misc]
        return Or((self, other))

    def __invert__(self: Filter) -> Not:  # type: ignore[misc]
        return Not(self)


@dataclass(frozen=True, slots=True)
class Eq(_Combinable):
    """The field has this value."""

    field: str
    value: Scalar


@dataclass(frozen=True, slots=True)
class In(_Combinable):
    """The field has one of these values; none of them matches nothing."""

    field: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Range(_Combinable):
    """The field lies between the bounds given: numbers, dates, or strings by code point."""

    field: str
    gte: Scalar | None = None
    gt: Scalar | None = None
    lte: Scalar | None = None
    lt: Scalar | None = None

    def __post_init__(self) -> None:
        if all(bound is None for bound in (self.gte, self.gt, self.lte, self.lt)):
            raise InvalidFilter(f"the range on {self.field!r} has no bound; give one of gte, gt, lte, lt")


@dataclass(frozen=True, slots=True)
class Exists(_Combinable):
    """The field has a value."""

    field: str


@dataclass(frozen=True, slots=True)
class And(_Combinable):
    """Every one matches; of none, everything does."""

    filters: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or(_Combinable):
    """At least one matches; of none, nothing does."""

    filters: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not(_Combinable):
    """It does not match."""

    filter: Filter


Filter: TypeAlias = Eq | In | Range | Exists | And | Or | Not

_BOUNDS = ("gte", "gt", "lte", "lt")


def filter_from_json(spec: object) -> Filter:
    """Return the filter that a JSON object describes.

    Keys are field names, or `and`, `or` (lists of objects) and `not` (an object); several keys mean and.
    A field's value is a scalar (equal), a list (in), or an object of `eq`, `in`, `gte`, `gt`, `lte`, `lt`,
    `exists`. A field that is itself named and, or, not is written `{"field": "not", "eq": ...}`.

    Raises:
        InvalidFilter: naming the part that was not understood.
    """
    if not isinstance(spec, Mapping):
        raise InvalidFilter(f"a filter is a JSON object, found {spec!r:.80}")
    if "field" in spec and isinstance(spec["field"], str) and len(spec) > 1:
        return _field_filter(spec["field"], {key: value for key, value in spec.items() if key != "field"})
    parts = [_part(str(key), value) for key, value in spec.items()]
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _part(key: str, value: object) -> Filter:
    if key in ("and", "or"):
        if not isinstance(value, list):
            raise InvalidFilter(f"{key!r} takes a list of filters, found {value!r:.80}")
        parts = tuple(filter_from_json(item) for item in value)
        return And(parts) if key == "and" else Or(parts)
    if key == "not":
        return Not(filter_from_json(value))
    return _field_filter(key, value)


def _field_filter(field: str, value: object) -> Filter:
    if isinstance(value, Mapping):
        return _operators(field, value)
    if isinstance(value, list | tuple):
        return In(field, tuple(_scalar(field, item) for item in value))
    return Eq(field, _scalar(field, value))


def _operators(field: str, operators: Mapping[object, object]) -> Filter:
    parts: list[Filter] = []
    bounds = {str(key): _scalar(field, value) for key, value in operators.items() if key in _BOUNDS}
    if bounds:
        parts.append(Range(field, **bounds))
    for key, value in operators.items():
        if key == "eq":
            parts.append(Eq(field, _scalar(field, value)))
        elif key == "in" and isinstance(value, list | tuple):
            parts.append(In(field, tuple(_scalar(field, item) for item in value)))
        elif key == "exists" and isinstance(value, bool):
            parts.append(Exists(field) if value else Not(Exists(field)))
        elif key not in _BOUNDS:
            raise InvalidFilter(
                f"{field!r}: {key!r}: {value!r:.60} is not understood; expected eq, in (a list), gte, gt, lte, lt, "
                "exists (true or false)"
            )
    if not parts:
        raise InvalidFilter(
            f"{field!r}: an empty object says nothing; give eq, in, gte, gt, lte, lt or exists"
        )
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _scalar(field: str, value: object) -> Scalar:
    if isinstance(value, str | int | float | bool | date):
        return value
    raise InvalidFilter(
        f"{field!r}: {value!r:.60} cannot be compared; expected a string, number, bool or date"
    )
