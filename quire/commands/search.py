"""`quire search`: one query, or a prompt that asks for them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from quire.cli import DONE, State
from quire.index_argument import INDEX, opened
from quire.results import render
from quire.terminal import Screen, typed

if TYPE_CHECKING:
    from engine import Ranking, SearchEngine
    from engine.summary import Summary
    from indexer.filters import Filter
    from indexer.opening import Place
    from indexer.protocol import FieldKind

_CONDITION = re.compile(r"\s*([^\s:=<>!]+)\s*(!=|>=|<=|:|=|>|<)\s*(.*)", re.DOTALL)

SUMMARY = 300
"""Characters of a document's summary in a list."""
_ALONE = {"--lexical": 0.0, "--dense": 1.0}


@click.command("search")
@INDEX
@click.argument("words", nargs=-1, metavar="[QUERY]...")
@click.option("-k", type=int, default=None, metavar="N", help="How many documents to show (10).")
@click.option("--filter", "filters", multiple=True, metavar="COND", help="Only documents with field=value.")
@click.option(
    "--facet", "facets", multiple=True, metavar="FIELD", help="Count a field's values over all found."
)
@click.option("--alpha", type=float, metavar="A", help="Weight of meaning: 0 words alone, 1 meaning alone.")
@click.option("--lexical", "alone", flag_value="--lexical", help="By words alone: --alpha 0 --no-rerank.")
@click.option("--dense", "alone", flag_value="--dense", help="By meaning alone: --alpha 1 --no-rerank.")
@click.option("--no-rerank", is_flag=True, help="As the first stage found them: --rerank-depth 0.")
@click.option(
    "--reranker", metavar="NAME", help="A cross-encoder to read the best again: a folder or a name."
)
@click.option("--rerank-depth", type=int, metavar="N", help="How many documents are read again (50).")
@click.option("--budget-ms", type=int, metavar="MS", help="Rerank no longer than this after the start.")
@click.option("--user", "user_id", metavar="ID", help="Who asks: their interests count (docs/profiles.md).")
@click.option(
    "--strength", type=float, default=1.0, metavar="S", help="How much they count: 0 not at all (1)."
)
@click.option("--hide-read", is_flag=True, help="Leave out what that reader has met before.")
@click.option("--tenant", default="default", metavar="NAME", help="Whose readers: default.")
@click.option(
    "--summaries", is_flag=True, help="Of each document what it says of QUERY, not its best passages."
)
@click.option("--explain", is_flag=True, help="Show where every score comes from, word by word.")
@click.option("--cursor", metavar="TOKEN", help="The next page: the token that --json printed as cursor.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer as JSON.")
@click.pass_obj
def search_command(
    state: State,
    index_path: Place,
    words: tuple[str, ...],
    k: int | None,
    filters: tuple[str, ...],
    facets: tuple[str, ...],
    alpha: float | None,
    alone: str | None,
    no_rerank: bool,
    reranker: str | None,
    rerank_depth: int | None,
    budget_ms: int | None,
    user_id: str | None,
    strength: float,
    hide_read: bool,
    tenant: str,
    summaries: bool,
    explain: bool,
    cursor: str | None,
    as_json: bool,
) -> int:
    """Search INDEX for QUERY, by words and by meaning; without QUERY, ask for queries.

    A query is words, "exact phrases", +required, -excluded, and field:value; title:, headings: and body: look in
    that part alone. A condition of --filter is field=value, field!=value, field>=2000, field=2000..2010,
    field=a,b, or a JSON object such as {"year": {"gte": 2000}}; several all have to hold.
    """
    if no_rerank or alone:
        option, rerank_depth = "--no-rerank" if no_rerank else str(alone), 0
    else:
        option = "--rerank-depth"
    configuration = state.configuration(
        search__alpha=(alone, _ALONE[alone]) if alone else ("--alpha", alpha),
        search__facets=("--facet", facets or None),
        search__reranker=("--reranker", reranker),
        search__rerank_depth=(option, rerank_depth),
        search__budget_ms=("--budget-ms", budget_ms),
        personal__read=("--hide-read", "hide" if hide_read else None),
    )
    from engine import Query, SearchEngine
    from quire.prompt import Prompt

    condition = conditions(filters, index_path)
    user = None if user_id is None else typed(user_id)
    # The settings of personal results are looked at where somebody asks.
    personal = None if user is None else configuration.personal
    with SearchEngine.open(
        index_path,
        settings=configuration.search,
        tenant=tenant,
        personal=personal,
        elastic=configuration.elasticsearch,
    ) as engine:
        if not words and cursor is None and not as_json:
            Prompt(engine, 5 if k is None else k, condition, explain, user_id=user, strength=strength).run()
            return DONE
        ranking = engine.search(
            Query(" ".join(map(typed, words)), user_id=user, strength=strength),
            k=10 if k is None else k,
            filters=condition,
            cursor=cursor,
            explain=explain,
        )
        told = _summaries(engine, ranking) if summaries else {}
        # The cursor reads the index, so this belongs before its end.
        lines = (
            [json.dumps(_as_json(ranking, told), ensure_ascii=False)]
            if as_json
            else list(render(ranking, Screen.of(), explain=explain, summaries=told))
        )
    for line in lines:
        click.echo(line, color=True)
    return DONE


def _summaries(engine: SearchEngine, ranking: Ranking) -> dict[str, Summary]:
    """Return what each document of a ranking says of its query, by id."""
    query = ranking.query
    user = query.user_id if query.personal else None
    return {
        hit.doc_id: engine.summarise(hit.doc_id, query=query.text, user_id=user, length=SUMMARY)
        for hit in ranking.hits
    }


def _as_json(ranking: Ranking, summaries: Mapping[str, Summary]) -> dict[str, object]:
    """Return a ranking as plain values, each hit with its summary where there is one."""
    content = ranking.to_json()
    hits = [
        hit.to_json() | ({"summary": summaries[hit.doc_id].to_json()} if hit.doc_id in summaries else {})
        for hit in ranking.hits
    ]
    return content | {"hits": hits}


def conditions(filters: tuple[str, ...], index_path: Place) -> Filter | None:
    """Return the filter that all --filter options make together, or None when there are none.

    Raises:
        click.UsageError: one of them cannot be understood.
    """
    from indexer.filters import And

    if not filters:
        return None
    with opened(index_path) as index:
        fields = index.reader().fields()
    parts = tuple(_condition(typed(text), fields) for text in filters)
    return And(parts) if len(parts) > 1 else parts[0]


def _condition(text: str, fields: Mapping[str, frozenset[FieldKind]]) -> Filter:
    from engine.conditions import condition
    from indexer.errors import InvalidFilter
    from indexer.filters import Eq, Not, filter_from_json

    if text.lstrip().startswith("{"):
        try:
            return filter_from_json(json.loads(text))
        except (ValueError, InvalidFilter) as error:
            raise click.UsageError(f"--filter {text}: {error}") from error
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise click.UsageError(f"--filter {text!r}: expected field=value, field>=value, or a JSON object")
    name, operator, value = match.groups()
    if name not in fields:
        return Eq(name, value)  # the index says which fields there are
    try:
        found = condition(name, fields[name], value if operator in (":", "=", "!=") else operator + value)
    except ValueError as error:
        raise click.UsageError(f"--filter {text!r}: {error}") from error
    return Not(found) if operator == "!=" else found
