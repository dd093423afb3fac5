"""`quire mine`: the examples that `quire train` would learn from, in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from quire.cli import DONE
from quire.commands.train_options import data_options, recipe_from
from quire.progress import plural

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("mine")
@data_options
@click.option("--out", type=FILE, required=True, metavar="FILE", help="Where to: .jsonl, or .jsonl.gz.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@click.pass_obj
def mine_command(state: Any, /, **options: Any) -> int:
    """Mine wrong answers from INDEX for what is known, and write examples for `quire train --examples`.

    `quire train` does this by itself. By itself it is for large jobs: mining on one machine, training on another, or
    mining once for many runs. Interrupted, run it again: it goes on where it was.
    """
    from quire.train_progress import TrainingLine
    from quire.training import mine

    recipe = recipe_from(state, options)
    if not str(options["out"]).endswith((".jsonl", ".jsonl.gz")):
        raise click.UsageError(
            f"--out {options['out']}: the name of a file of examples ends in .jsonl or .jsonl.gz"
        )
    line = TrainingLine(quiet=options["quiet"])
    try:
        written = mine(recipe, options["out"], tell=line)
    finally:
        line.clear()
    click.echo(f"{plural(written, 'example')} in {options['out']}.")
    return DONE
