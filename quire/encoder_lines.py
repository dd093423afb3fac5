"""What `quire train-encoder` prints when it is done: what changed for readers it never saw, and whether to use it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from quire.columns import Column, table_lines
from quire.progress import duration, plural
from quire.terminal import Screen

if TYPE_CHECKING:
    from engine.personal.joint import JointOutcome
    from reranker.training import Change


def outcome_lines(outcome: JointOutcome, screen: Screen) -> Iterator[str]:
    """Yield the tables of a finished run, what may be said of it, and the next command."""
    for measure, changes in outcome.changes.items():
        yield from _table(f"{measure} of the lists of readers who were not learnt from", changes, screen)
        yield ""
    yield from screen.wrap([(outcome.said, False)])
    if outcome.changes:
        text = (
            "Before is the encoder as it was, with the weight of histories that suits it best "
            f"({outcome.weight_before:.3f}; {outcome.weight:.3f} was learnt). p: paired randomisation test over "
            f"readers, two-sided. Documents' vectors have a mean cosine of {outcome.kept:.3f} with those before."
        )
        yield from screen.wrap([(text, False)])
    ended = ", stopped early" if outcome.stopped_early else ""
    text = (
        f"{plural(outcome.steps, 'step')} in {duration(outcome.seconds)}{ended}; kept are the weights after step "
        f"{outcome.kept_step:,}. The report is {outcome.folder / 'report.html'}."
    )
    yield from screen.wrap([(text, False)])
    if outcome.verdict == "better":
        yield ""
        yield "Use it, in a new index:"
        yield f"  quire index FOLDER INDEX --encoder {shlex.quote(str(outcome.model))}"


def _table(title: str, changes: Mapping[str, Change], screen: Screen) -> Iterator[str]:
    yield screen.style(title, "bold")
    rows = list(changes.values())
    columns = [
        Column("lists", list(changes), left=True),
        Column("readers", [f"{one.queries:,}" for one in rows], rank=2),
        Column("before", [f"{one.before:.4f}" for one in rows]),
        Column("after", [f"{one.after:.4f}" for one in rows]),
        Column("differs", [f"{one.difference:+.4f}" for one in rows], rank=1),
        Column("p", ["<0.0001" if one.p < 0.0001 else f"{one.p:.4f}" for one in rows]),
    ]
    yield from table_lines(columns, screen, "  ")
