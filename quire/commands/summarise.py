"""`quire summarise`: some sentences of a document that stand for it, and the phrases that name it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from quire.cli import DONE, State
from quire.index_argument import INDEX
from quire.readers_option import JSON, TENANT
from quire.results import INDENT, summary_lines
from quire.terminal import Screen, cut, harmless, typed

if TYPE_CHECKING:
    from engine.summary import Keyphrase, Summary
    from indexer.opening import Place


@click.command("summarise")
@INDEX
@click.argument("doc_id", metavar="DOC_ID")
@click.option("--query", default="", metavar="QUERY", help="Summarise what the document says of this.")
@click.option("--user", metavar="ID", help="Lean to what this reader likes.")
@click.option("--length", type=int, default=600, show_default=True, metavar="N", help="Characters at most.")
@click.option("--sentences", type=int, metavar="N", help="Sentences at most.")
@click.option("--explain", is_flag=True, help="Say why each sentence was taken.")
@TENANT
@JSON
@click.pass_obj
def summarise_command(
    state: State,
    index_path: Place,
    doc_id: str,
    query: str,
    user: str | None,
    length: int,
    sentences: int | None,
    explain: bool,
    tenant: str,
    as_json: bool,
) -> int:
    """Show the sentences of the document DOC_ID that together say most of it, and the phrases that name it."""
    from engine import SearchEngine

    configuration = state.configuration()
    with SearchEngine.open(
        index_path,
        settings=configuration.search,
        tenant=tenant,
        personal=configuration.personal,
        elastic=configuration.elasticsearch,
    ) as engine:
        summary = engine.summarise(
            typed(doc_id),
            query=typed(query),
            user_id=None if user is None else typed(user),
            length=length,
            sentences=sentences,
        )
        phrases = engine.keyphrases([typed(doc_id)]) if summary.sentences else ()
    if as_json:
        values = {**summary.to_json(), "keyphrases": [phrase.to_json() for phrase in phrases]}
        click.echo(json.dumps(values, ensure_ascii=False))
        return DONE
    for line in lines(summary, phrases, Screen.of(), explain=explain):
        click.echo(line, color=True)
    return DONE


def lines(
    summary: Summary, phrases: tuple[Keyphrase, ...], screen: Screen, *, explain: bool = False
) -> Iterator[str]:
    """Yield a summary as a person reads it: notices, title, sentences with the query's words marked, phrases.

    Args:
        summary: What to show.
        phrases: What names the document.
        screen: Where it is shown.
        explain: Below each sentence, why it was taken and where it stands.
    """
    for notice in summary.notices:
        yield from screen.wrap([(harmless(notice), False)], "  ", "! ")
    yield screen.style(
        cut(harmless(" ".join((summary.title or summary.doc_id).split())), screen.width), "bold"
    )
    yield from summary_lines(summary, screen, explain=explain)
    if phrases:
        yield from screen.wrap(
            [("; ".join(harmless(phrase.text) for phrase in phrases), False)], INDENT, "  "
        )
