"""`quire learn`: which documents the same readers read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from quire.cli import DONE
from quire.index_argument import INDEX
from quire.readers_option import JSON, TENANT, open_readers
from quire.step_line import StepLine
from quire.terminal import Screen

if TYPE_CHECKING:
    from indexer.opening import Place


@click.command("learn")
@INDEX
@click.option(
    "--least",
    type=int,
    default=1,
    show_default=True,
    metavar="N",
    help="Common readers that two documents need; from 2 on, nobody's reading alone shows in another's list.",
)
@click.option("--anew", is_flag=True, help="Go over everything, not only over what has changed.")
@TENANT
@JSON
def learn_command(index_path: Place, least: int, anew: bool, tenant: str, as_json: bool) -> int:
    """Learn from the readers of INDEX which documents are read by the same people, for search and recommendations.

    Do it now and then, for instance every night: only what has changed is gone over. It may be interrupted at any
    time; what was learnt before holds until it is done.
    """
    from engine.personal.coreading import CoReading
    from engine.personal.learning import learn
    from quire.recommend_lines import learnt_lines

    settings = CoReading(least=least)
    with open_readers(index_path, tenant) as store, StepLine() as line:
        done = learn(store, settings, anew=anew, tell=line)
    if as_json:
        click.echo(json.dumps(done.to_json()))
        return DONE
    for text in learnt_lines(done, Screen.of()):
        click.echo(text, color=True)
    return DONE
