"""`Site`: a service that really listens, in a thread of this process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from engine.configuration import load

if TYPE_CHECKING:
    from fastapi import FastAPI

    from engine.service.service import Service
    from indexer.encoding import Encoder

START_SECONDS = 60.0


@dataclass
class Site:
    """A service that answers.

    Args:
        url: Where, without a slash at its end.
        service: The service itself, in this process.
    """

    url: str
    service: Service
    _server: Listening
    _thread: threading.Thread

    def token(self, reader: str, *, hours: int = 1) -> str:
        """Return a token of a reader of the box's tenant."""
        return self.service.tokens.issue(reader, self.service.settings.tenant, hours=hours)

    @contextlib.contextmanager
    def busy(self) -> Iterator[threading.Event]:
        """Keep every thread that answers busy: what is asked meanwhile waits until the event is set, or the end."""
        free = threading.Event()
        holding = [threading.Event() for _ in range(self.service.pool.threads)]

        def hold(started: threading.Event) -> None:
            started.set()
            free.wait()

        loop = self._server.loop
        held = [
            asyncio.run_coroutine_threadsafe(self.service.pool.run(lambda _, one=one: hold(one)), loop)
            for one in holding
        ]
        try:
            for one in holding:
                assert one.wait(START_SECONDS)
            yield free
        finally:
            free.set()
            for one_held in held:
                with contextlib.suppress(
                    Exception
                ):  # it was given up as too slow, as a test may mean it to be
                    one_held.result(START_SECONDS)

    def stop(self) -> None:
        """Be gone. Stopping twice is harmless."""
        if self._thread.is_alive():
            self._server.should_exit = True
            self._thread.join(START_SECONDS)
            self.service.close()


class Listening(Protocol):
    """What is used of a uvicorn server, and two things more."""

    ready: threading.Event
    loop: asyncio.AbstractEventLoop
    should_exit: bool

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer until told to stop."""


def _listening(app: FastAPI) -> Listening:
    from uvicorn import Config, Server

    class Announced(Server):
        """Says when it answers, and on which loop."""

        ready = threading.Event()

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            self.loop = asyncio.get_running_loop()
            self.ready.set()

    return Announced(Config(app, log_config=None, timeout_graceful_shutdown=5))


def serve(index: Path, encoder: Encoder | None = None, **values: object) -> Site:
    """Start a service over an index, and return when it answers.

    Args:
        index: The index's folder.
        encoder: The one that it was made with; None to load that one.
        **values: Of [service].
    """
    from engine.service.app import create_app
    from engine.service.service import Service

    options = {f"service.{name}": (name, value) for name, value in values.items()}
    service = Service.open(
        index,
        configuration=load(environ={"HOME": str(index)}, options=options, folder=index),
        encoder=encoder,
    )
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = _listening(create_app(service))
    thread = threading.Thread(target=server.run, args=([listening],), name="site", daemon=True)
    thread.start()
    if not server.ready.wait(START_SECONDS):
        raise TimeoutError("the service did not start")
    return Site(f"http://127.0.0.1:{listening.getsockname()[1]}", service, server, thread)
