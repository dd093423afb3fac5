"""Metadata as Elasticsearch holds it: one object per field, with a typed value for each kind that the field has.

    {"year": 2001, "tags": ("a", "b")}  ->  {"year": {"n": [2001.0]}, "tags": {"s": ["a", "b"]}}

What goes in and what a filter asks for pass through the same functions, so that equal values stay equal: strings
longer than a term may be keep their beginning and get a hash; numbers beyond the largest double become it; dates are
whole milliseconds since 1970, rounded down.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import Any
from urllib.parse import quote, unquote

from indexer.document import FieldKind, MetadataValue, Scalar, kind_of
from indexer.errors import InvalidDocument
from indexer.field_values import number_form

LETTERS: Mapping[FieldKind, str] = {"string": "s", "number": "n", "bool": "b", "date": "d"}
"""The name of the sub-field that holds values of a kind."""
JSON = "j"
"""The sub-field of the index of documents that holds each value as JSON, for facets."""
MAX_NAME = 500
"""Characters of an escaped name."""

_KINDS: Mapping[str, FieldKind] = {letter: kind for kind, letter in LETTERS.items()}
_TYPES: Mapping[str, dict[str, object]] = {
    "s": {"type": "keyword"},
    "n": {"type": "double"},
    "b": {"type": "boolean"},
    "d": {"type": "date", "format": "epoch_millis"},
}
_LONGEST = 8191  # characters; four bytes each is as long as a term may be
_KEPT = 8000  # characters of a longer string; NUL and a hash follow, and no stored string has a NUL
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def escaped(name: str) -> str:
    """Return a metadata field's name as Elasticsearch takes it: no dots, no wildcards, ASCII."""
    return quote(name, safe="").replace(".", "%2E").replace("~", "%7E")


def unescaped(name: str) -> str:
    """Return the name that `escaped` made this of."""
    return unquote(name)


def string_form(value: str) -> str:
    """Return a string as it is indexed and asked for: whole, or its beginning and a hash where it is too long."""
    if len(value) <= _LONGEST:
        return value
    return f"{value[:_KEPT]}\0{blake2b(value.encode(), digest_size=16).hexdigest()}"


def is_shortened(form: str) -> bool:
    """Return whether `string_form` has shortened the string that gave this."""
    return "\0" in form


def date_form(value: date) -> int:
    """Return a date as milliseconds since 1970, rounded down.

    A date is its midnight; what has no zone is taken as UTC.
    """
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    elif value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return (value - _EPOCH) // _MILLISECOND


def form(value: Scalar) -> str | float | bool | int:
    """Return a value as the sub-field of its kind holds it."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return number_form(value)
    return date_form(value) if isinstance(value, date) else string_form(value)


def json_form(value: Scalar) -> str:
    """Return a value as JSON, a date as `{"$date": ISO 8601}`, shortened as `string_form` does."""
    plain = {"$date": value.isoformat()} if isinstance(value, date) else value
    return string_form(json.dumps(plain, ensure_ascii=False))


def kinds_of(metadata: Mapping[str, MetadataValue]) -> set[tuple[str, FieldKind]]:
    """Return the names that have values, with their kinds."""
    return {(name, kind_of(item)) for name, value in metadata.items() for item in _items(value)}


def stored(metadata: Mapping[str, MetadataValue], *, as_json: bool) -> dict[str, dict[str, list[Any]]]:
    """Return metadata as the `meta` object of a passage or, with `as_json`, of a document's record.

    Raises:
        InvalidDocument: a name is too long.
    """
    result: dict[str, dict[str, list[Any]]] = {}
    for name, value in metadata.items():
        field: dict[str, list[Any]] = {}
        counted: set[tuple[FieldKind, Scalar]] = set()  # 1 and 1.0, and a moment in two zones, are one value
        for item in _items(value):
            kind = kind_of(item)
            field.setdefault(LETTERS[kind], []).append(form(item))
            if as_json and (kind, item) not in counted:
                field.setdefault(JSON, []).append(json_form(item))
            counted.add((kind, item))
        if field:
            result[_checked(name)] = field
    return result


def properties(fields: Iterable[tuple[str, FieldKind]], *, as_json: bool) -> dict[str, Any]:
    """Return the properties of the `meta` object for these names and kinds.

    Raises:
        InvalidDocument: a name is too long.
    """
    result: dict[str, Any] = {}
    for name, kind in sorted(fields):
        field = result.setdefault(_checked(name), {"type": "object", "dynamic": "strict", "properties": {}})
        field["properties"][LETTERS[kind]] = dict(_TYPES[LETTERS[kind]])
        if as_json:
            field["properties"][JSON] = {"type": "keyword"}
    return result


def fields_in(mapping: Mapping[str, Any]) -> dict[str, frozenset[FieldKind]]:
    """Return the metadata fields of an index and their kinds, given its mapping (what is under `mappings`)."""
    found = mapping.get("properties", {}).get("meta", {}).get("properties", {})
    return {
        unescaped(name): frozenset(
            _KINDS[letter] for letter in field.get("properties", {}) if letter in _KINDS
        )
        for name, field in found.items()
    }


def _items(value: MetadataValue) -> Sequence[Scalar]:
    return value if isinstance(value, tuple) else (value,)


def _checked(name: str) -> str:
    short = escaped(name)
    if len(short) > MAX_NAME:
        raise InvalidDocument(
            f"the metadata field {name!r:.60} has a name of {len(short)} characters with escapes, more than the "
            f"{MAX_NAME} that Elasticsearch is given: shorten it"
        )
    return short
