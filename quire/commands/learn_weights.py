"""`quire learn-weights`: how much readers' interests count, learnt from what they clicked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quire.cli import DONE, State
from quire.index_argument import INDEX
from quire.readers_option import JSON, TENANT
from quire.terminal import Screen

if TYPE_CHECKING:
    from indexer.opening import Place
    from quire.click_weights import ClickOutcome

_FILE = click.Path(path_type=Path)


@click.command("learn-weights")
@INDEX
@click.option(
    "--log",
    type=_FILE,
    metavar="FILE",
    required=True,
    help="Lists that were shown: query, user_id, at, shown, clicks.",
)
@click.option(
    "--topics", type=_FILE, metavar="FILE", help="Texts of the queries that the log names by query_id."
)
@click.option(
    "--eta",
    type=float,
    default=1.0,
    metavar="E",
    help="A place is looked at in proportion to 1/place^E (1).",
)
@click.option(
    "--objective",
    type=click.Choice(["ranknet", "bce"]),
    default="ranknet",
    help="Pair by pair, or one by one.",
)
@click.option("--dry-run", is_flag=True, help="Say what came of it, and change nothing.")
@TENANT
@JSON
@click.pass_obj
def learn_weights_command(
    state: State, /, index_path: Place, tenant: str, as_json: bool, dry_run: bool, **options: Any
) -> int:
    """Learn from clicks how much the interests of INDEX's readers should count.

    The weights replace those in use only where readers whom they were not learnt from are better off, and not by
    chance. They are kept beside the readers.
    """
    from engine import SearchEngine
    from quire.click_weights import ClickSource, learn_from_clicks
    from quire.step_line import StepLine

    topics = options["topics"]
    source = ClickSource(
        str(options["log"]), str(topics) if topics else "", options["eta"], options["objective"]
    )
    configuration = state.configuration()
    with (
        SearchEngine.open(
            index_path,
            settings=configuration.search,
            personal=configuration.personal,
            tenant=tenant,
            elastic=configuration.elasticsearch,
        ) as engine,
        StepLine() as line,
    ):
        outcome = learn_from_clicks(engine, source, line)
        kept_at = engine.readers.weights_place
        if outcome.passes and not dry_run and outcome.learned is not None:
            engine.readers.keep_learned(outcome.learned)
    if as_json:
        click.echo(json.dumps(outcome.to_json(), ensure_ascii=False))
        return DONE
    for text in _lines(outcome, kept_at, Screen.of(), kept=outcome.passes and not dry_run):
        click.echo(text, color=True)
    return DONE


def _lines(outcome: ClickOutcome, kept_at: str, screen: Screen, *, kept: bool) -> Iterator[str]:
    for note in outcome.notes:
        yield from screen.wrap([(note, False)], "  ", "! ")
    judged, learned = outcome.judged, outcome.learned
    if judged is not None and learned is not None:
        yield f"{judged.lists:,} lists of {judged.readers:,} readers; nDCG by clicks, readers not learnt from:"
        yield f"  no interests         {judged.anonymous:.4f}"
        yield f"  the weights in use   {judged.in_use:.4f}"
        harmed = f"worse than no interests for {judged.harmed:.0%} of the readers"
        yield f"  the weights learnt   {judged.learned:.4f}, {harmed}"
        yield f"learnt: weight {learned.weight:.3g}, together {learned.together:.3g}"
    says = outcome.reason[0].upper() + outcome.reason[1:] + "."
    yield from screen.wrap([(says, False)], "")
    if kept:
        yield f"They count from the next search on; they are in {kept_at}."
    elif outcome.passes:
        yield "Nothing was changed."
