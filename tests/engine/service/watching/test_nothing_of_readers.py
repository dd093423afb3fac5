"""A whole session, and not one word of it in the logs, the numbers or the traces."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import threading
from collections.abc import Iterator

import httpx
import pytest

from engine.errors import IndexOpenError
from engine.service.access.cookies import COOKIE
from engine.service.app import create_app
from engine.service.service import Service
from engine.service.watching.logs import Disguise, set_up

READER, SECOND = "planted-reader@example.com", "planted-other"
QUERY = "turbine planted-query blade"
DOCUMENT = "planted/document.md"
ADDRESS = "198.51.100.77"


@pytest.fixture(params=["json", "text"])
def stream(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level, threading.excepthook
    stream = io.StringIO()
    set_up(request.param, stream)
    yield stream
    root.handlers[:], root.level, threading.excepthook = before
    logging.captureWarnings(False)


def requests(known: str) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Yield requests of every kind, with what must not be told in every place where it can stand."""
    event = {"doc_id": known, "kind": "click"}
    yield "POST", "/v1/search", {"json": {"query": QUERY, "k": 3}}
    yield (
        "POST",
        "/v1/search",
        {"json": {"query": f'"{QUERY}', "filters": {"planted-field": "planted-value"}}},
    )
    yield "POST", "/v1/search", {"json": {"query": QUERY, "planted-key": 1}}
    yield (
        "POST",
        "/v1/search",
        {"content": b'{"query": "planted-', "headers": {"content-type": "application/json"}},
    )
    yield "POST", "/v1/search/stream", {"json": {"query": QUERY}}
    yield "GET", "/v1/search", {"params": {"q": QUERY, "cursor": "planted-cursor"}}
    yield "GET", "/v1/suggest", {"params": {"q": "planted-sugg"}}
    yield "GET", "/v1/documents/text", {"params": {"id": DOCUMENT}}
    yield "GET", "/v1/documents/text", {"params": {"id": known}}
    yield "GET", "/v1/documents/similar", {"params": {"id": known}}
    yield "GET", "/v1/documents/summary", {"params": {"id": known, "q": QUERY}}
    yield "GET", "/v1/why-not", {"params": {"id": DOCUMENT, "q": QUERY}}
    yield "POST", "/v1/events", {"json": {"events": [event]}}
    yield "POST", "/v1/events", {"json": {"events": [{"doc_id": DOCUMENT, "kind": "planted-kind"}]}}
    yield "GET", "/v1/profile", {}
    yield "GET", "/v1/profile/export", {}
    yield "GET", "/v1/recommendations", {}
    yield "POST", "/v1/reader-tokens", {"json": {"user_id": SECOND}}
    yield "GET", "/v1/stats", {}
    yield "GET", "/planted-path/planted", {"params": {"planted": "planted"}}
    yield "GET", "/", {"params": {"q": QUERY}}
    yield "GET", "/document", {"params": {"id": known, "q": QUERY}}
    yield "GET", "/enter", {"params": {"token": "planted-token"}}
    yield "POST", "/feedback", {"data": {"doc_id": known, "kind": "like", "back": "/?q=planted"}}
    yield "GET", "/health/ready", {"headers": {"x-request-id": "planted request id"}}
    yield "DELETE", "/v1/profile", {}


def test_nothing_that_was_asked_or_by_whom_is_told(
    service: Service, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, secret = service.keys.create(("search", "events", "admin", "index"), tenant="default")
    token = service.tokens.issue(READER, "default", hours=1)
    app = create_app(service)
    engine = service.engines.of("default")
    known = engine.search("turbine", k=1).hits[0].doc_id

    async def session() -> None:
        transport = httpx.ASGITransport(app, client=(ADDRESS, 5))
        headers = {
            "Authorization": f"Bearer {secret}",
            "Quire-Reader": token,
            "User-Agent": "planted-agent",
            "Referer": "http://localhost/?q=planted",
            "X-Forwarded-For": ADDRESS,
        }
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", headers=headers
        ) as client:
            client.cookies.set(COOKIE, token)
            for method, path, given in requests(known):
                await client.request(method, path, **given)  # type: ignore[arg-type]
            bad = {"Authorization": "Bearer quire_planted_planted", "Quire-Reader": "planted.planted.planted"}
            await client.post("/v1/search", json={"query": QUERY}, headers=bad)
            await client.post(
                "/v1/search", json={"query": QUERY}, headers={"Quire-Reader": token[:-3] + "abc"}
            )
            failing = lambda *_, **__: (_ for _ in ()).throw(ValueError(f"about {QUERY}"))  # noqa: E731
            with monkeypatch.context() as patch:
                patch.setattr(engine, "search", failing)
                assert (await client.post("/v1/search", json={"query": QUERY})).status_code == 500
            broken = lambda *_, **__: (_ for _ in ()).throw(IndexOpenError("page 7 cannot be read"))  # noqa: E731
            with monkeypatch.context() as patch:
                patch.setattr(engine, "search", broken)
                answer = await client.post("/v1/search", json={"query": QUERY})
                assert answer.status_code == 500
                assert "page 7" not in answer.text

    asyncio.run(session())
    logged = stream.getvalue()
    counted = service.metrics.render().decode()
    assert logged.count("request") > 25
    assert "page 7 cannot be read" in logged
    assert Disguise((service.state / "secret").read_bytes().splitlines()[0]).of("default", READER) in logged
    assert key.key_id in logged
    for text in (logged, counted):
        for planted in ("planted", "turbine", secret, secret.rpartition("_")[2], token, ADDRESS, "Bearer"):
            assert planted not in text, [line for line in text.splitlines() if planted in line][:3]
        assert not re.search(rf"\b{re.escape(known)}\b", text)
    assert (service.state / "secret").read_text().strip() not in logged
    if logged.startswith("{"):
        assert all(isinstance(json.loads(line), dict) for line in logged.splitlines())
