"""A server that answers as it is told: stands for a failing network, never for what Elasticsearch itself does."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PRODUCT = {"X-Elastic-Product": "Elasticsearch"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: a status with headers and a body; or `reset`, `hang`, `raw` bytes in place of an answer."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: str = "application/json"
    does: str = "answer"
    raw: bytes = b""


RESET = Answer(does="reset")
HANG = Answer(does="hang")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer leaves in one piece: in two, the second waits for the first to be acknowledged.
    wbufsize = -1
    server: _Server

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.told.next(Asked(self.command, self.path, headers, self.rfile.read(length)))
        if answer.does == "answer":
            self._send(answer)
            return
        self.close_connection = True
        if answer.does == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif answer.does == "hang":
            self.server.told.released.wait(30)
        else:
            self.wfile.write(answer.raw)

    def _send(self, answer: Answer) -> None:
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        if self.command == "HEAD":
            body = b""
        self.send_response(answer.status)
        for name, value in {**PRODUCT, **answer.headers}.items():
            if value:
                self.send_header(name, value)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, told: ToldServer, context: ssl.SSLContext | None) -> None:
        self.told = told
        self._context = context
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hung up, or refused our certificate, is what the test is about."""

    def get_request(self) -> tuple[Any, Any]:
        connection, place = super().get_request()
        if self._context is None:
            return connection, place
        connection.settimeout(5)
        try:
            return self._context.wrap_socket(connection, server_side=True), place
        except OSError:
            connection.close()
            raise


class ToldServer:
    """Gives the answers it was told, in order, the last one again and again; remembers what it was asked."""

    def __init__(self, *answers: Answer, context: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self.arrived = threading.Event()
        self.released = threading.Event()
        self._answers = list(answers) or [Answer()]
        self._lock = threading.Lock()
        self._server = _Server(self, context)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def next(self, asked: Asked) -> Answer:
        """Note a request and return the answer to it."""
        with self._lock:
            self.asked.append(asked)
            self.arrived.set()
            return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def tell(self, *answers: Answer) -> None:
        """Give these answers from now on."""
        with self._lock:
            self._answers = list(answers)

    def close(self) -> None:
        """Stop; callers that hang are let go."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> ToldServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
