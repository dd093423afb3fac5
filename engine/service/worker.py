"""One process that answers: opens the index, warms up, listens, looks after itself, and ends in order."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeAlias

from uvicorn import Config, Server

from engine.service.access.connections import bounded_http
from engine.service.listening import BACKLOG, cannot_listen
from engine.service.spreading import spread
from engine.service.tending import Tending
from engine.service.watching.logs import LOG, set_up

if TYPE_CHECKING:
    from fastapi import FastAPI

    from engine.configuration import Configuration
    from engine.service.settings import ServiceSettings
    from engine.service.watching.flight import Flight
    from indexer.opening import Place

Application: TypeAlias = "Callable[[Place, Configuration], FastAPI]"
STOPS = (
    signal.SIGTERM,
    signal.SIGINT,
    *(() if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)),
)
"""What stops the service in order: also that its terminal is gone, unless it was started not to mind (nohup)."""
KEEP_ALIVE_SECONDS = 75
"""Longer than proxies keep their connections, as a rule: else one would be closed just when it is used again."""

POLITE_SECONDS = 3
"""How long after `drain_seconds` what is cut short may take to say so."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What every process is to do; it reaches them over a pipe, not a command line.

    Args:
        place: Where the index is.
        configuration: How.
        application: Makes the application; its `state.service` is looked after.
        folder: Where the processes keep their numbers; empty for one process.
        number: Which of them this is.
    """

    place: Place
    configuration: Configuration
    application: Application
    folder: str = ""
    number: int = 0


def standard(place: Place, configuration: Configuration) -> FastAPI:
    """Return Quire's own application over an index."""
    from engine.service.app import create_app
    from engine.service.service import Service

    return create_app(Service.open(place, configuration=configuration))


def run_worker(
    plan: Plan,
    listener: socket.socket,
    *,
    ready: Callable[[], None],
    orphaned: socket.socket | None = None,
) -> None:
    """Answer requests until told to stop.

    Args:
        plan: What to do.
        listener: Where from; bound, and perhaps listening already.
        ready: Called when it can be asked.
        orphaned: Can be read when whoever started this process is gone, which is a reason to stop.

    Raises:
        SearchError: the index cannot be opened, or the address not be listened on.
    """
    settings = plan.configuration.service
    set_up(settings.log, worker=plan.number if plan.folder else None)
    with _stopped_by(_end):
        _answer(plan, listener, ready, orphaned)


def _answer(
    plan: Plan, listener: socket.socket, ready: Callable[[], None], orphaned: socket.socket | None
) -> None:
    settings = plan.configuration.service
    app = plan.application(plan.place, plan.configuration)
    tending = Tending(app, settings)
    try:
        tending.warm()
        http = bounded_http(settings)
        config = Config(
            app,
            http=spread(http) if settings.workers > 1 else http,
            loop="uvloop",
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,  # whom to believe is the application's to know
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=settings.drain_seconds + POLITE_SECONDS,
        )
        Draining(config, tending, ready, settings, orphaned).run([listener])
    finally:
        tending.close()


@contextlib.contextmanager
def _stopped_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Have signals to stop handled so; only the main thread can do that, and in others nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.signal(one, handler) for one in STOPS}
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    try:
        yield
    finally:
        for one, handled in before.items():
            signal.signal(one, handled)


def _end(*_: object) -> None:
    """End while the index is being opened, or closed: nothing is under way that could be finished."""
    raise SystemExit(0)


class Draining(Server):
    """A uvicorn server that ends in order.

    Args:
        config: Of uvicorn.
        tending: What is done beside answering.
        ready: Called when it can be asked.
        settings: Where it listens, and how long requests under way may still take after a signal to stop.
        orphaned: Can be read when whoever started this process is gone.
    """

    def __init__(
        self,
        config: Config,
        tending: Tending,
        ready: Callable[[], None],
        settings: ServiceSettings,
        orphaned: socket.socket | None,
    ) -> None:
        super().__init__(config)
        self._tending = tending
        self._ready = ready
        self._settings = settings
        self._orphaned = orphaned

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at each of `STOPS`, and end as one who was asked to: uvicorn would raise them again at the end."""
        with _stopped_by(self.handle_exit):
            yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so.

        Raises:
            CannotServe: the address cannot be listened on.
        """
        try:
            await super().startup(sockets)
        except OSError as error:
            port = sockets[0].getsockname()[1] if sockets else self._settings.port
            raise cannot_listen(self._settings.host, port, error) from error
        if not self.started or self.should_exit:
            return
        if self._orphaned is not None:
            asyncio.get_running_loop().add_reader(self._orphaned, self._abandoned)
        self._tending.start()
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nothing more, finish what is under way, and cut short what takes too long."""
        if self._orphaned is not None:
            asyncio.get_running_loop().remove_reader(self._orphaned)
        flight = self._flight()
        count = 0 if flight is None else len(flight)
        LOG.info("stopping", extra={"fields": {"in_flight": count}})
        stopping = asyncio.create_task(self._tending.stop())
        if flight is None:
            await super().shutdown(sockets)
        else:
            flight.draining = True
            limit = asyncio.get_running_loop().call_later(self._settings.drain_seconds, flight.end)
            await super().shutdown(sockets)
            limit.cancel()
        await stopping
        LOG.info("stopped")

    def _flight(self) -> Flight | None:
        app: Any = self.config.app
        return getattr(app.state, "flight", None)

    def _abandoned(self) -> None:
        LOG.warning("the supervisor is gone, so this worker stops")
        asyncio.get_running_loop().remove_reader(self._orphaned)  # type: ignore[arg-type]
        self.should_exit = True
