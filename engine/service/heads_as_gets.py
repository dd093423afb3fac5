"""`HeadsAsGets`: whatever can be got can be asked for without its body, as HTTP requires (RFC 9110, 9.1 and 9.3.2)."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadsAsGets:
    """ASGI middleware that has the routes answer HEAD as GET; the server leaves the body out.

    FastAPI's routes know GET alone, and would answer 405 to `curl -I` and to whoever watches /health/live with HEAD.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            scope["method"] = "HEAD"  # before anything is sent, as it tells the server that there is no body
            await send(message)

        scope["method"] = "GET"  # in place: what routes note in the scope is looked for in it by the log
        try:
            await self.app(scope, receive, sending)
        finally:
            scope["method"] = "HEAD"
