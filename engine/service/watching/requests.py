"""`Requests`: around each request, what is said of it: an id, a line in the log, numbers, a span.

It is the outermost of the application's own layers, so that it sees what the others refuse. A plain ASGI layer: it
keeps no body and delays none.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
import time
from collections.abc import Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from starlette.datastructures import MutableHeaders

from engine.service.access.state import caller_of
from engine.service.problems import MEDIA_TYPE, Problem
from engine.service.watching.logs import LOG, Disguise, told
from engine.service.watching.metrics import METHODS
from engine.service.watching.record import CURRENT, Record
from engine.service.watching.route import route_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from engine.service.watching.flight import Flight
    from engine.service.watching.metrics import Metrics
    from engine.service.watching.traces import Traces

HEADER = "x-request-id"
ACCEPTED = re.compile(rb"[A-Za-z0-9][A-Za-z0-9_-]{7,63}")
"""An id that the caller may give. Anything else is replaced by one of our own."""

UNKNOWN = "none"
"""What stands for the route where a request met none."""

GONE = 499
"""The status of a request whose caller did not wait for the answer."""

QUIET = frozenset({"/health/live", "/health/ready", "/metrics"})
"""Routes whose requests are only logged when they fail, and not traced: they come every few seconds."""


class Requests:
    """Watches requests.

    Args:
        app: What answers them.
        metrics: Where they are counted.
        disguise: Gives readers their names in the log.
        flight: Knows those that are under way.
        traces: Makes spans of them; None where nobody asked for traces.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        disguise: Disguise,
        flight: Flight,
        traces: Traces | None = None,
    ) -> None:
        self.app = app
        self._metrics = metrics
        self._disguise = disguise
        self._flight = flight
        self._traces = traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and say so."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in METHODS else "other"
        record = Record(_request_id(scope), method)
        scope.setdefault("state", {})["request_id"] = record.request_id
        answer = _Answer(record, send)
        token = CURRENT.set(record)
        self._metrics.began()
        traces = None if scope["path"] in QUIET else self._traces
        try:
            with self._flight.one(), traces.request(scope, record) if traces else nullcontext():
                await self._watched(scope, receive, answer)
        finally:
            CURRENT.reset(token)
            self._tell(scope, record)

    async def _watched(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        record = answer.record
        try:
            await self.app(scope, receive, answer.send)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._flight.ending or task is None:
                raise
            task.uncancel()
            await answer.cut_short()
        except Exception as error:
            self._metrics.error(error)
            if record.status:
                raise  # what has begun cannot be taken back: the connection is closed
            await answer.problem(Problem(500, "fault", "a fault of the service; its log says where"))

    def _tell(self, scope: Scope, record: Record) -> None:
        seconds = time.perf_counter() - record.began
        status = record.status if record.complete else GONE
        route = route_of(scope) or UNKNOWN
        self._metrics.ended(record.method, route, status, seconds)
        failed = status >= 500 or bool(record.errors)
        if route in QUIET and not failed:
            return
        said: dict[str, object] = {
            "method": record.method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
            "request_id": record.request_id,
        }
        caller = caller_of(scope)
        if caller is not None:
            said["key"] = caller.key_id
            if caller.user_id is not None:
                said["user"] = self._disguise.of(caller.tenant, caller.user_id)
        if record.answers:
            last = record.answers[-1]
            said["search_ms"] = round(sum(sum(one.timings.values()) for one in record.answers), 1)
            said |= {"found": last.found, "rerank_depth": last.rerank_depth}
            if last.degraded:
                said["degraded"] = True
        if record.errors:
            said["error"] = told(record.errors[-1])
        # 503 says that it may be asked again: too much to do, or a server that is away.
        level = logging.INFO if not failed else logging.WARNING if status == 503 else logging.ERROR
        LOG.log(level, "request", extra={"fields": said})


class _Answer:
    """Sends an answer on its way, and knows how far it got."""

    def __init__(self, record: Record, send: Send) -> None:
        self.record = record
        self._send = send
        self._streaming = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.record.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[HEADER] = self.record.request_id
            self._streaming = headers.get("content-type", "").startswith("text/event-stream")
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.record.complete = True

    async def problem(self, problem: Problem) -> None:
        """Answer with a problem where nothing was sent yet."""
        body = json.dumps(problem.to_json() | {"request_id": self.record.request_id}).encode()
        headers = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), **problem.headers}
        encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": problem.status, "headers": encoded})
        await self.send({"type": "http.response.body", "body": body})

    async def cut_short(self) -> None:
        """End an answer for which there is no more time: with a problem, or with an event that says so in a stream."""
        problem = Problem(
            503, "stopping", "the service is being stopped; ask again, which another process answers"
        )
        problem.headers["Retry-After"] = "1"
        if not self.record.status:
            await self.problem(problem)
        elif self._streaming and not self.record.complete:
            body = f"event: problem\ndata: {json.dumps(problem.to_json())}\n\n".encode()
            await self.send({"type": "http.response.body", "body": body})


def _request_id(scope: Mapping[str, Any]) -> str:
    """Return the id that the caller gave, where it is one, else a new one."""
    for name, value in scope["headers"]:
        if name == HEADER.encode() and ACCEPTED.fullmatch(value):
            given: str = value.decode("ascii")
            return given
    return secrets.token_hex(16)
