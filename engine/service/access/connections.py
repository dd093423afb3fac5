"""`bounded_http`: connections that hold no more of a request's head than may be, and wait for it no longer.

Uvicorn collects a head until it is whole, however large it becomes and however long it takes; no middleware sees it
before. Left so, one connection fills the memory (200 MB of header take 350 MB of it), and some thousands that say
nothing use up the descriptors.
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from engine.service.access.headers import HEADERS
from engine.service.access.heads import LONGEST_HEADERS, longest_url
from engine.service.problems import MEDIA_TYPE, Problem
from engine.service.settings import ServiceSettings

HEAD_SECONDS = 20.0
"""In which a request's head has to have arrived, counted from its first byte, or from when the connection was made."""


def bounded_http(settings: ServiceSettings, seconds: float = HEAD_SECONDS) -> type[HttpToolsProtocol]:
    """Return uvicorn's HTTP protocol with bounds: what its `Config(http=...)` takes.

    A head may have as many bytes as `Heads` lets through, which says more exactly what is too long, and about as many
    again that arrived with them.

    Args:
        settings: `max_query_chars` counts, as for the length of a URL.
        seconds: How long a head may take.
    """
    longest = longest_url(settings) + 2 * LONGEST_HEADERS

    class Bounded(BoundedHttp):
        longest_head = longest
        head_seconds = seconds

    return Bounded


class BoundedHttp(HttpToolsProtocol):
    """Uvicorn's protocol, which also counts a head's bytes (431) and its time (408), and tells errors as problems."""

    longest_head: int
    head_seconds: float

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._begun = False
        self._head_bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what arrived, and count it while it belongs to a head."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and (self._begun or not self._is_answering()):
            self._wait()
        if self._in_head and self._head_bytes > self.longest_head and not self.transport.is_closing():
            self._refuse(
                Problem(
                    431, "headers-too-large", f"URL and headers have more than {self.longest_head:,} bytes"
                )
            )

    def on_message_begin(self) -> None:
        """Begin a head."""
        super().on_message_begin()
        self._in_head = self._begun = True

    def on_headers_complete(self) -> None:
        """End a head."""
        self._in_head = self._begun = False
        self._head_bytes = 0
        self._wait_no_more()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End a request: what comes next is another head."""
        super().on_message_complete()
        self._in_head = True
        self._head_bytes = 0

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP."""
        self._refuse(Problem(400, "not-http", f"this cannot be read as HTTP/1.1: {msg}"))

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.head_seconds, self._late)

    def _wait_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        if self._is_answering():
            self._wait()  # what arrived of the next request has to wait for this answer anyway
        elif self._begun:
            self._refuse(
                Problem(408, "head-too-slow", f"no whole request came in {self.head_seconds:g} seconds")
            )
        else:
            self.transport.close()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, problem: Problem) -> None:
        """Answer with a problem, unless another answer is under way, and end the connection."""
        if not self._is_answering():
            body = json.dumps(problem.to_json()).encode()
            headers = {
                **HEADERS,
                "Content-Type": MEDIA_TYPE,
                "Content-Length": str(len(body)),
                "Cache-Control": "no-store",
                "Connection": "close",
            }
            lines = [f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            self.transport.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        self.transport.close()
