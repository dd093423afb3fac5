"""The documents of a list by a metadata field in place of their scores: which they are, the scores alone decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import TypeAlias

from engine.errors import InvalidQuery
from indexer.document import MetadataValue, Scalar
from indexer.field_values import field_row
from indexer.folding import fold_case_and_width

_Key: TypeAlias = tuple[int, float, str, str]

_KINDS = ("bool", "number", "date", "string")


def field_of(sort: str) -> tuple[str, bool]:
    """Return the field that `Query.sort` names, and whether its greatest values come first."""
    return (sort[1:], True) if sort.startswith("-") else (sort, False)


def check_sort(sort: str, known: Iterable[str]) -> None:
    """Check that the list is to be sorted by a metadata field, or by score.

    Raises:
        InvalidQuery: there is no such field; with the nearest name that is one.
    """
    if not sort:
        return
    name, falling = field_of(sort)
    fields = sorted(known)
    if name in fields:
        return
    close = get_close_matches(name, fields, n=1)
    meant = ("-" if falling else "") + close[0] if close else ""
    hint = f"did you mean {meant!r}? " if close else ""
    raise InvalidQuery(
        f"no document has a field {name!r:.60} to sort by; {hint}The fields are: "
        f"{', '.join(fields[:20]) or 'none'}. An empty sort is by score",
        suggestion=meant,
    )


def sorted_places(sort: str, documents: Sequence[Mapping[str, MetadataValue]]) -> list[int]:
    """Return the places of some documents in the order of a field; those of equal value stay as they are.

    Documents without a value come last, in both directions. Of several values the smallest counts, or, from the
    greatest down, the greatest. Values of different kinds go as bool, number, date, string; strings by their
    letters without regard to case and width, then as they are written.

    Args:
        sort: A field, with - before it for the greatest values first.
        documents: The documents' metadata.
    """
    name, falling = field_of(sort)
    first = max if falling else min
    keys: dict[int, _Key] = {}
    for place, metadata in enumerate(documents):
        value = metadata.get(name, ())
        values = value if isinstance(value, tuple) else (value,)
        if values:
            keys[place] = first(map(_key, values))
    with_value = sorted(keys, key=keys.__getitem__, reverse=falling)
    return with_value + [place for place in range(len(documents)) if place not in keys]


def _key(value: Scalar) -> _Key:
    kind, text, number = field_row(value)
    if text is None:
        return _KINDS.index(kind), number or 0.0, "", ""
    return _KINDS.index(kind), 0.0, fold_case_and_width(text)[0], text
