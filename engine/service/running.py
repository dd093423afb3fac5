"""`serve`: the service as a program. It listens, says where, answers until it is told to stop, and ends in order.

One process answers, or several under a supervisor (`supervisor`); what each of them does is in `worker`. SIGTERM,
SIGINT, and SIGHUP unless it is ignored (nohup), stop it: nothing new is accepted, readiness turns false, what is under
way is finished within `drain_seconds`, and the exit status is 0. So it is while it still starts.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from engine.service.listening import CannotServe, listening, url_of

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
