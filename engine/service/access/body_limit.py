"""`BodyLimit`: no request's body is larger than it may be, whatever it says of itself, nor takes for ever to arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.service.access.answers import send_problem
from engine.service.problems import Problem

SLOWEST = 16_384  # bytes a second that a body has to arrive with, after the first `patience` seconds


class BodyLimit:
    """Counts bodies as they arrive and stops reading where they are too large (413) or too slow (408).

    What says its size in Content-Length is refused before a byte is read. Otherwise, as with chunks, what has arrived
    is counted, the rest is left unread, and the connection ends.

    Args:
        app: The application.
        most: Says how many bytes a request may have; may raise a `Problem` in place of that.
        patience: Seconds in which a body has to have arrived, or to arrive with `SLOWEST` from then on.
    """

    def __init__(self, app: ASGIApp, most: Callable[[Scope], int], patience: float = 30.0) -> None:
        self._app = app
        self._most = most
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            most = self._most(scope)
        except Problem as problem:
            await send_problem(problem, send, receive if _has_body(scope) else None)
            return
        said = Headers(scope=scope).get("content-length", "")
        if said.isdecimal() and int(said) > most:
            await send_problem(_too_large(most, f"{int(said):,} bytes"), send, receive)
            return
        body = _Body(receive, send, most, self._patience)
        try:
            await self._app(scope, body.receive, body.send)
        except Exception:
            if body.refusal is None:
                raise  # else it is how the application took the end of the body, and the answer is out
        finally:
            if body.refusal is not None:
                await body.refusal


class _Body:
    """The body of one request on its way in, and the answer on its way out."""

    def __init__(self, receive: Receive, send: Send, most: int, patience: float) -> None:
        self._receive, self._send = receive, send
        self._most, self._patience = most, patience
        self._began = asyncio.get_running_loop().time()
        self._arrived = 0
        self._whole = False
        self._ended = False
        self._answering = False
        self.refusal: asyncio.Task[None] | None = None

    async def receive(self) -> Message:
        """Return the next piece; once the body is refused, say that the client has gone."""
        if self._ended:
            return {"type": "http.disconnect"}
        if self._whole:
            return await self._receive()
        until = self._began + self._patience + self._arrived / SLOWEST
        try:
            async with asyncio.timeout_at(until):
                message = await self._receive()
        except TimeoutError:
            return await self._refuse(
                Problem(408, "body-too-slow", f"the body took too long; {self._arrived:,} bytes had arrived")
            )
        if message["type"] == "http.request":
            self._arrived += len(message.get("body", b""))
            self._whole = not message.get("more_body", False)
            if self._arrived > self._most:
                return await self._refuse(_too_large(self._most, "more"))
        return message

    async def send(self, message: Message) -> None:
        """Pass the answer on, unless the body was refused in its place."""
        if self.refusal is None:
            self._answering = True
            await self._send(message)

    async def _refuse(self, problem: Problem) -> Message:
        self._ended = True
        if not self._answering:
            # A task of its own: whoever reads may be cancelled meanwhile, and the answer is to be whole.
            self.refusal = asyncio.create_task(send_problem(problem, self._send, self._receive))
            await asyncio.shield(self.refusal)
        return {"type": "http.disconnect"}


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _too_large(most: int, found: str) -> Problem:
    return Problem(
        413, "body-too-large", f"a request's body may have {most:,} bytes here; found {found}", most=most
    )
