"""The question: `Query`, and how one is made of what a caller gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from engine.errors import InvalidQuery, translated
from indexer.document import storable
from indexer.filters import And, Eq, Exists, Filter, In, Not, Or, Range, filter_from_json

MAX_CHARACTERS = 100_000
"""A query's text beyond this is not read; a notice says so."""

_FILTERS = (Eq, In, Range, Exists, And, Or, Not)


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked.

    NULs and lone surrogates in `text` become U+FFFD.

    Args:
        text: Words, and the operators that `engine.syntax` describes.
        user_id: Who asks; None for nobody in particular.
        filters: Which documents may answer, besides what the text says; None for all.
        strength: How much the interests of `user_id` count: 1 as the settings say, 0 not at all, at most 10.
        at: When it is asked, in UTC (a time without a zone is UTC already): of the reader's past only what is
            earlier counts. None for now.
        operators: Whether quotes, signs and `field:` in the text mean something. False for prose that is
            pasted, and for the topics of a test collection: all of it is plain words.
        sort: A metadata field to order the documents found by, `-year` for the greatest first; empty for by score.
            Which documents are found does not depend on it (`engine.sorting`).

    Raises:
        InvalidQuery: a value is of the wrong type.
    """

    text: str
    user_id: str | None = None
    filters: Filter | None = None
    operators: bool = True
    strength: float = 1.0
    at: datetime | None = None
    sort: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise InvalidQuery(f"a query's text is a string, found {type(self.text).__name__}")
        if self.user_id is not None and not isinstance(self.user_id, str):
            raise InvalidQuery(f"a user_id is a string, found {type(self.user_id).__name__}")
        if self.filters is not None and not isinstance(self.filters, _FILTERS):
            raise InvalidQuery(
                f"a query's filters are a Filter, found {type(self.filters).__name__}; "
                "indexer.filters.filter_from_json makes one of a JSON object"
            )
        if not isinstance(self.sort, str):
            raise InvalidQuery(
                f"a query's sort is the name of a metadata field, or empty, found {type(self.sort).__name__}"
            )
        strength: object = self.strength
        if isinstance(strength, bool) or not isinstance(strength, int | float) or not 0 <= strength <= 10:
            raise InvalidQuery(f"a query's strength is a number from 0 to 10, found {strength!r:.40}")
        at: object = self.at
        if at is not None:
            if not isinstance(at, datetime):
                raise InvalidQuery(f"the time of a query is a datetime or None, found {at!r:.40}")
            object.__setattr__(self, "at", at.replace(tzinfo=UTC) if at.tzinfo is None else at)
        object.__setattr__(self, "strength", float(strength))
        object.__setattr__(self, "text", storable(self.text))

    @property
    def personal(self) -> bool:
        """Whether a reader's interests are to count."""
        return self.user_id is not None and self.strength > 0


def as_query(query: str | Query, filters: Filter | Mapping[str, object] | None = None) -> Query:
    """Return a Query of a string or a Query, narrowed by further filters (a Filter, or its JSON form).

    Raises:
        InvalidQuery: either is of the wrong type, or the JSON form is not understood.
    """
    if not isinstance(query, Query):
        query = Query(query)
    if filters is None:
        return query
    if isinstance(filters, Mapping):
        with translated():
            filters = filter_from_json(filters)
    if query.filters is not None:
        filters = And((query.filters, filters))
    return replace(query, filters=filters)


def check_k(k: int) -> int:
    """Return k.

    Raises:
        InvalidQuery: it is not a whole number of at least 0.
    """
    if isinstance(k, bool) or not isinstance(k, int) or k < 0:
        raise InvalidQuery(f"k is how many results are wanted, a whole number of at least 0; found {k!r:.40}")
    return k
