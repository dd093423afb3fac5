"""Whatever filter, query or address somebody thinks of, it is answered or refused; nothing is the service's fault."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import problem

JSON = {"content-type": "application/json"}
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**63)
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=20)
    | st.sampled_from(["1999", "2001-01-01", "en", "\x00", "d01", "(", "a:b", "\u202e"])
)
KEYS = st.sampled_from(
    [
        "year",
        "lang",
        "tags",
        "and",
        "or",
        "not",
        "field",
        "eq",
        "in",
        "gte",
        "gt",
        "lte",
        "lt",
        "exists",
        "x",
        "",
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(filters=st.dictionaries(KEYS, VALUES, max_size=3), sort=SCALARS, facets=st.lists(SCALARS, max_size=2))
@settings(max_examples=150)
def test_no_filter_is_a_fault(
    ask: Callable[..., httpx.Response], filters: Any, sort: Any, facets: Any
) -> None:
    body = json.dumps({"query": "turbine", "filters": filters, "sort": sort, "facets": facets})
    response = ask("POST", "/v1/search", content=body, headers=JSON)
    if response.status_code != 200:
        problem(response, 422)
    body = json.dumps({"query": "turbine", "filters": filters})
    response = ask("POST", "/v1/search", content=body, headers=JSON)
    if response.status_code != 200:
        problem(response, 422)


@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
    | st.lists(
        st.sampled_from(
            [
                "year:",
                ">=",
                "..",
                "9" * 30,
                '"',
                "+",
                "-",
                "lang:en",
                "title:",
                "(",
                "wing",
                "\x00",
                "1e999",
                ",",
            ]
        ),
        max_size=8,
    ).map("".join),
    start=st.integers(),
    path=st.sampled_from(["search", "suggest", "why-not", "documents/summary", "documents/text"]),
)
@settings(max_examples=150)
def test_no_address_is_a_fault(ask: Callable[..., httpx.Response], text: str, start: int, path: str) -> None:
    chosen: dict[str, Any] = {
        "search": {"q": text, "k": start, "sort": text, "facet": text},
        "suggest": {"q": text, "k": 5},
        "why-not": {"q": text, "id": "d01", "k": 3},
        "documents/summary": {"q": text, "id": "d01"},
        "documents/text": {"id": text, "start": start, "end": start},
    }[path]
    response = ask("GET", f"/v1/{path}", params=chosen)
    if response.status_code != 200:
        problem(response, 404, 422)
    if path == "search":
        response = ask("GET", "/v1/search", params={"q": text})
        assert response.status_code == 200, response.text
