"""The value of `field:value` as a metadata filter, by the kinds of value that the field holds."""

from __future__ import annotations

import math
import re
from calendar import monthrange
from collections.abc import Collection
from datetime import date, timedelta

from indexer.document import Scalar
from indexer.filters import Eq, Filter, Or, Range
from indexer.protocol import FieldKind

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?")
_COMPARISON = re.compile(r"(>=|<=|>|<)(.+)", re.DOTALL)
_BOUND = {">=": "gte", ">": "gt", "<=": "lte", "<": "lt"}
_EXAMPLE = {
    "string": "text",
    "number": "numbers",
    "bool": "true or false",
    "date": "dates such as 2024-06-30, 2024-06 or 2024",
}


def condition(name: str, kinds: Collection[FieldKind], value: str, *, exact: bool = False) -> Filter:
    """Return the filter that `name:value` asks for.

    Args:
        name: A metadata field.
        kinds: The kinds of value that it holds.
        value: A value, `a,b`, `a..b`, `a..`, `..b`, or a value after `>=`, `>`, `<=`, `<`.
        exact: The value was quoted: take it as it stands.

    Raises:
        ValueError: the value is of none of the kinds; the message is a clause without a full stop.
    """
    if exact:
        return _equal(name, kinds, value)
    compared = _COMPARISON.fullmatch(value)
    if compared:
        return _range(name, kinds, **{_BOUND[compared[1]]: compared[2]})
    low, dots, high = value.partition("..")
    if dots and (low or high):
        return _range(name, kinds, **({"gte": low} if low else {}), **({"lte": high} if high else {}))
    choices = [item for item in value.split(",") if item]
    if len(choices) > 1:
        return Or(tuple(_equal(name, kinds, item) for item in choices))
    return _equal(name, kinds, choices[0] if choices else value)


def _equal(name: str, kinds: Collection[FieldKind], value: str) -> Filter:
    found: list[Filter] = []
    number = _number(value)
    if "string" in kinds:
        found.append(Eq(name, value))
    if "number" in kinds and number is not None:
        found.append(Eq(name, number))
    if "bool" in kinds and value.casefold() in ("true", "false"):
        found.append(Eq(name, value.casefold() == "true"))
    days = _days(value) if "date" in kinds else None
    if days is not None:
        found.append(Range(name, gte=days[0], lt=days[1]))
    if not found:
        raise ValueError(_wrong(name, kinds, value))
    return found[0] if len(found) == 1 else Or(tuple(found))


def _range(name: str, kinds: Collection[FieldKind], **bounds: str) -> Filter:
    for kind in ("number", "date", "string"):
        if kind not in kinds:
            continue
        converted: dict[str, Scalar] = {}
        for key, text in bounds.items():
            bound = _bound(kind, key, text)
            if bound is None:
                break
            converted[bound[0]] = bound[1]
        else:
            return Range(name, **converted)
    raise ValueError(_wrong(name, kinds, next(iter(bounds.values()))))


def _bound(kind: str, key: str, text: str) -> tuple[str, Scalar] | None:
    if kind == "string":
        return key, text
    if kind == "number":
        number = _number(text)
        return None if number is None else (key, number)
    days = _days(text)
    if days is None:
        return None
    # `>2024` is after the year's last day and `<=2024` up to it: both compare with the day that follows.
    return {"gte": ("gte", days[0]), "gt": ("gte", days[1]), "lte": ("lt", days[1]), "lt": ("lt", days[0])}[
        key
    ]


def _number(text: str) -> int | float | None:
    if not _NUMBER.fullmatch(text) or len(text) > 300:
        return None
    try:
        return int(text)
    except ValueError:
        number = float(text)
        return number if math.isfinite(number) else None


def _days(text: str) -> tuple[date, date] | None:
    """Return the first day of a date, month or year, and the day after its last; None if it is no date."""
    match = _DATE.fullmatch(text)
    if not match:
        return None
    year, month, day = (int(group) if group else None for group in match.groups())
    try:
        first = date(year or 0, month or 1, day or 1)
        if day:
            last = first
        elif month:
            last = date(first.year, month, monthrange(first.year, month)[1])
        else:
            last = date(first.year, 12, 31)
        return first, last + timedelta(days=1)
    except (ValueError, OverflowError):
        return None


def _wrong(name: str, kinds: Collection[FieldKind], value: str) -> str:
    expected = " or ".join(_EXAMPLE[kind] for kind in sorted(kinds)) or "nothing that can be compared"
    return f"The field {name!r:.40} holds {expected}, not {value!r:.40}"
