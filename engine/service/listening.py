"""The address that the service listens on, and what is said where it cannot."""

from __future__ import annotations

import errno
import socket
from ipaddress import ip_address

from engine.errors import SearchError

BACKLOG = 2048
"""Connections that may wait to be accepted."""


class CannotServe(SearchError):
    """The service cannot start, or could not go on."""


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address, and will not listen before somebody answers.

    Args:
        host: A name or an address.
        port: The port; 0 for one that is free.

    Raises:
        CannotServe: that is not possible.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise CannotServe(f"host {host!r:.100} is no address of this machine: {error}") from error
    family, kind, protocol, _, address = found[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if host == "::" else 1)
        made.bind(address)
        made.set_inheritable(False)
    except OSError as error:
        made.close()
        raise cannot_listen(host, port, error) from error
    return made


def cannot_listen(host: str, port: int, error: OSError) -> CannotServe:
    """Return what to say where an address cannot be listened on."""
    where = f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return CannotServe(
            f"{where} is taken by another program; stop that one, or take another port: --port 0 finds a free one"
        )
    if error.errno == errno.EACCES:
        return CannotServe(
            f"{where} may not be listened on by this user; ports from 1024 on may: --port 8765"
        )
    return CannotServe(f"{where} cannot be listened on: {error.strerror}")


def url_of(host: str, port: int) -> str:
    """Return the URL that a browser on this machine takes."""
    try:
        address = ip_address(host)
    except ValueError:
        return f"http://{host}:{port}"
    if address.is_unspecified:
        return f"http://localhost:{port}"
    return f"http://[{address}]:{port}" if address.version == 6 else f"http://{address}:{port}"
