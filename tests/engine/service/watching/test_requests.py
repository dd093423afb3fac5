"""What is said of each request, by whatever way it ends."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.service.access.caller import Caller
from engine.service.access.state import remember_caller
from engine.service.problems import Problem
from engine.service.watching.logs import Disguise
from engine.service.watching.metrics import Metrics
from engine.service.watching.watch import watch

SECRET = b"s" * 32


def application(metrics: Metrics | None = None) -> FastAPI:
    """Return an application with routes that end in every way."""
    app, router = FastAPI(), APIRouter()
    app.state.began, app.state.go = asyncio.Event(), asyncio.Event()

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> JSONResponse:
        return JSONResponse(error.to_json(), error.status, error.headers)

    @router.get("/things/{name}")
    async def thing(name: str, request: Request) -> dict[str, str]:
        remember_caller(request.scope, Caller("k1", "acme", frozenset(), user_id=name))
        return {"id": request.state.request_id}

    @router.get("/fault")
    async def fault() -> None:
        raise ValueError("planted")

    @router.get("/slow")
    async def slow() -> dict[str, bool]:
        app.state.began.set()
        await app.state.go.wait()
        return {"done": True}

    @router.get("/stream")
    async def stream(late: bool = False) -> StreamingResponse:
        async def events() -> AsyncIterator[str]:
            yield "event: first\ndata: 1\n\n"
            app.state.began.set()
            if late:
                raise ValueError("planted")
            await app.state.go.wait()
            yield "event: last\ndata: 2\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    app.include_router(router, prefix="/v1")
    watch(app, metrics or Metrics(), secret=SECRET, check=bool, admin=lambda _: None, environ={})
    return app


def client(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


def get(path: str, headers: dict[str, str] | None = None, app: FastAPI | None = None) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with client(app or application()) as asking:
            return await asking.get(path, headers=headers)

    return asyncio.run(ask())


def said(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [record.fields for record in caplog.records if record.message == "request"]


@pytest.fixture(autouse=True)
def _listening(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="quire.service")


@given(
    st.binary(max_size=70).map(lambda raw: raw.decode("latin-1"))
    | st.from_regex(r"[\w-]{1,70}", fullmatch=True)
)
@settings(max_examples=60)
def test_an_id_is_taken_over_where_it_is_one_and_made_where_not(given_id: str) -> None:
    raw = given_id.encode("latin-1", "replace")
    app = application()
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/v1/things/ann",
        "query_string": b"",
        "headers": [(b"x-request-id", raw)],
    }
    sent: list[Any] = []

    async def ask() -> None:
        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await app(scope, receive, send)

    asyncio.run(ask())
    headers = dict(sent[0]["headers"])
    answered = headers[b"x-request-id"]
    accepted = re.fullmatch(rb"[A-Za-z0-9][A-Za-z0-9_-]{7,63}", raw) is not None
    assert (answered == raw) == accepted
    assert re.fullmatch(rb"[A-Za-z0-9_-]{8,64}", answered)
    assert json.loads(sent[1]["body"])["id"] == answered.decode()


def test_a_request_is_told_by_its_route_and_its_reader_by_a_hash(caplog: pytest.LogCaptureFixture) -> None:
    answer = get("/v1/things/ann%20o'hara?q=planted", {"Authorization": "Bearer planted"})
    [line] = said(caplog)
    assert line["route"] == "/v1/things/{name}"
    assert (line["method"], line["status"], line["key"]) == ("GET", 200, "k1")
    assert line["user"] == Disguise(SECRET).of("acme", "ann o'hara")
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["ms"] >= 0
    assert "planted" not in json.dumps(line)
    assert "ann" not in json.dumps(line)


def test_a_path_that_is_none_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    assert get("/planted").status_code == 404
    [line] = said(caplog)
    assert (line["route"], line["status"]) == ("none", 404)


def test_a_fault_is_a_problem_and_its_place_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    answer = get("/v1/fault")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    [line] = said(caplog)
    assert line["error"]["kind"] == "ValueError"
    assert "test_requests.py" in line["error"]["at"][-1]
    assert "planted" not in json.dumps(line) + answer.text


def test_an_answer_that_breaks_off_is_told_as_an_error(caplog: pytest.LogCaptureFixture) -> None:
    get("/v1/stream?late=true")
    [line] = said(caplog)
    assert line["error"]["kind"] == "ValueError"
    assert [record.levelname for record in caplog.records if record.message == "request"] == ["ERROR"]


def test_health_is_not_worth_a_line_unless_it_fails(caplog: pytest.LogCaptureFixture) -> None:
    app = application()
    assert get("/health/live", app=app).status_code == 200
    assert get("/health/ready", app=app).status_code == 200
    assert said(caplog) == []
    app.state.flight.draining = True
    assert get("/health/ready", app=app).status_code == 503
    assert get("/health/live", app=app).status_code == 200
    assert [line["status"] for line in said(caplog)] == [503]
    assert caplog.records[-1].levelname == "WARNING", "it may be asked again"


def test_who_goes_away_is_told_as_gone(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()

    async def leave() -> None:
        app = application(metrics)
        async with client(app) as asking:
            request = asyncio.create_task(asking.get("/v1/slow"))
            await app.state.began.wait()
            assert len(app.state.flight) == 1
            request.cancel()
            with pytest.raises(asyncio.CancelledError):
                await request
            assert len(app.state.flight) == 0

    asyncio.run(leave())
    assert [line["status"] for line in said(caplog)] == [499]
    assert "quire_requests_in_flight 0.0" in metrics.render().decode()


def test_what_takes_too_long_to_stop_is_told_so() -> None:
    async def stop() -> tuple[httpx.Response, httpx.Response]:
        app = application()
        async with client(app) as asking:
            slow = asyncio.create_task(asking.get("/v1/slow"))
            await app.state.began.wait()
            app.state.began.clear()
            stream = asyncio.create_task(asking.get("/v1/stream"))
            await app.state.began.wait()
            app.state.flight.end()
            return await slow, await stream

    slow, stream = asyncio.run(stop())
    assert slow.status_code == 503
    assert slow.json()["type"] == "urn:quire:problem:stopping"
    assert slow.headers["retry-after"] == "1"
    events = [part.split("\n") for part in stream.text.strip().split("\n\n")]
    assert [lines[0] for lines in events] == ["event: first", "event: problem"]
    assert json.loads(events[1][1].removeprefix("data: "))["status"] == 503
