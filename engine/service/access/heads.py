"""`Heads`: requests whose head is too large, or meant for another host, go no further."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from engine.errors import InvalidSearchSettings
from engine.service.access.answers import send_problem
from engine.service.problems import Problem
from engine.service.settings import ServiceSettings

LONGEST_HEADERS = 32_768  # bytes, names and values together
MOST_HEADERS = 100
_ANY_HOST = "/health/"  # asked by machines, under whatever name they know, and told next to nothing
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{0,5})?")


class Heads:
    """Refuses what is wrong before anything else is looked at: 414, 431, and 421 for a Host that is not ours.

    Why Host is looked at: a page of evil.example may let its own name point to 127.0.0.1 after it was loaded, and then
    read, as being of the same origin, what a service on the reader's machine answers (DNS rebinding). Its requests
    still say `Host: evil.example`. So where a service listens on a loopback address, or `hosts` are named, a request's
    Host has to be one of those, or localhost, or an address itself, which nobody can let point elsewhere.

    Args:
        app: The application.
        settings: `host`, `hosts` and `max_query_chars` count; `*` among the hosts stands for any.

    Raises:
        InvalidSearchSettings: one of the hosts is no name.
    """

    def __init__(self, app: ASGIApp, settings: ServiceSettings) -> None:
        self._app = app
        self._longest_url = longest_url(settings)
        self._hosts = checked_hosts(settings.hosts) | {settings.host.lower()}
        self._any_host = "*" in settings.hosts or (not settings.hosts and not is_loopback(settings.host))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        problem = self._wrong(scope) if scope["type"] == "http" else None
        if problem is None:
            await self._app(scope, receive, send)
        else:
            await send_problem(problem, send, receive)

    def _wrong(self, scope: Scope) -> Problem | None:
        url = len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"])
        if url > self._longest_url:
            return Problem(
                414,
                "url-too-long",
                f"the URL has {url:,} bytes; at most {self._longest_url:,} are read: use POST",
            )
        headers = scope["headers"]
        size = sum(len(name) + len(value) for name, value in headers)
        if size > LONGEST_HEADERS or len(headers) > MOST_HEADERS:
            return Problem(
                431,
                "headers-too-large",
                f"the headers are {len(headers)} with {size:,} bytes; at most {MOST_HEADERS} and {LONGEST_HEADERS:,} "
                "are read",
            )
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        if len(hosts) > 1:
            return Problem(400, "host-twice", "a request names one Host; found several")
        if not hosts or self._any_host or scope["path"].startswith(_ANY_HOST) or self._is_ours(hosts[0]):
            return None
        return Problem(
            421,
            "unknown-host",
            f"this service does not answer as {hosts[0]!r:.100}; if it should, name it: hosts under [service], or "
            "QUIRE_SERVICE_HOSTS",
        )

    def _is_ours(self, host: str) -> bool:
        name = host_name(host)
        return name in self._hosts or name == "localhost" or name.endswith(".localhost") or _is_address(name)


def checked_hosts(hosts: Iterable[str]) -> frozenset[str]:
    """Return names of hosts in lower case. Raises InvalidSearchSettings where one is none."""
    for host in hosts:
        if host != "*" and host_name(host) != host.strip("[].").lower():
            raise InvalidSearchSettings(
                f"hosts are names as browsers say them, such as search.example.org, without scheme, port or path (or "
                f"* for any); found {host!r:.80}"
            )
    return frozenset(map(host_name, hosts))


def longest_url(settings: ServiceSettings) -> int:
    """Return how many bytes a URL may have: a character of a query takes up to four, each as a % and two digits."""
    return 8192 + 12 * settings.max_query_chars


def host_name(host: str) -> str:
    """Return the name in a Host header: without its port, without brackets, in lower case; nothing if it is none."""
    found = _HOST.fullmatch(host.strip().lower())
    return (found[1] or found[2]).rstrip(".") if found else ""


def is_loopback(host: str) -> bool:
    """Return whether an address to listen on is reached from this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
