"""Connections are kept, and after a while given to whoever has least to do; nothing that is asked is lost by it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest
from fastapi import FastAPI, Request
from uvicorn import Config, Server

from engine.service.access.connections import bounded_http
from engine.service.settings import ServiceSettings
from engine.service.spreading import spread


@pytest.fixture
def serving() -> Iterator[Callable[[float], str]]:
    """Serve, with connections that are kept for so many seconds, an application that tells the client's port."""
    app = FastAPI()
    running: list[tuple[Server, threading.Thread, socket.socket]] = []

    @app.get("/port")
    async def port(request: Request) -> int:
        assert request.client is not None
        return request.client.port

    def serve(seconds: float) -> str:
        http = spread(bounded_http(ServiceSettings()), seconds)
        server = Server(Config(app, http=http, loop="asyncio", log_config=None))
        listener = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        running.append((server, thread, listener))
        return f"http://127.0.0.1:{listener.getsockname()[1]}/port"

    yield serve
    for server, thread, listener in running:
        server.should_exit = True
        thread.join(30)
        listener.close()


@pytest.mark.parametrize(("seconds", "connections"), [(0.0, 5), (3600.0, 1)])
def test_a_connection_that_is_old_ends_with_an_answer(
    serving: Callable[[float], str], seconds: float, connections: int
) -> None:
    url = serving(seconds)
    with httpx.Client(timeout=30) as client:
        answers = [client.get(url) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 5
    assert len({answer.json() for answer in answers}) == connections
    closing = [answer.headers.get("connection") == "close" for answer in answers]
    assert closing == [connections > 1] * 5
