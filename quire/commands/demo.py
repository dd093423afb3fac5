"""`quire demo`: write Python's own documentation as files, index it, search it three times, and serve it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quire.cli import DONE, State
from quire.index_argument import place
from quire.terminal import Screen

if TYPE_CHECKING:
    from indexer.opening import Place

CORPUS, INDEX = "demo-corpus", "demo-index"


@click.command("demo")
@click.argument("where", metavar="[INDEX]", type=place, required=False)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where to put it (here).",
)
@click.option(
    "--serve/--no-serve", "serving", default=None, help="Whether to end with the search box (on a terminal)."
)
@click.pass_obj
def demo_command(state: State, where: Place | None, folder: Path, serving: bool | None) -> int:
    """Index the documentation that comes with Python and search it.

    Writes some 350 documents into demo-corpus, indexes them into INDEX (demo-index, unless you name another folder
    or an address such as elasticsearch://localhost:9200/demo), and asks three questions that show what words alone
    and meaning alone would have missed, and one that two readers get different answers to. Then it serves the search
    box, prints its URL, and one for each of the two readers, until Ctrl-C. Run again, it indexes only what has changed.
    """
    screen = Screen.of()
    folder.mkdir(parents=True, exist_ok=True)
    corpus, index = folder / CORPUS, folder / INDEX if where is None else where
    configuration = state.configuration()
    before = ["--config", state.config_path] if state.config_path else []
    said = screen.style("Writing the documentation of this Python as Markdown files ...", "dim")
    click.echo(said, color=True)
    written = write_corpus(corpus)
    click.echo(f"{written} documents in {corpus}")
    status = quire([*before, "index", str(corpus), str(index), "--delete-missing"], screen)
    if status != DONE:
        return status
    from engine import SearchEngine
    from quire.demo.readers import READERS, show_readers
    from quire.demo.tour import QUESTIONS, show

    with SearchEngine.open(
        index, settings=configuration.search, elastic=configuration.elasticsearch
    ) as engine:
        for line in chain(show(engine, screen), show_readers(engine, len(QUESTIONS) + 1, screen)):
            click.echo(line, color=True)
    asked = serving is True
    if serving is None:
        serving = on_a_terminal()
    if serving:
        from engine.service.listening import CannotServe
        from quire.demo.serving import serve_demo

        try:
            serve_demo(index, folder, state.configuration, click.echo)
        except CannotServe as error:
            if asked:
                raise
            click.echo(f"The search box is not served: {error}\n")
        else:
            return DONE
    click.echo("Go on with:")
    for words in (
        f"serve {index}",
        f'search {index} "read a file line by line"',
        f"search {index}",
        f"recommend {index} {READERS[0].name}",
        f"profile show {index} {READERS[0].name}",
        f"stats {index}",
        "--help",
    ):
        click.echo(f"  {' '.join([command_name(), *before, words])}")
    return DONE


def on_a_terminal() -> bool:
    """Whether somebody reads what is printed, and can end what does not end by itself."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def write_corpus(folder: Path) -> int:
    """Write the corpus in a process of its own, since modules are imported for it; return how many documents.

    Raises:
        click.ClickException: that process failed.
    """
    for stale in folder.glob("*/*.md"):
        stale.unlink()
    command = [sys.executable, "-P", "-m", "quire.demo.corpus", str(folder.absolute())]
    environment = {
        name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=environment | {"PYTHONIOENCODING": "utf-8", "PYTHONWARNINGS": "ignore"},
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise click.ClickException(f"the demo's documents could not be written to {folder}: {last}")
    count: int = json.loads(done.stdout.splitlines()[-1])["documents"]
    return count


def quire(arguments: list[str], screen: Screen) -> int:
    """Show a command line and run it, as the user would; return its exit status."""
    click.echo("\n" + screen.style(f"$ {command_name()} {' '.join(arguments)}", "bold"), color=True)
    sys.stdout.flush()
    process = subprocess.Popen([sys.executable, "-P", "-m", "quire", *arguments])
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # it has had the same Ctrl-C, and says what it does about it
            continue


def command_name() -> str:
    """Return how `quire` was called: `.venv/bin/quire` after `make demo`."""
    called = sys.argv[0]
    return called if Path(called).name == "quire" else "python -m quire"
