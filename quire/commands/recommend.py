"""`quire recommend`: what a reader may want to read next."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from quire.cli import DONE, State
from quire.commands.search import conditions
from quire.index_argument import INDEX
from quire.readers_option import JSON, TENANT, USER
from quire.terminal import Screen, typed

if TYPE_CHECKING:
    from indexer.opening import Place


@click.command("recommend")
@INDEX
@USER
@click.option("-k", type=int, default=10, show_default=True, metavar="N", help="How many documents.")
@click.option("--filter", "filters", multiple=True, metavar="COND", help="Only documents with field=value.")
@click.option("--diversity", type=float, metavar="D", help="How unlike each other, from 0 to 1 (0.2).")
@click.option("--include-read", is_flag=True, help="Documents that USER has met may come again.")
@TENANT
@JSON
@click.pass_obj
def recommend_command(
    state: State,
    index_path: Place,
    user_id: str,
    k: int,
    filters: tuple[str, ...],
    diversity: float | None,
    include_read: bool,
    tenant: str,
    as_json: bool,
) -> int:
    """Show what USER may want to read next, and why: documents near what they read, and what its readers read.

    What other readers read counts from when it was learnt last, with `quire learn`. For somebody unknown the list has
    what most readers read, then what is newest. --filter is as for `quire search`.
    """
    from engine import SearchEngine
    from quire.recommend_lines import recommendation_lines

    configuration = state.configuration()
    condition = conditions(filters, index_path)
    with SearchEngine.open(
        index_path,
        settings=configuration.search,
        tenant=tenant,
        personal=configuration.personal,
        elastic=configuration.elasticsearch,
    ) as engine:
        found = engine.recommend(
            typed(user_id), k, filters=condition, diversity=diversity, include_read=include_read
        )
    if as_json:
        click.echo(json.dumps(found.to_json(), ensure_ascii=False))
        return DONE
    for line in recommendation_lines(found, Screen.of()):
        click.echo(line, color=True)
    return DONE
