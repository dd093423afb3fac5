"""Connections among several processes: none is kept so long that a process that came later has nothing to do.

A client keeps its connection, and so its process. When a process dies, its clients go to the others, and would stay
there; the one that takes its place would wait for new ones. So a connection that is a minute old is closed with its
next answer, which says so (`Connection: close`): the client makes another, which whoever has least to do accepts.
"""

from __future__ import annotations

import asyncio
import random
import time

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

SECONDS = 60.0
JITTER = 0.25
"""The part of that by which one connection is kept longer or shorter than another, so that not all end at once."""


class Spreading(HttpToolsProtocol):
    """Uvicorn's protocol, which ends connections that have been kept for long."""

    longest_seconds = SECONDS
    _until = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to count."""
        super().connection_made(transport)
        chance = random.uniform(1 - JITTER, 1 + JITTER)
        self._until = time.monotonic() + self.longest_seconds * chance

    def on_headers_complete(self) -> None:
        """Let this request be the connection's last where it is time."""
        super().on_headers_complete()
        if self.cycle is not None and time.monotonic() >= self._until:
            self.cycle.keep_alive = False


def spread(http: type[HttpToolsProtocol], seconds: float = SECONDS) -> type[HttpToolsProtocol]:
    """Return a protocol that does what `http` does, and ends connections after about so many seconds."""
    return type("Spread", (Spreading, http), {"longest_seconds": seconds})
