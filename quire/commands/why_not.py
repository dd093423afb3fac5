"""`quire why-not`: which stage left a document out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from quire.cli import DONE, State
from quire.index_argument import INDEX
from quire.readers_option import JSON, TENANT
from quire.terminal import Screen, harmless, typed

if TYPE_CHECKING:
    from indexer.opening import Place


@click.command("why-not")
@INDEX
@click.argument("doc_id", metavar="DOC_ID")
@click.argument("words", nargs=-1, required=True, metavar="QUERY...")
@click.option("-k", type=int, default=10, show_default=True, metavar="N", help="Among the first N documents.")
@click.option("--filter", "filters", multiple=True, metavar="COND", help="As in `quire search`.")
@click.option("--user", "user_id", metavar="ID", help="In this reader's list.")
@TENANT
@JSON
@click.pass_obj
def why_not_command(
    state: State,
    index_path: Place,
    doc_id: str,
    words: tuple[str, ...],
    k: int,
    filters: tuple[str, ...],
    user_id: str | None,
    tenant: str,
    as_json: bool,
) -> int:
    """Say why the document DOC_ID is not among the first results of QUERY, and which stage left it out."""
    from engine import Query, SearchEngine
    from quire.commands.search import conditions

    condition = conditions(filters, index_path)
    configuration = state.configuration()
    query = Query(" ".join(map(typed, words)), user_id=None if user_id is None else typed(user_id))
    with SearchEngine.open(
        index_path,
        settings=configuration.search,
        tenant=tenant,
        personal=configuration.personal,
        elastic=configuration.elasticsearch,
    ) as engine:
        answer = engine.why_not(query, typed(doc_id), k=k, filters=condition)
    if as_json:
        click.echo(json.dumps(answer.to_json(), ensure_ascii=False))
        return DONE
    screen = Screen.of()
    for line in str(answer).splitlines():
        for wrapped in screen.wrap([(harmless(line), False)]):
            click.echo(wrapped)
    return DONE
