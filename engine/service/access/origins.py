"""Whose pages may do what here: forms of our own only, redirects to ourselves only, other sites' scripts when named.

What a browser sends along by itself, the cookie above all, says nothing of which page made it send. So a POST to the
search box has to come from a page of the box. Browsers say so in Sec-Fetch-Site, which no page can set or change; they
leave it out towards plain-HTTP addresses other than localhost, and there Origin, or else Referer, has to name the host
asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.errors import InvalidSearchSettings
from engine.service.problems import Problem

API = "/v1"
_PORTS = {"http": 80, "https": 443}
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-]+(:\d{1,5})?|https?://\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_UNSAFE_IN_PATH = re.compile(r"[\x00-\x20\x7f\\]")


async def same_origin(request: Request) -> None:
    """Refuse what another site's page makes a browser do. A dependency of the box's routes that change something.

    Raises:
        Problem: 403 `cross-site`.
    """
    if not is_same_origin(request.headers):
        raise Problem(
            403,
            "cross-site",
            "this was asked for by a page of another site, or by one that does not say which it is; go to the search "
            "box itself and do it there (behind a proxy: it has to pass the Host header on)",
        )


def is_same_origin(headers: Headers) -> bool:
    """Return whether a request comes from a page of the host that it asks, as its headers tell.

    Sec-Fetch-Site decides where it is there; `none` is the reader's own doing, such as sending a form again. Without
    it Origin does, without both Referer; and what says nothing of where it comes from is refused. Only host and port
    are compared: behind a proxy that ends TLS, the scheme here is not the browser's.
    """
    for name in ("sec-fetch-site", "origin", "referer", "host"):
        if len(headers.getlist(name)) > 1:
            return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site.strip().lower() in ("same-origin", "none")
    source = headers.get("origin") or headers.get("referer")
    host = headers.get("host")
    if not source or not host:
        return False
    return _is_host(source, host)


def own_path(text: str) -> str:
    r"""Return a path of our own to redirect to: what was asked for where it is one, or else `/`.

    `//x`, `/\x` and their like, which browsers take for another host, are none, and neither is what holds a control
    character, a space or a backslash, which browsers drop or turn.
    """
    if not text.startswith("/") or text.startswith("//") or _UNSAFE_IN_PATH.search(text):
        return "/"
    if not text.isascii() or len(text) > 8000:
        return "/"
    return text


class Cors:
    """Lets scripts of the named origins call /v1: middleware that is not there where none is named.

    They send an API key or a reader's token themselves; the cookie of the box never goes along.

    Args:
        app: The application.
        origins: Such as https://books.example.org.

    Raises:
        InvalidSearchSettings: one is no origin.
    """

    def __init__(self, app: ASGIApp, origins: Iterable[str]) -> None:
        allowed = checked_origins(origins)
        self._app = app
        self._shared = app
        if allowed:
            self._shared = CORSMiddleware(
                app,
                allow_origins=allowed,
                allow_methods=["GET", "POST", "DELETE"],
                allow_headers=[
                    "Authorization",
                    "Content-Type",
                    "Idempotency-Key",
                    "Quire-Reader",
                    "X-Request-Id",
                ],
                expose_headers=["Location", "Retry-After", "X-Request-Id"],
                max_age=3600,
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, its preflight included."""
        is_api = scope["type"] == "http" and (scope["path"] == API or scope["path"].startswith(f"{API}/"))
        await (self._shared if is_api else self._app)(scope, receive, send)


def checked_origins(origins: Iterable[str]) -> list[str]:
    """Return origins in lower case. Raises InvalidSearchSettings where one is none."""
    return [_origin(one) for one in origins]


def _is_host(source: str, host: str) -> bool:
    try:
        page, asked = urlsplit(source), urlsplit(f"//{host}")
        default = _PORTS.get(page.scheme)
        if default is None or not page.hostname or not asked.hostname or "@" in page.netloc + asked.netloc:
            return False
        return (page.hostname, page.port or default) == (asked.hostname, asked.port or default)
    except ValueError:
        return False


def _origin(text: str) -> str:
    if text == "*" or _ORIGIN.fullmatch(text):
        return text.lower()
    raise InvalidSearchSettings(
        f"cors_origins are origins, such as https://books.example.org without a path (or * for all); found {text!r:.80}"
    )
