"""What `quire train` prints when it is done: what changed, whether more than chance, and how to use the result."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from quire.columns import Column, table_lines
from quire.progress import duration, plural
from quire.terminal import Screen

if TYPE_CHECKING:
    from reranker.training import Change, TrainingOutcome


def outcome_lines(outcome: TrainingOutcome, screen: Screen) -> Iterator[str]:
    """Yield the tables of a finished run, what they are of, and the next command."""
    if outcome.changes:
        yield from _table("nDCG@10 of the model alone", "before", outcome.changes, screen)
        yield ""
    if outcome.over_prior:
        yield from _table("nDCG@10 beside the first stage", "first stage", outcome.over_prior, screen)
        yield ""
    if outcome.changes:
        text = (
            "Over the passages of each development query, not over a whole index. p: paired randomisation test, "
            "two-sided."
        )
    else:
        text = "There were no queries to measure on, so nothing is known of how good it is."
    yield from screen.wrap([(text, False)])
    ended = ", stopped early" if outcome.stopped_early else ""
    yield from screen.wrap(
        [
            (
                f"{plural(outcome.steps, 'step')} in {duration(outcome.seconds)}{ended}; kept are the weights after "
                f"step {outcome.kept_step:,}. The report is {outcome.folder / 'report.html'}.",
                False,
            )
        ]
    )
    yield ""
    yield "Use it:"
    yield f"  quire search INDEX --reranker {shlex.quote(str(outcome.model))} QUERY"


def _table(title: str, before: str, changes: Mapping[str, Change], screen: Screen) -> Iterator[str]:
    yield screen.style(title, "bold")
    rows = list(changes.values())
    columns = [
        Column("queries of", list(changes), left=True),
        Column("queries", [f"{one.queries:,}" for one in rows], rank=2),
        Column(before, [f"{one.before:.4f}" for one in rows]),
        Column("after", [f"{one.after:.4f}" for one in rows]),
        Column("differs", [f"{one.difference:+.4f}" for one in rows], rank=1),
        Column("p", ["<0.0001" if one.p < 0.0001 else f"{one.p:.4f}" for one in rows]),
    ]
    yield from table_lines(columns, screen, "  ")
