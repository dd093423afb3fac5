"""Metadata values as filters compare them: a kind, and beside it a text or a number. The same on every backend."""

from __future__ import annotations

import difflib
import math
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from indexer.document import FieldKind, MetadataValue, Scalar, kind_of
from indexer.errors import InvalidFilter

Fields = Mapping[str, frozenset[FieldKind]]


def field_row(value: Scalar) -> tuple[FieldKind, str | None, float | None]:
    """Return kind, text and number of a metadata value.

    A date is its midnight, a datetime without zone is taken as UTC; both as seconds since 1970.
    """
    if isinstance(value, bool):
        return "bool", None, float(value)
    if isinstance(value, int | float):
        return "number", None, number_form(value)
    if isinstance(value, datetime):
        return "date", None, (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, date):
        return "date", None, datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    return "string", value, None


def number_form(value: float) -> float:
    """Return a number as a finite double, as it is compared; what is beyond the largest becomes the largest."""
    try:
        number = float(value)
    except OverflowError:
        number = math.inf if value > 0 else -math.inf
    return max(-sys.float_info.max, min(number, sys.float_info.max)) + 0.0  # -0.0 is 0.0


def field_rows(
    metadata: Mapping[str, MetadataValue],
) -> list[tuple[str, FieldKind, str | None, float | None]]:
    """Return one row for each value of a document's metadata: name, kind, text, number."""
    rows = []
    for name, value in metadata.items():
        values: Sequence[Scalar] = value if isinstance(value, tuple) else (value,)
        rows += [(name, *field_row(item)) for item in values]
    return rows


def comparable(name: str, value: Scalar, fields: Fields) -> tuple[FieldKind, str | None, float | None]:
    """Return kind, text and number of a value, read as `read_as` does.

    Raises:
        InvalidFilter: the field never holds such a value.
    """
    return field_row(read_as(name, value, fields))


def read_as(name: str, value: Scalar, fields: Fields) -> Scalar:
    """Return a value as one of a kind that the field holds.

    A string is read as a date, number or bool where the field holds no strings: "2020-01-31", "3.5", "true".

    Raises:
        InvalidFilter: the field never holds such a value.
    """
    kinds = known_kinds(name, fields)
    if kind_of(value) in kinds:
        return value
    if isinstance(value, str):
        for read in (_read_date, _read_number, _read_bool):
            other = read(value)
            if other is not None and kind_of(other) in kinds:
                return other
    raise InvalidFilter(
        f"the field {name!r} holds values of kind {' and '.join(sorted(kinds))}; {value!r} is none"
    )


def known_kinds(name: str, fields: Fields) -> frozenset[FieldKind]:
    """Return the kinds of value that a field holds.

    Raises:
        InvalidFilter: no document has such a field; with the nearest name that is known.
    """
    if name in fields:
        return fields[name]
    near = difflib.get_close_matches(name, fields, n=1)
    known = ", ".join(sorted(fields)[:20]) or "none: no document has metadata"
    hint = f"; did you mean {near[0]!r}?" if near else "."
    raise InvalidFilter(f"no document has a field {name!r}{hint} The fields are: {known}")


def one_kind(name: str, kinds: set[FieldKind]) -> None:
    """Check that the bounds of a range are of one kind.

    Raises:
        InvalidFilter: they are not.
    """
    if len(kinds) > 1:
        raise InvalidFilter(f"the bounds of the range on {name!r} are of different kinds: {sorted(kinds)}")


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
