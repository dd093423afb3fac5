"""`Departures`: the work for a client that has gone away is cancelled."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Departures:
    """ASGI middleware that reads ahead of the application, so that it hears at once when the client goes away.

    The application's task is cancelled then, unless its answer is complete. At most one message is read ahead, so that
    a large body waits for whoever reads it. Middlewares outside see status 499.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        ahead: asyncio.Queue[Message] = asyncio.Queue(1)
        task = asyncio.current_task()
        begun = complete = gone = False

        async def listen() -> None:
            nonlocal gone
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    break
                await ahead.put(message)
            if not complete and task is not None:
                gone = True
                task.cancel()

        async def sending(message: Message) -> None:
            nonlocal begun, complete
            begun = begun or message["type"] == "http.response.start"
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                complete = True
            await send(message)

        async def receiving() -> Message:
            return await ahead.get()

        listener = asyncio.create_task(listen())
        try:
            await self.app(scope, receiving, sending)
        except asyncio.CancelledError:
            if not gone or task is None or task.uncancel() > 0:
                raise
            if not begun:
                await send({"type": "http.response.start", "status": 499, "headers": []})
                await send({"type": "http.response.body", "body": b""})
        finally:
            listener.cancel()
