"""How many of the documents found have each value of a metadata field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from engine.errors import InvalidQuery
from engine.ranking import FacetCounts
from indexer.document import Scalar, kind_of

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


def counted(found: Mapping[str, Sequence[tuple[Scalar, int]]]) -> dict[str, FacetCounts]:
    """Return each field's values with their counts, the most frequent first; equals by kind, then by value."""
    return {name: tuple(sorted(counts, key=_order)[:MAX_VALUES]) for name, counts in found.items()}


def _order(found: tuple[Scalar, int]) -> tuple[int, str, float, str]:
    value, count = found
    if isinstance(value, int | float):
        return -count, kind_of(value), float(value), ""
    return -count, kind_of(value), 0.0, value if isinstance(value, str) else value.isoformat()
