"""How many of the documents found have each value of a metadata field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from difflib import get_close_matches

from engine.errors import InvalidQuery
from engine.ranking import FacetCounts
from indexer.document import MetadataValue, Scalar

MAX_VALUES = 100
"""So many values of a field are listed, the most frequent ones."""


def check_facets(names: Sequence[str], known: Iterable[str]) -> None:
    """Check that each facet is a metadata field.

    Raises:
        InvalidQuery: one is not; with the nearest name that is.
    """
    fields = sorted(known)
    for name in names:
        if name not in fields:
            close = get_close_matches(name, fields, n=1)
            meant = f"did you mean {close[0]!r}? " if close else ""
            listed = ", ".join(fields[:20]) or "none"
            raise InvalidQuery(
                f"no document has a field {name!r:.60} to count; {meant}The fields are: {listed}",
                suggestion=close[0] if close else "",
            )


def count_facets(
    names: Sequence[str], documents: Iterable[Mapping[str, MetadataValue]]
) -> dict[str, FacetCounts]:
    """Return for each field its values with how many of the documents have them.

    A document of several values counts once for each. Most frequent first; equals by kind, then by value.

    Args:
        names: The fields.
        documents: The metadata of each document.
    """
    counters: dict[str, Counter[tuple[str, Scalar]]] = {name: Counter() for name in names}
    for metadata in documents:
        for name, counter in counters.items():
            value = metadata.get(name, ())
            values = value if isinstance(value, tuple) else (value,)
            counter.update({(_kind(item), item) for item in values})
    return {
        name: tuple(
            (value, count)
            for (_, value), count in sorted(counter.items(), key=lambda item: _order(item[0], item[1]))[
                :MAX_VALUES
            ]
        )
        for name, counter in counters.items()
    }


def _kind(value: Scalar) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return "date" if isinstance(value, date) else "string"


def _order(key: tuple[str, Scalar], count: int) -> tuple[int, str, float, str]:
    kind, value = key
    if isinstance(value, int | float):
        return -count, kind, float(value), ""
    return -count, kind, 0.0, value if isinstance(value, str) else value.isoformat()
