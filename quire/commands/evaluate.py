"""`quire eval`: the commands of offline evaluation."""

from __future__ import annotations

import click

from quire.lazy_group import LazyGroup

# Name -> (module of quire.commands, what `quire eval --help` says of it).
COMMANDS = {
    "run": ("eval_run", "Run an experiment: collections x pipelines, measured, compared, reported."),
    "curves": ("eval_curves", "Measure quality and latency against one setting after another."),
    "tune": ("eval_tune", "Tune weights on judged queries; keep only what does no harm."),
    "measure": ("eval_measure", "Measure runs against judgements."),
    "compare": ("eval_compare", "Compare runs: significance, wins and losses, query by query."),
    "personal": ("eval_personal", "Judge a personalised run against the anonymous one."),
    "split": ("eval_split", "Split users' events into history and future."),
    "audit": ("eval_audit", "Say how much of a gain a shortcut explains: a field, or length."),
    "online": ("eval_online", "Estimate from logs of clicks: CTR, interleaving, counterfactuals."),
    "convert": ("eval_convert", "Convert runs, judgements and topics between formats."),
}


@click.group(cls=LazyGroup, name="eval", table=COMMANDS)
def eval_command() -> None:
    """Is one system better than another, and is the difference real?

    \b
      quire eval measure --qrels qrels.txt run.txt     measure a run
      quire eval run experiment.toml                   run, measure and compare pipelines
    """  # noqa: D301  click reads the backspace
