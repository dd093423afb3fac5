"""`SecurityHeaders`: what every answer tells the browser to allow, and how much a request's own head may be."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.service.access.state import caller_of, cookies_of

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""The Content-Security-Policy: scripts and styles from our own files alone, so that markup in a document, should it
ever reach a page unescaped, runs nothing, loads nothing and sends nothing anywhere."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: with that a browser hides from ourselves, too, where a form was sent from (Origin: null), and
    # the box, reached without TLS, could not tell its own forms from another site's. Other sites are told nothing
    # either way.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": (
        "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), "
        "magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()"
    ),
}


class SecurityHeaders:
    """Gives every answer the headers above, and the cookies that were asked for on the way (`cookies`).

    A route may set `no-referrer` itself. What does not say how it may be cached is cached nowhere (no-store) when it
    came from the API or is about a reader, and otherwise only by the browser, which has to ask again each time.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                said = headers.get("referrer-policy")
                for name, value in HEADERS.items():
                    headers[name] = value
                if said == "no-referrer":
                    headers["referrer-policy"] = said
                cookies = cookies_of(scope)
                for line in cookies:
                    headers.append("set-cookie", line)
                if cookies:
                    headers["cache-control"] = "no-store"
                elif "cache-control" not in headers:
                    caller = caller_of(scope)
                    personal = scope["path"].startswith("/v1") or (
                        caller is not None and caller.user_id is not None
                    )
                    headers["cache-control"] = "no-store" if personal else "private, no-cache"
            await send(message)

        cookies_of(scope)  # the state is made here, so that it is the same dictionary further in
        await self._app(scope, receive, with_headers)
