"""Server-sent events: the first stage at once, then the reranked order, or the problem that kept it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.types import Message

from engine import SearchSettings
from engine.errors import BackendUnavailable
from engine.service.app import create_app
from engine.service.service import Service

Ask = Callable[..., httpx.Response]


def events(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the events of a stream, read as the HTML standard has it."""
    found = []
    for block in text.split("\n\n")[:-1]:
        name, data = block.split("\n")
        assert name.startswith("event: ")
        assert data.startswith("data: ")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def ids(ranking: dict[str, Any]) -> list[str]:
    return [hit["doc_id"] for hit in ranking["hits"]]


def test_two_beats(ask: Ask, shared_service: Service) -> None:
    response = ask("POST", "/v1/search/stream", json={"query": "shock wave drag", "k": 9})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"
    (first, early), (second, final) = events(response.text)
    assert (first, second) == ("first", "ranking")
    engine = shared_service.engines.shared
    plain = engine.search("shock wave drag", k=9, settings=SearchSettings(rerank_depth=0))
    assert ids(early) == [hit.doc_id for hit in plain.hits]
    assert early["reranked_depth"] == 0
    assert early["degraded"] == []
    assert ids(final) == [hit.doc_id for hit in engine.search("shock wave drag", k=9).hits]
    assert final["reranked_depth"] > 0
    assert ids(early) != ids(final)


def test_one_beat_where_there_is_no_second(ask: Ask) -> None:
    body = {"query": "wing", "k": 3, "rerank_depth": 0}
    [(name, page)] = events(ask("POST", "/v1/search/stream", json=body).text)
    assert name == "ranking"
    [(name, following)] = events(
        ask("POST", "/v1/search/stream", json=body | {"cursor": page["cursor"]}).text
    )
    assert name == "ranking"
    assert following["hits"][0]["rank"] == 4


def test_what_is_wrong_with_the_question_has_its_status(ask: Ask) -> None:
    for body, status in (({"query": "x", "sort": "yaer"}, 422), ({}, 422), ({"query": "x", "k": 999}, 422)):
        response = ask("POST", "/v1/search/stream", json=body)
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (BackendUnavailable("es.intern:9200 is away"), 503, "the index cannot be asked just now"),
        (RuntimeError("a secret"), 500, "the service could not answer"),
    ],
)
def test_what_fails_after_the_first_beat_is_an_event(
    ask: Ask,
    shared_service: Service,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    said: str,
) -> None:
    engine = shared_service.engines.shared
    plain = engine.search
    counted: list[BaseException] = []

    def failing(*args: Any, settings: SearchSettings, **values: Any) -> Any:
        if settings.rerank_depth:
            raise error
        return plain(*args, settings=settings, **values)

    monkeypatch.setattr(engine, "search", failing)
    monkeypatch.setattr(shared_service.metrics, "error", counted.append)
    (first, _), (second, problem) = events(ask("POST", "/v1/search/stream", json={"query": "wing"}).text)
    assert (first, second) == ("first", "problem")
    assert problem["status"] == status
    assert problem["detail"].startswith(said)
    assert counted == [error]


def test_who_leaves_after_the_first_beat_is_not_reranked_for(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = service.engines.shared
    plain = engine.search
    begun, left = threading.Event(), threading.Event()
    asked: list[bool] = []

    def slow(*args: Any, settings: SearchSettings, cancelled: Callable[[], bool], **values: Any) -> Any:
        if settings.rerank_depth:
            begun.set()
            assert left.wait(30)
            asked.append(cancelled())
        return plain(*args, settings=settings, cancelled=cancelled, **values)

    monkeypatch.setattr(engine, "search", slow)
    _, secret = service.keys.create(["search"])
    sent: list[Message] = []

    async def test() -> None:
        messages: asyncio.Queue[Message] = asyncio.Queue()
        messages.put_nowait({"type": "http.request", "body": b'{"query": "wing"}', "more_body": False})
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/search/stream",
            "query_string": b"",
            "client": ("127.0.0.1", 1),
            "headers": [
                (b"authorization", f"Bearer {secret}".encode()),
                (b"content-type", b"application/json"),
                (b"host", b"localhost"),
            ],
        }

        async def send(message: Message) -> None:
            sent.append(message)

        task = asyncio.create_task(create_app(service)(scope, messages.get, send))
        assert await asyncio.to_thread(begun.wait, 30)
        messages.put_nowait({"type": "http.disconnect"})
        await task
        left.set()

    asyncio.run(asyncio.wait_for(test(), 60))
    service.pool.close()
    assert asked == [True]
    assert sent[0]["status"] == 200
    bodies = b"".join(message.get("body", b"") for message in sent)
    assert bodies.startswith(b"event: first\n")
    assert b"event: ranking" not in bodies
