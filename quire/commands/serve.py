"""`quire serve`: the search box and the HTTP API over an index, until they are stopped."""

from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING

import click

from quire.cli import DONE, State
from quire.index_argument import INDEX

if TYPE_CHECKING:
    from indexer.opening import Place


@click.command("serve")
@INDEX
@click.option("--host", metavar="ADDRESS", help="Where to listen; 127.0.0.1 is this machine alone.")
@click.option("--port", type=int, metavar="NUMBER", help="The TCP port; 0 for one that is free.")
@click.option("--workers", type=int, metavar="NUMBER", help="Processes that answer.")
@click.option(
    "--state", "folder", metavar="FOLDER", help="Where keys, the secret of tokens, and jobs are kept."
)
@click.option("--open", "open_browser", is_flag=True, help="Open the search box in the browser.")
@click.pass_obj
def serve_command(
    state: State,
    index_path: Place,
    host: str | None,
    port: int | None,
    workers: int | None,
    folder: str | None,
    open_browser: bool,
) -> int:
    """Answer over HTTP: a search box for the browser, and an API under /v1.

    Prints the URL when it can be asked, and logs to standard error. Ctrl-C or SIGTERM stops it: what is under way is
    finished first. Everything else is in the section [service] of the configuration.
    """
    from engine.service.running import serve

    configuration = state.configuration(
        service__host=("--host", host),
        service__port=("--port", port),
        service__workers=("--workers", workers),
        service__state=("--state", folder),
    )

    def say(url: str) -> None:
        click.echo(f"Quire answers at {url} (Ctrl-C ends it)")
        if open_browser:
            webbrowser.open(url)

    serve(index_path, configuration, say=say)
    return DONE
