"""Connections as they really come in: heads without end, heads without hurry, and what is no HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from engine.service.access.connections import bounded_http
from engine.service.access.headers import HEADERS
from engine.service.settings import ServiceSettings

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Any]]


async def answering(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body and say how long it was; `/later` takes its time."""
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    if scope["path"] == "/later":
        await asyncio.sleep(0.1)
    body = str(size).encode()
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]}
    )
    await send({"type": "http.response.body", "body": body})


def talk(talking: Talk, seconds: float = 60.0) -> Any:
    """Serve on a port of this machine, and have a client talk to it."""

    async def both() -> Any:
        config = Config(
            answering,
            http=bounded_http(ServiceSettings(max_query_chars=1), seconds),
            ws="none",
            log_config=None,
            access_log=False,
        )
        config.load()
        state = ServerState()
        made: Callable[[], asyncio.Protocol] = lambda: config.http_protocol_class(  # type: ignore[call-arg] # noqa: E731
            config=config, server_state=state, app_state={}
        )
        server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            try:
                return await asyncio.wait_for(talking(reader, writer), 30)
            finally:
                writer.close()

    return asyncio.run(both())


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """Return the next answer: status, headers, body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in head[1:] if line)
    lower = {name.lower(): value for name, value in headers.items()}
    return int(head[0].split()[1]), lower, await reader.readexactly(int(lower["content-length"]))


def check_refused(found: tuple[int, dict[str, str], bytes], status: int, kind: str) -> None:
    """Make sure that an answer is a problem as every other, and the last one."""
    assert found[0] == status
    assert json.loads(found[2])["type"] == f"urn:quire:problem:{kind}"
    assert (found[1]["content-type"], found[1]["connection"]) == ("application/problem+json", "close")
    assert {name: found[1][name.lower()] for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: ", b"a" * 10_000),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", b"a: b\r\n" * 2000),
        (b"GET /", b"a" * 10_000),
    ],
)
def test_a_head_without_end_is_refused(begin: bytes, more: bytes) -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        writer.write(begin)
        sent = 0
        refused = asyncio.ensure_future(answer(reader))
        while not refused.done() and sent < 100_000_000:
            writer.write(more)
            sent += len(more)
            try:
                await writer.drain()
            except ConnectionError:
                break
            await asyncio.sleep(0)
        check_refused(await refused, 431, "headers-too-large")
        return sent

    assert talk(endless) < 10_000_000


def test_what_may_be_goes_through_in_any_pieces() -> None:
    long = b"GET /a HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 30_000 + b"\r\n\r\n"
    post = b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n" + b"x" * 500_000

    async def pieces(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> list[tuple[int, bytes]]:
        found = []
        for request, size in ((GET, 1), (long, 997), (post, 65_536), (GET, 100)):
            for at in range(0, len(request), size):
                writer.write(request[at : at + size])
                await writer.drain()
            status, _, body = await answer(reader)
            found.append((status, body))
        writer.write(GET + post + GET)
        for _ in range(3):
            status, _, body = await answer(reader)
            found.append((status, body))
        return found

    zero, large = (200, b"0"), (200, b"500000")
    assert talk(pieces) == [zero, zero, large, zero, zero, large, zero]


def test_who_says_nothing_is_not_waited_for() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        return await reader.read()

    assert talk(silent, seconds=0.02) == b""


@pytest.mark.parametrize("before", [b"", GET])
def test_who_says_half_of_it_is_told_so(before: bytes) -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        if before:
            writer.write(before)
            assert (await answer(reader))[0] == 200
        writer.write(b"GET / HT")
        check_refused(await answer(reader), 408, "head-too-slow")
        return await reader.read()

    assert talk(half, seconds=0.05) == b""


def test_an_answer_that_takes_long_is_not_cut_by_half_of_the_next_request() -> None:
    async def eager(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        writer.write(b"GET /later HTTP/1.1\r\nHost: x\r\n\r\nGET / HT")
        status, _, _ = await answer(reader)
        check_refused(await answer(reader), 408, "head-too-slow")
        return status

    assert talk(eager, seconds=0.02) == 200


@pytest.mark.parametrize(
    "said", [b"\x16\x03\x01\x02\x00\r\n\r\n", b"hello\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"]
)
def test_what_is_no_http_is_told_so(said: bytes) -> None:
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(said)
        check_refused(await answer(reader), 400, "not-http")
        return await reader.read()

    assert talk(other) == b""


def test_a_connection_that_is_kept_is_the_server_s_to_end() -> None:
    """Between requests no head is late, however long the answer took; after a stray line end one is."""

    async def kept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        for path in (b"a", b"later", b"a"):
            writer.write(b"GET /%b HTTP/1.1\r\nHost: x\r\n\r\n" % path)
            assert (await answer(reader))[0] == 200
            await asyncio.sleep(0.06)
        writer.write(b"\r\n")
        return await reader.read()

    assert talk(kept, seconds=0.02) == b""
