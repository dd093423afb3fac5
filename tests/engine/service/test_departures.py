"""A client that goes away: the work for it is cancelled, and nobody else's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from engine.service.app import create_app
from engine.service.departures import Departures
from engine.service.pool import Pressure
from engine.service.service import Service

HTTP = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}


class Client:
    """The other end of a connection: what it sends, and what it was sent."""

    def __init__(self, *bodies: bytes) -> None:
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        for at, body in enumerate(bodies):
            more = at < len(bodies) - 1
            self.messages.put_nowait({"type": "http.request", "body": body, "more_body": more})
        self.read = 0
        self.sent: list[Message] = []

    def leave(self) -> None:
        self.messages.put_nowait({"type": "http.disconnect"})

    async def receive(self) -> Message:
        message = await self.messages.get()
        self.read += 1
        return message

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def statuses(self) -> list[int]:
        return [one["status"] for one in self.sent if one["type"] == "http.response.start"]


async def answer(send: Send, more: bool = False) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"yes", "more_body": more})


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 30))  # type: ignore[arg-type]


@pytest.mark.parametrize("reads", [False, True])
def test_who_leaves_is_not_worked_for(reads: bool) -> None:
    """Whether the application reads the body, as with POST, or does not, as with GET."""
    seen: list[str] = []
    begun = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if reads:
            await receive()
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def test() -> None:
        client = Client(b"")
        task = asyncio.create_task(Departures(app)(dict(HTTP), client.receive, client.send))
        await begun.wait()
        client.leave()
        await task
        assert seen == ["cancelled"]
        assert client.statuses == [499]
        assert not task.cancelled()

    run(test)


def test_a_stream_ends_where_it_is() -> None:
    begun = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, more=True)
        begun.set()
        await asyncio.Event().wait()

    async def test() -> None:
        client = Client(b"")
        task = asyncio.create_task(Departures(app)(dict(HTTP), client.receive, client.send))
        await begun.wait()
        client.leave()
        await task
        assert client.statuses == [200]

    run(test)


def test_who_has_the_whole_answer_cancels_nothing() -> None:
    """What is done after an answer, as by middleware, is done although the connection ended with it."""
    done: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send)
        client.leave()
        for _ in range(10):
            await asyncio.sleep(0)
        done.append("after")

    client = Client(b"")

    async def test() -> None:
        await Departures(app)(dict(HTTP), client.receive, client.send)
        assert done == ["after"]
        assert client.statuses == [200]

    run(test)


def test_another_cancellation_is_none_of_ours() -> None:
    begun = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def test() -> None:
        client = Client(b"")
        task = asyncio.create_task(Departures(app)(dict(HTTP), client.receive, client.send))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert client.sent == []

    run(test)


def test_a_large_body_waits_for_its_reader() -> None:
    """Of the pieces of a body, only the next is read ahead, and another is held."""
    pieces = [bytes([at]) for at in range(50)]
    got: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        assert client.read <= 2
        while True:
            message = await receive()
            got.append(message["body"])
            assert client.read <= len(got) + 2
            if not message["more_body"]:
                break
        await answer(send)

    client = Client(*pieces)

    async def test() -> None:
        await Departures(app)(dict(HTTP), client.receive, client.send)
        assert got == pieces
        assert client.statuses == [200]

    run(test)


def test_errors_and_other_protocols_pass() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            raise KeyError("mine")
        await send({"type": "lifespan.startup.complete"})

    async def test() -> None:
        client = Client(b"")
        with pytest.raises(KeyError, match="mine"):
            await Departures(app)(dict(HTTP), client.receive, client.send)
        await Departures(app)({"type": "lifespan"}, client.receive, client.send)
        assert client.sent == [{"type": "lifespan.startup.complete"}]

    run(test)


def test_a_search_that_nobody_waits_for_ends_between_two_stages(
    service: Service, client_of: Callable[..., httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through all layers: the client leaves while the engine encodes; reranking never begins."""
    engine = service.engines.of("default")
    encoding, left = threading.Event(), threading.Event()
    stages: list[str] = []
    seen: list[Callable[[], bool]] = []
    plain = engine.search

    def search(*args: object, cancelled: Callable[[], bool], **values: object) -> object:
        def watching() -> bool:
            encoding.set()
            assert left.wait(30)
            stages.append("asked")
            return cancelled()

        seen.append(cancelled)
        return plain(*args, cancelled=watching, **values)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "search", search)
    app = create_app(service)

    async def test() -> None:
        client = Client(b'{"query": "turbine"}')
        _, secret = service.keys.create(["search"])
        headers = [
            (b"authorization", f"Bearer {secret}".encode()),
            (b"content-type", b"application/json"),
            (b"host", b"localhost"),
        ]
        scope = {**HTTP, "path": "/v1/search", "headers": headers, "client": ("127.0.0.1", 1)}
        task = asyncio.create_task(app(scope, client.receive, client.send))
        assert await asyncio.to_thread(encoding.wait, 30)
        client.leave()
        await task
        left.set()
        assert client.statuses == [499]
        assert seen[0]()
        # The only thread that was taken is free again, and the search asked once whether it is to go on.
        assert await service.pool.run(lambda pressure: isinstance(pressure, Pressure))

    run(test)
    service.pool.close()
    assert stages == ["asked"]
