"""Bodies: counted as they arrive, whatever they say of themselves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope, Send

from engine.service.access.body_limit import BodyLimit
from engine.service.problems import Problem


class Exchange:
    """One request to an application that reads its body, as a server would carry it out.

    Args:
        pieces: Of the body; an infinite iterator is a client that never ends.
        headers: Of the request.
        silent: Whether nothing more comes after the pieces, and no end either.
    """

    def __init__(
        self, pieces: Iterable[bytes], headers: Iterable[tuple[bytes, bytes]] = (), *, silent: bool = False
    ) -> None:
        self.scope: Scope = {"type": "http", "method": "POST", "path": "/", "headers": list(headers)}
        self._pieces = iter(pieces)
        self._silent = silent
        self.taken = 0
        self.seen: list[bytes] = []
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        await asyncio.sleep(0)
        piece = next(self._pieces, None)
        if piece is None and self._silent:
            await asyncio.Event().wait()
        self.taken += len(piece or b"")
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        async for piece in Request(scope, receive).stream():
            self.seen.append(piece)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def run(self, most: int, patience: float = 30, app: Any = None) -> int:
        """Have it answered; the status."""
        limited = BodyLimit(app or self.app, lambda _: most, patience)
        asyncio.run(limited(self.scope, self.receive, self.send))
        starts = [message for message in self.sent if message["type"] == "http.response.start"]
        assert len(starts) == 1, "one answer"
        assert not self.sent[-1].get("more_body"), "and its end"
        return int(starts[0]["status"])

    def told(self) -> dict[str, Any]:
        """Return the problem that was answered."""
        found: dict[str, Any] = json.loads(b"".join(message.get("body", b"") for message in self.sent))
        return found

    def header(self, name: bytes) -> bytes:
        """Return a header of the answer."""
        return dict(self.sent[0]["headers"]).get(name, b"")


@given(st.lists(st.binary(max_size=30), max_size=12), st.integers(0, 200))
def test_a_body_is_read_whole_or_refused(pieces: list[bytes], most: int) -> None:
    exchange = Exchange(pieces)
    size = sum(map(len, pieces))
    if size <= most:
        assert exchange.run(most) == 200
        assert b"".join(exchange.seen) == b"".join(pieces)
    else:
        assert exchange.run(most) == 413
        assert sum(map(len, exchange.seen)) <= most, "not a byte more than may be reaches the application"


def test_what_says_its_size_is_refused_before_a_byte_is_read() -> None:
    exchange = Exchange([], [(b"content-length", b"1001")])
    assert exchange.run(1000) == 413
    assert (exchange.taken, exchange.seen) == (0, [])
    assert exchange.told()["most"] == 1000
    assert "1,001" in exchange.told()["detail"]
    assert exchange.header(b"connection") == b"close"
    assert Exchange([b"x" * 1000], [(b"content-length", b"1000")]).run(1000) == 200


def test_what_understates_its_size_is_counted_all_the_same() -> None:
    exchange = Exchange([b"x" * 600] * 2, [(b"content-length", b"600")])
    assert exchange.run(1000) == 413


def test_a_body_without_end_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.service.access.answers.LINGER_BYTES", 50_000)

    def endless() -> Iterable[bytes]:
        while True:
            yield b"x" * 1000

    exchange = Exchange(endless())
    assert exchange.run(10_000) == 413
    assert sum(map(len, exchange.seen)) <= 10_000
    assert exchange.taken <= 62_000


def test_the_answer_is_out_before_the_rest_is_thrown_away() -> None:
    """So that a client that goes on writing finds the answer when it looks."""
    exchange = Exchange([b"x" * 600] * 5)
    order: list[str] = []
    receive, send = exchange.receive, exchange.send

    async def receiving() -> Message:
        order.append("receive")
        return await receive()

    async def sending(message: Message) -> None:
        order.append("end" if message.get("more_body") is None and "body" in message else "answer")
        await send(message)

    asyncio.run(BodyLimit(exchange.app, lambda _: 1000, 30)(exchange.scope, receiving, sending))
    assert order == ["receive", "receive", "answer", "answer", *["receive"] * 4, "end"]


@pytest.mark.parametrize("kind", [ClientDisconnect, ValueError])
def test_however_the_application_takes_it_the_answer_is_one(kind: type[Exception]) -> None:
    exchange = Exchange([b"x" * 600] * 2)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await exchange.app(scope, receive, send)
        except ClientDisconnect as error:
            await send({"type": "http.response.start", "status": 400, "headers": []})
            await send({"type": "http.response.body", "body": b"cannot be parsed"})
            raise kind from error

    assert exchange.run(1000, app=app) == 413
    assert exchange.told()["type"] == "urn:quire:problem:body-too-large"


def test_a_refusal_is_whole_where_the_application_gives_up_reading() -> None:
    """As one does that reads in a task of its own, and ends without it."""
    exchange = Exchange([b"x" * 600] * 5)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def reading() -> None:
            while True:
                await receive()

        task = asyncio.create_task(reading())
        while not exchange.sent:
            await asyncio.sleep(0)
        task.cancel()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    assert exchange.run(1000, app=app) == 413
    assert exchange.told()["status"] == 413


def test_errors_of_the_application_are_its_own() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        Exchange([]).run(1000, app=app)


def test_an_answer_under_way_is_not_broken_by_a_long_body() -> None:
    exchange = Exchange([b"x" * 600] * 5)
    ends: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        message: Message = {"type": "http.request"}
        while message["type"] == "http.request":
            message = await receive()
        ends.append(message["type"])
        await send({"type": "http.response.body", "body": b"done"})

    assert exchange.run(1000, app=app) == 200
    assert ends == ["http.disconnect"]
    assert exchange.taken == 1200


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.service.access.answers.LINGER_SECONDS", 0.01)
    exchange = Exchange([b"x"], silent=True)
    assert exchange.run(1000, patience=0.01) == 408
    assert exchange.told()["type"] == "urn:quire:problem:body-too-slow"


def test_a_long_answer_is_not_cut_short_once_the_body_is_there() -> None:
    exchange = Exchange([])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["more_body"] is False
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0.05)
        waiting.cancel()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    assert exchange.run(1000, patience=0.01, app=app) == 200


def test_what_may_not_come_at_all_is_told_instead() -> None:
    def most(_: Scope) -> int:
        raise Problem(401, "key-missing", "none", {"WWW-Authenticate": "Bearer"})

    exchange = Exchange([b"x"], [(b"transfer-encoding", b"chunked")])
    asyncio.run(BodyLimit(exchange.app, most)(exchange.scope, exchange.receive, exchange.send))
    assert exchange.sent[0]["status"] == 401
    assert exchange.header(b"www-authenticate") == b"Bearer"
    assert exchange.seen == []


def test_an_upload_may_be_large_where_the_key_may_index(door: Callable, client: Callable) -> None:
    here = door(max_body_kb=1, max_upload_mb=1)
    asking = client(here)

    def sent(path: str, size: int, chunked: bool = False, **headers: str) -> int:
        async def pieces() -> AsyncIterator[bytes]:
            for at in range(0, size, 65_536):
                yield b"x" * min(65_536, size - at)

        body: Any = pieces() if chunked else b"x" * size
        status: int = asking.post(path, content=body, headers=headers).status_code
        return status

    indexing, searching = here.secret("index"), here.secret("search")
    for chunked in (False, True):
        assert sent("/v1/documents", 1024 * 1024, chunked, **indexing) == 200
        assert sent("/v1/documents", 1024 * 1024 + 1, chunked, **indexing) == 413
        assert sent("/v1/documents", 1024, chunked, **searching) == 403
        assert sent("/v1/documents", 1025, chunked, **searching) == (403 if chunked else 413), "unread"
        assert sent("/v1/documents", 1025, chunked) == 401, "who it is comes before how much"
        assert sent("/v1/size", 1025, chunked, **searching) == 413


def test_who_asks_comes_before_what_was_sent(door: Callable, client: Callable) -> None:
    found = client(door()).post("/v1/size", content=b"{no JSON", headers={"Content-Type": "application/json"})
    assert found.status_code == 401
