"""How much one request may ask for: what `ServiceSettings` allows, and what no engine should be asked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Protocol

from engine.event import name_fault
from engine.query import Query
from engine.service.problems import Problem
from engine.service.settings import ServiceSettings
from engine.settings import SearchSettings

MAX_DEPTH = 16
"""So deeply may the conditions of a filter be nested."""
MAX_FACETS = 10
MAX_CURSOR = 1_000_000
"""Characters of a page token; it holds the rest of the list."""
MAX_TEXT = 1000
"""Characters of a value in a filter."""
_WHOLE = 2**63


class Counted(Protocol):
    """A request that may say how many results it wants."""

    @property
    def k(self) -> int:
        """How many; the usual number where it does not say."""
        ...

    @property
    def model_fields_set(self) -> set[str]:
        """What it says."""
        ...


def invalid(field: str, message: str) -> Problem:
    """Return the problem of one field of a request."""
    return Problem(
        422, "invalid-request", f"{field}: {message}", errors=[{"field": field, "message": message}]
    )


def check_query(query: Query, k: int, cursor: str | None, settings: ServiceSettings) -> None:
    """Make sure that a question is no longer than may be.

    Raises:
        Problem: 422, naming the field.
    """
    check_text("query", query.text, settings)
    check_k(k, settings)
    if cursor is not None and len(cursor) > MAX_CURSOR:
        raise invalid("cursor", f"has at most {MAX_CURSOR:,} characters, found {len(cursor):,}")


def check_text(field: str, text: str, settings: ServiceSettings) -> None:
    """Make sure that a text that is searched for is no longer than may be.

    Raises:
        Problem: 422, naming the field.
    """
    if len(text) > settings.max_query_chars:
        raise invalid(field, f"has at most {settings.max_query_chars:,} characters here, found {len(text):,}")


def check_k(k: int, settings: ServiceSettings) -> None:
    """Make sure that no more results are asked for than may be.

    Raises:
        Problem: 422.
    """
    if k > settings.max_k:
        raise invalid("k", f"is at most {settings.max_k:,} here, found {k:,}")


def k_of(asked: Counted, settings: ServiceSettings) -> int:
    """Return how many results a request asks for: where it does not say, the usual number, or as many as may be.

    Raises:
        Problem: 422: more than may be.
    """
    if "k" not in asked.model_fields_set:
        return min(asked.k, settings.max_k)
    check_k(asked.k, settings)
    return asked.k


def check_settings(wanted: SearchSettings, usual: SearchSettings, settings: ServiceSettings) -> None:
    """Make sure that a search is no more work than may be; what is usual here always may.

    Raises:
        Problem: 422, naming the setting.
    """
    if wanted.rerank_depth > max(settings.max_rerank_depth, usual.rerank_depth):
        raise invalid(
            "rerank_depth", f"is at most {settings.max_rerank_depth:,} here, found {wanted.rerank_depth:,}"
        )
    if wanted.facets != usual.facets and len(wanted.facets) > MAX_FACETS:
        raise invalid("facets", f"are at most {MAX_FACETS}, found {len(wanted.facets):,}")


def check_id(field: str, value: str) -> str:
    """Return a document's id.

    Raises:
        Problem: 422: it cannot be one.
    """
    fault = name_fault(value)
    if fault:
        raise invalid(field, fault)
    return value


def check_filter(spec: Mapping[str, object], settings: ServiceSettings) -> None:
    """Make sure that a filter's JSON is small, not nested deeply, and holds only what can be compared.

    Raises:
        Problem: 422.
    """
    count = 0
    for depth, key, value in _walk(spec):
        count += 1
        if count > settings.max_filter_nodes:
            raise invalid("filters", f"have at most {settings.max_filter_nodes:,} conditions and values here")
        if depth > MAX_DEPTH:
            raise invalid("filters", f"are nested at most {MAX_DEPTH} deep")
        for one in (key, value):
            fault = _fault(one)
            if fault:
                raise invalid("filters", fault)


def _walk(spec: object) -> Iterator[tuple[int, str, object]]:
    """Yield every key with its value, and every item of a list, with how deep it stands; no recursion."""
    waiting: list[tuple[int, object]] = [(1, spec)]
    while waiting:
        depth, here = waiting.pop()
        if isinstance(here, Mapping):
            pairs = [(str(key), value) for key, value in here.items()]
        elif isinstance(here, list):
            pairs = [("", value) for value in here]
        else:
            continue
        for key, value in pairs:
            yield depth, key, value
            waiting.append((depth + 1, value))


def _fault(value: object) -> str:
    """Return what keeps a value from being compared with anything; nothing where that can be done."""
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            return f"hold texts of at most {MAX_TEXT:,} characters, found one of {len(value):,}"
        return f"hold a text that {fault}" if value and (fault := name_fault(value)) else ""
    if isinstance(value, float) and not math.isfinite(value):
        return "hold a number that is not finite"
    if isinstance(value, int) and not -_WHOLE <= value < _WHOLE:
        return "hold a whole number of more than 64 bits"
    if value is None:
        return "hold null, which can be compared with nothing; `exists` asks whether a field has a value"
    return ""
