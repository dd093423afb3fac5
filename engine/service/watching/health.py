"""What those ask who look after the service: does it live, can it answer, and its numbers.

    GET /health/live    200 as long as the process answers at all: restart it when it does not
    GET /health/ready   200 when the index can be read, 503 when it cannot or the service is being stopped
    GET /metrics        Prometheus' text form

The first two say nothing else and ask for no key. /metrics is for this machine, and elsewhere for keys with the scope
`admin`: it tells no reader's secrets, but how much there is to do, and how the service does. A request from this
machine that was passed on (it says so in a header) is not one from this machine.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from engine.service.problems import Problem
from engine.service.watching.logs import LOG
from engine.service.watching.metrics import CONTENT_TYPE

if TYPE_CHECKING:
    from engine.service.watching.flight import Flight
    from engine.service.watching.metrics import Metrics

PASSED_ON = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""Headers that say that a request came through something in between."""

FRESH_SECONDS = 1.0
"""How long it is remembered whether the index can be read: whoever asks faster asks nobody."""

CHECK_SECONDS = 5.0
"""How long reading the index may take before it counts as one that cannot be read."""


class Readiness:
    """Whether requests can be answered.

    Args:
        check: Reads a little of the index, and raises where that cannot be done. Run in a thread.
    """

    def __init__(self, check: Callable[[], object]) -> None:
        self._check = check
        self._asked = float("-inf")
        self._ready = False
        self._asking: asyncio.Task[bool] | None = None

    async def ready(self) -> bool:
        """Return whether the index can be read, as it was found less than a second ago."""
        if time.monotonic() - self._asked >= FRESH_SECONDS:
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask())
            try:
                self._ready = await asyncio.wait_for(asyncio.shield(self._asking), CHECK_SECONDS)
            except TimeoutError:
                self._ready = False
            self._asked = time.monotonic()
        return self._ready

    async def _ask(self) -> bool:
        try:
            await asyncio.to_thread(self._check)
        except Exception:  # whatever it is, it is why no request can be answered
            LOG.warning("the index cannot be read", exc_info=True)
            return False
        return True


def health_router(readiness: Readiness, flight: Flight) -> APIRouter:
    """Return the routes of health."""
    router = APIRouter(include_in_schema=False)

    @router.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/health/ready")
    async def ready() -> dict[str, str]:
        if flight.draining:
            raise Problem(503, "stopping", "the service is being stopped", {"Retry-After": "1"})
        if not await readiness.ready():
            raise Problem(
                503, "not-ready", "the index cannot be read; the log says why", {"Retry-After": "1"}
            )
        return {"status": "ready"}

    return router


def metrics_router(metrics: Metrics, admin: Callable[[Request], None]) -> APIRouter:
    """Return the route of the numbers.

    Args:
        metrics: The numbers.
        admin: Raises a Problem where a request has no key with the scope `admin`.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/metrics")
    async def numbers(request: Request) -> Response:
        if not is_local(request):
            admin(request)  # counts against rates, which are the event loop's alone
        told = await asyncio.to_thread(metrics.render)
        return Response(told, media_type=None, headers={"content-type": CONTENT_TYPE})

    return router


def is_local(request: Request) -> bool:
    """Whether a request comes from this machine, and was passed on by nothing that says so."""
    if request.client is None or any(name in request.headers for name in PASSED_ON):
        return False
    try:
        found = ipaddress.ip_address(request.client.host)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped.is_loopback
    return found.is_loopback
