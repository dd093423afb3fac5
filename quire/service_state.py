"""Where a service keeps its keys and its secret, given its index on a command line; and `--state`, which says so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

if TYPE_CHECKING:
    from engine.service.settings import ServiceSettings
    from indexer.opening import Place
    from quire.cli import State

STATE = click.option(
    "--state",
    "folder",
    metavar="FOLDER",
    help="The service's own folder, where it is not in that of the index.",
)


def service_state(state: State, index_path: Place, folder: str | None) -> tuple[Path, ServiceSettings]:
    """Return the folder of a service, and how it runs.

    Args:
        state: What the options before the command's name say.
        index_path: Where its index is.
        folder: What `--state` says.

    Raises:
        NoSuchIndex: the folder that holds it by default is none.
        InvalidSearchSettings: the index is no folder, and none is named.
    """
    from engine.errors import NoSuchIndex

    configuration = state.configuration(service__state=("--state", folder))
    settings = cast("ServiceSettings", configuration.section("service"))
    found = settings.state_folder(index_path)
    if not settings.state and isinstance(index_path, Path) and not index_path.is_dir():
        raise NoSuchIndex(f"{index_path} is not a folder; name the folder of an index")
    return found, settings
