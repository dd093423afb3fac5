"""`serve`: the service as a program. It listens, says where, answers until it is told to stop, and ends in order.

One process answers, or several under a supervisor (`supervisor`); what each of them does is in `worker`. SIGTERM and
SIGINT stop it: nothing new is accepted, readiness turns false, what is under way is finished within `drain_seconds`,
and the exit status is 0.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from importlib.util import find_spec
from ipaddress import ip_address
from typing import TYPE_CHECKING

from engine.errors import SearchError

if TYPE_CHECKING:
    from engine.configuration import Configuration
    from engine.service.worker import Application
    from indexer.opening import Place

PACKAGES = (
    "fastapi",
    "uvicorn",
    "httptools",
    "uvloop",
    "jinja2",
    "multipart",
    "jwt",
    "prometheus_client",
    "httpx",
)
INSTALL = 'pip install "quire-search[service]"'
BACKLOG = 2048
"""Connections that may wait to be accepted."""


class CannotServe(SearchError):
    """The service cannot start, or could not go on."""


def serve(
    place: Place,
    configuration: Configuration,
    *,
    say: Callable[[str], None],
    application: Application | None = None,
) -> None:
    """Serve an index until the process is told to stop. For the main thread.

    Args:
        place: Where the index is.
        configuration: How; [service], [search], [personal] and [elasticsearch] count.
        say: Is given the URL once it can be asked.
        application: Makes the application, in each process; importable by its name. None for Quire's own.

    Raises:
        CannotServe: packages are missing, the address cannot be listened on, or a worker keeps failing.
        SearchError: the index cannot be opened.
    """
    require_packages()
    from engine.service.watching import traces
    from engine.service.worker import Plan, run_worker, standard

    traces.check(os.environ)
    settings = configuration.service
    with listening(settings.host, settings.port) as listener:
        url = url_of(settings.host, listener.getsockname()[1])
        plan = Plan(place, configuration, application or standard)
        if settings.workers == 1:
            run_worker(plan, listener, ready=lambda: say(url))
            return
        from engine.service.supervisor import Supervisor

        Supervisor(plan, listener, settings.workers, ready=lambda: say(url)).run()


def require_packages() -> None:
    """See that what the service needs is installed.

    Raises:
        CannotServe: it is not.
    """
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise CannotServe(f"the service needs {', '.join(missing)}, which is not installed: {INSTALL}")


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
