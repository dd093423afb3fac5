"""The demonstration's end: its index served, with a way in for each of its readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from quire.demo.readers import READERS

if TYPE_CHECKING:
    from engine.configuration import Configuration
    from engine.service.settings import ServiceSettings
    from indexer.opening import Place

STATE = "demo-service"
HOURS = 24

Options = dict[str, tuple[str, object]]


def serve_demo(
    where: Place, folder: Path, configured: Callable[..., Configuration], say: Callable[[str], None]
) -> None:
    """Serve the demonstration's index until the process is told to stop.

    Where the port of [service] is taken, another is.

    Args:
        where: The index.
        folder: Of the demonstration; the service of an index on Elasticsearch has its state there.
        configured: Returns the configuration under some options.
        say: Is given lines.

    Raises:
        SearchError: it cannot be served.
    """
    from engine.service.listening import CannotServe, listening
    from engine.service.running import require_packages, serve

    require_packages()
    options: Options = {"service__log": ("the demonstration", "text")}
    configuration = configured(**options)
    if not isinstance(where, Path) and not configuration.service.state:
        options["service__state"] = ("the demonstration", str(folder / STATE))
    try:
        listening(configuration.service.host, configuration.service.port).close()
    except CannotServe:
        options["service__port"] = ("the demonstration", 0)
    configuration = configured(**options)
    settings = configuration.service

    def ready(url: str) -> None:
        for line in welcome(url, settings, settings.state_folder(where)):
            say(line)

    serve(where, configuration, say=ready)


def welcome(url: str, settings: ServiceSettings, state: Path) -> Iterator[str]:
    """Yield what to open in a browser: the search box, and the same as each of the readers.

    Args:
        url: Where the service is.
        settings: How it runs.
        state: The folder of its secret.
    """
    from engine.service.access.tokens import Tokens

    if settings.box == "off":
        yield f"Quire answers at {url}/v1, without a search box: box is off under [service]. Ctrl-C ends it."
        return
    yield f"Quire answers at {url} (Ctrl-C ends it). Open it in a browser, or as one of the two readers, for a day:"
    tokens = Tokens(state, settings)
    for reader in READERS:
        token = tokens.issue(reader.name, settings.tenant, hours=min(HOURS, settings.token_hours))
        yield f"  {reader.name}, who {reader.about}: {url}/enter?token={quote(token)}"
