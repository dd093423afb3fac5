"""Whatever is sent, the answer is a problem that names the field and echoes nothing, and no fault of the service."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from engine.service.limits import MAX_DEPTH, MAX_TEXT
from engine.service.service import Service

from .conftest import problem

JSON = {"content-type": "application/json"}
BODIES = (
    "/v1/search",
    "/v1/search/stream",
    "/v1/summaries",
    "/v1/events",
    "/v1/profile/mute",
    "/v1/profile/unmute",
    "/v1/profile/declare",
    "/v1/profile/undeclare",
    "/v1/profile/forget-document",
    "/v1/reader-tokens",
)


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b'{"query": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"query": ' + b"9" * 100_000 + b"}",
        b"{" + b'"query": 1,' * 1000 + b'"query": 2}',
        b'{"query": 1e999}',
        b"NaN",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_no_request(ask: Callable[..., httpx.Response], path: str, body: bytes) -> None:
    problem(ask("POST", path, content=body, headers=JSON), 400, 422)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "query"),
        ({"query": 5}, "query"),
        ({"query": None}, "query"),
        ({"query": "x", "qery": 1}, "qery"),
        ({"query": "x", "k": "10"}, "k"),
        ({"query": "x", "k": 1.5}, "k"),
        ({"query": "x", "k": True}, "k"),
        ({"query": "x", "k": -1}, "k"),
        ({"query": "x", "k": 101}, "k"),
        ({"query": "x", "k": 10**400}, "k"),
        ({"query": "x" * 2001}, "query"),
        ({"query": "x" * 100_001}, "query"),
        ({"query": "x\ud800"}, "query"),
        ({"query": "x", "strength": float("nan")}, "strength"),
        ({"query": "x", "strength": 10**400}, "strength"),
        ({"query": "x", "strength": -0.5}, "strength"),
        ({"query": "x", "alpha": float("inf")}, "alpha"),
        ({"query": "x", "rerank_depth": 201}, "rerank_depth"),
        ({"query": "x", "rerank_depth": 1001}, "rerank_depth"),
        ({"query": "x", "facets": ["f"] * 11}, "facets"),
        ({"query": "x", "facets": [""]}, "facets.0"),
        ({"query": "x", "cursor": ""}, "cursor"),
        ({"query": "x", "filters": []}, "filters"),
        ({"query": "x", "filters": {"a": float("nan")}}, "filters"),
        ({"query": "x", "filters": {"a": 2**63}}, "filters"),
        ({"query": "x", "filters": {"a": None}}, "filters"),
        ({"query": "x", "filters": {"a": "x" * (MAX_TEXT + 1)}}, "filters"),
        ({"query": "x", "filters": {"a\x00": 1}}, "filters"),
        ({"query": "x", "filters": {"a": "\udfff"}}, "filters"),
        ({"query": "x", "filters": {"year": list(range(101))}}, "filters"),
        ({"query": "x", "filters": {"or": [{"year": 1}] * 60}}, "filters"),
        ({"query": "x", "passages": 0}, "passages"),
        ({"query": "x", "user_id": "somebody"}, "user_id"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_field_that_is_wrong_is_named(
    ask: Callable[..., httpx.Response], body: dict[str, Any], field: str
) -> None:
    found = problem(ask("POST", "/v1/search", content=json.dumps(body), headers=JSON), 422)
    assert found["errors"][0]["field"] == field
    assert found["detail"].startswith(f"{field}: ")


def test_a_parameter_of_two_values_is_refused_and_none_of_them_counts(
    ask: Callable[..., httpx.Response],
) -> None:
    found = problem(ask("GET", "/v1/suggest?q=tur&q=wi&limit=3"), 422)
    assert found["errors"] == [{"field": "q", "message": "given 2 times; give it once"}]


def test_the_nearest_name_is_suggested(ask: Callable[..., httpx.Response]) -> None:
    body = problem(ask("POST", "/v1/search", json={"query": "x", "filter": {}}), 422)
    assert body["detail"] == "filter: there is no such field; did you mean 'filters'?"
    address = problem(ask("GET", "/v1/search", params={"q": "x", "rerank": 3}), 422)
    assert "'rerank_depth'" in address["detail"]
    event = {"doc_id": "d01", "kid": "like"}
    nested = problem(ask("POST", "/v1/events", json={"events": [{"doc_id": "d01"}, event]}), 422)
    assert nested["errors"][0]["field"] == "events.1.kid"
    field = problem(ask("POST", "/v1/search", json={"query": "x", "filters": {"yaer": 1}}), 422)
    assert field["suggestion"] == "year"


def nested(depth: int) -> dict[str, Any]:
    """Return a filter that stands so deep in others."""
    made: dict[str, Any] = {"year": 1999}
    for _ in range(depth - 1):
        made = {"not": made}
    return made


@pytest.mark.parametrize("depth", [1, MAX_DEPTH, MAX_DEPTH + 1, 99, 5000])
def test_filters_are_nested_so_deep_and_no_deeper(ask: Callable[..., httpx.Response], depth: int) -> None:
    # Deeper than `json` writes: by hand.
    body = '{"query": "x", "filters": ' + '{"not": ' * (depth - 1) + '{"year": 1999}' + "}" * depth
    response = ask("POST", "/v1/search", content=body, headers=JSON)
    if depth <= MAX_DEPTH:
        assert response.status_code == 200
    else:
        problem(response, 400, 422)


def test_limits_are_the_settings(make_service: Callable[..., Service], asker_of: Callable[..., Any]) -> None:
    service = make_service(max_query_chars=5, max_k=3, max_filter_nodes=2, max_rerank_depth=60)
    ask = asker_of(service, user_id="ann")
    for good in (
        {"query": "wings", "k": 3},
        {"query": "x", "filters": {"year": 1999, "lang": "en"}},
        {"query": "x", "rerank_depth": 60},
    ):
        response = ask("POST", "/v1/search", json=good)
        assert response.status_code == 200, response.text
    for bad in (
        {"query": "winged"},
        {"query": "x", "k": 4},
        {"query": "x", "filters": {"year": [1999, 2000]}},
        {"query": "x", "rerank_depth": 61},
    ):
        problem(ask("POST", "/v1/search", json=bad), 422)
    for path in ("why-not?id=d01&q=winged", "why-not?id=d01&q=x&k=4", "documents/similar?id=d01&k=4"):
        problem(ask("GET", f"/v1/{path}"), 422)
    for path in ("search?q=winged", "search?q=x&k=4", "documents/summary?id=d01&q=winged"):
        problem(ask("GET", f"/v1/{path}"), 422)
    problem(ask("POST", "/v1/summaries", json={"ids": ["d01"], "query": "winged"}), 422)
    problem(ask("GET", "/v1/recommendations?k=4"), 422)


@pytest.mark.parametrize(
    "body",
    [
        {"events": []},
        {"events": [{"doc_id": ""}]},
        {"events": [{"doc_id": "x" * 1025}]},
        {"events": [{"doc_id": "x\x00"}]},
        {"events": [{"doc_id": "d01", "at": "yesterday"}]},
        {"events": [{"doc_id": "d01", "at": 10**30}]},
        {"events": [{"doc_id": "d01", "at": -202742}]},
        {"events": [{"doc_id": "d01", "at": "1700000000"}]},
        {"events": [{"doc_id": "d01", "at": "0001-01-01T00:00:00+23:59"}]},
        {"events": [{"doc_id": "d01", "weight": -1}]},
        {"events": [{"doc_id": "d01", "user_id": "bob"}]},
        {"events": [{"doc_id": "d01"}] * 1001},
    ],
    ids=lambda body: str(body)[:50],
)
def test_events_that_cannot_be(ask: Callable[..., httpx.Response], body: dict[str, Any]) -> None:
    problem(ask("POST", "/v1/events", json=body), 422)
    assert ask("GET", "/v1/profile").json()["events"] == 0


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/", 404),
        ("GET", "/v1/search/", 404),
        ("PUT", "/v1/search", 405),
        ("HEAD", "/v1/nothing", 404),
        ("HEAD", "/v1/search", 422),
        ("PATCH", "/v1/profile", 405),
        ("TRACE", "/v1/profile", 405),
        ("GET", "/v1/documents/text?id=nowhere", 404),
        ("GET", "/v1/documents/similar?id=nowhere", 404),
        ("GET", "/v1/documents/summary?id=nowhere", 404),
    ],
)
def test_what_there_is_not(ask: Callable[..., httpx.Response], method: str, path: str, status: int) -> None:
    response = ask(method, path)
    if method == "HEAD":
        assert response.status_code == status
    else:
        problem(response, status)
    if status == 405:
        allowed = response.headers["allow"].split(", ")
        assert method not in allowed
        assert "GET" in allowed


def test_other_types_of_bodies(ask: Callable[..., httpx.Response]) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        response = ask("POST", "/v1/search", content=b'{"query": "x"}', headers={"content-type": kind})
        problem(response, 415)
    response = ask(
        "POST", "/v1/search", content=b'{"query": "x"}', headers={"content-type": "application/vnd.x+json"}
    )
    assert response.status_code == 200


def test_a_fault_tells_nothing_and_is_counted(
    ask: Callable[..., httpx.Response], shared_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = shared_service
    counted: list[BaseException] = []
    monkeypatch.setattr(service.metrics, "error", counted.append)

    def broken(*args: object, **values: object) -> None:
        raise RuntimeError("a secret of /the/machine")

    monkeypatch.setattr(service.engines.of("default"), "search", broken)
    response = ask("POST", "/v1/search", json={"query": "x"})
    found = problem(response, 500)
    assert "secret" not in response.text
    assert found["type"] == "urn:quire:problem:unexpected"
    assert response.headers["x-request-id"]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert [str(error) for error in counted] == ["a secret of /the/machine"]


def test_a_browser_gets_a_page_where_there_are_pages(
    ask: Callable[..., httpx.Response], make_service: Callable[..., Service], asker_of: Callable[..., Any]
) -> None:
    html = {"accept": "text/html,application/xhtml+xml"}
    response = ask("GET", "/nowhere", headers=html)
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("text/html")
    problem(ask("GET", "/nowhere"), 404)
    problem(ask("GET", "/v1/nowhere", headers=html), 404)
    without = asker_of(make_service(box="off"))
    for path in ("/nowhere", "/", "/you"):
        problem(without("GET", path, headers=html), 404)


def test_a_fault_of_a_page_is_a_page(
    ask: Callable[..., httpx.Response], shared_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **values: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(shared_service.engines.of("default"), "search", broken)
    response = ask("GET", "/?q=wing", headers={"accept": "text/html"})
    assert response.status_code == 500
    assert response.headers["content-type"].startswith("text/html")
    assert "secret" not in response.text
