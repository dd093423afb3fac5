"""`Site`: a service that really listens, as `quire serve` has it, in a thread of this process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.configuration import Configuration, load

if TYPE_CHECKING:
    from fastapi import FastAPI

    from engine.service.service import Service
    from indexer.encoding import Encoder
    from indexer.opening import Place
    from reranker.scorer import PairScorer

SECONDS = 60.0


@dataclass
class Site:
    """A service that answers.

    Args:
        url: Where, without a slash at its end.
        service: The service itself, in this process.
        loop: What it runs on.
    """

    url: str
    service: Service
    loop: asyncio.AbstractEventLoop
    _thread: threading.Thread
    _lifeline: socket.socket

    def token(self, reader: str, *, hours: float = 1) -> str:
        """Return a token of a reader of the box's tenant."""
        return self.service.tokens.issue(reader, self.service.settings.tenant, hours=hours)

    def expired_token(self, reader: str) -> str:
        """Return a token that held until an hour ago."""
        tokens = self.service.tokens
        clock = tokens._clock
        tokens._clock = lambda: clock() - 7200
        try:
            return self.token(reader)
        finally:
            tokens._clock = clock

    @contextlib.contextmanager
    def busy(self) -> Iterator[threading.Event]:
        """Keep every thread that answers busy: what is asked meanwhile waits until the event is set, or the end."""
        free = threading.Event()
        holding = [threading.Event() for _ in range(self.service.pool.threads)]

        def hold(started: threading.Event) -> None:
            started.set()
            free.wait()

        held = [
            asyncio.run_coroutine_threadsafe(
                self.service.pool.run(lambda _, started=started: hold(started)), self.loop
            )
            for started in holding
        ]
        try:
            for started in holding:
                assert started.wait(SECONDS)
            yield free
        finally:
            free.set()
            for one in held:
                with contextlib.suppress(
                    Exception
                ):  # it was given up as too slow, as a test may mean it to be
                    one.result(SECONDS)

    def stop(self) -> None:
        """Be gone. Stopping twice is harmless."""
        self._lifeline.close()
        self._thread.join(SECONDS)


def serve(
    index: Path,
    encoder: Encoder | None = None,
    reranker: PairScorer | None = None,
    *,
    indexing: str = "",
    **values: object,
) -> Site:
    """Start a service over an index, and return when it answers.

    Args:
        index: The index's folder.
        encoder: The one that it was made with; None to load that one.
        reranker: The cross-encoder; None for the one that is configured.
        indexing: The module whose process does jobs; empty for the usual one, which loads the encoder by its name.
        **values: Of [service].
    """
    from engine.service import worker
    from engine.service.app import create_app
    from engine.service.jobs.jobs import Jobs
    from engine.service.service import Service

    made: list[Service] = []

    def application(place: Place, configuration: Configuration) -> FastAPI:
        made.append(Service.open(place, configuration=configuration, encoder=encoder, reranker=reranker))
        return create_app(made[0])

    values = {"drain_seconds": 1, **values}
    options = {f"service.{name}": (name, value) for name, value in values.items()}
    configuration = load(environ={"HOME": str(index)}, options=options, folder=index)
    ready, loops = threading.Event(), []
    lifeline, orphaned = socket.socketpair()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))

    def answering() -> None:
        loops.append(asyncio.get_running_loop())
        ready.set()

    def run() -> None:
        with listener, orphaned, pytest.MonkeyPatch.context() as patch:
            patch.setattr(worker, "set_up", lambda *_, **__: None)  # the log of the tests stays as it is
            if indexing:
                patch.setattr(Jobs, "open", partial(Jobs.open, indexing=indexing))
            worker.run_worker(
                worker.Plan(index, configuration, application), listener, ready=answering, orphaned=orphaned
            )

    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread = threading.Thread(target=run, name="site", daemon=True)
    thread.start()
    while not ready.wait(0.2):
        if not thread.is_alive():
            raise RuntimeError("the service did not start")
    return Site(url, made[0], loops[0], thread, lifeline)
