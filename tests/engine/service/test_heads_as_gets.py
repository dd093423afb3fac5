"""HEAD is answered wherever GET is: the same status and headers, and no body, by a real server too."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from uvicorn import Config, Server

from engine.service.access.connections import bounded_http
from engine.service.service import Service

from .conftest import Asker


@pytest.mark.parametrize(
    "path",
    [
        "/health/live",
        "/health/ready",
        "/v1/openapi.json",
        "/v1/documents/text?id=d01",
        "/v1/documents/text?id=no",
    ],
)
def test_head_is_get_without_its_body(ask: Asker, path: str) -> None:
    got, head = ask("GET", path), ask("HEAD", path)
    assert head.status_code == got.status_code
    assert head.headers["content-length"] == got.headers["content-length"]
    assert head.headers["content-type"] == got.headers["content-type"]
    assert head.content == b""


def test_what_cannot_be_got_has_no_head(ask: Asker) -> None:
    for path in ("/v1/events", "/v1/search/stream"):
        assert ask("HEAD", path).headers["allow"] == "POST"
    assert ask("PUT", "/v1/search").headers["allow"] == "GET, HEAD, POST"


def test_it_counts_as_head_under_its_route(ask: Asker) -> None:
    ask("HEAD", "/v1/suggest?q=tur")
    told = ask("GET", "/metrics", headers={"x-forwarded-for": "192.0.2.1"}).text
    assert 'quire_requests_total{method="HEAD",route="/v1/suggest",status="200"}' in told


@pytest.fixture
def port(shared_app: FastAPI, shared_service: Service) -> Iterator[int]:
    """A server of its own over the application."""
    listener = socket.create_server(("127.0.0.1", 0))
    http = bounded_http(shared_service.settings)
    server = Server(Config(shared_app, http=http, lifespan="off", log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(20)


def test_no_body_comes_over_the_wire(port: int) -> None:
    """So that the next answer on the same connection is where it is looked for."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        head = b"HEAD /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
        last = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        connection.sendall(head + last)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    first, second = answer.split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert first.endswith(b"\r\n\r\n")
    assert second.endswith(b'{"status":"alive"}')
