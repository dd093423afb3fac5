"""`quire eval tune`: find weights on judged queries, and keep what passes the gate."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import click

from quire.cli import DONE, State
from quire.progress import plural
from quire.terminal import Screen, cut, typed


@click.command("tune")
@click.argument("pairs", nargs=-1, required=True, metavar="INDEX COLLECTION [INDEX COLLECTION]...")
@click.option("--measure", "measure_name", default="nDCG@10", show_default=True, help="What to tune for.")
@click.option(
    "--params", metavar="A,B,...", help="What to tune: alpha,title_weight,headings_weight and others."
)
@click.option("--split", default="", metavar="NAME", help="Which judgements of the collections.")
@click.option(
    "--folds", default="5", show_default=True, metavar="N", help="Folds, or `collections`: leave one out."
)
@click.option("--trials", default=30, show_default=True, help="The most settings one search may try.")
@click.option("--margin", default=0.01, show_default=True, help="How far a mean may fall before it is harm.")
@click.option("--level", default=0.05, show_default=True, help="Level of the tests.")
@click.option("--seed", default=0, show_default=True, help="Of the folds and the tests.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Write what passed into [search] here."
)
@click.option("--cache", type=click.Path(path_type=Path), metavar="FOLDER", help="Where trials are kept.")
@click.option("--no-cache", is_flag=True, help="Neither use trials made before nor keep any.")
@click.option("--show-trials", is_flag=True, help="Print every trial.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def eval_tune_command(
    state: State,
    pairs: tuple[str, ...],
    measure_name: str,
    params: str | None,
    split: str,
    folds: str,
    trials: int,
    margin: float,
    level: float,
    seed: int,
    out: Path | None,
    cache: Path | None,
    no_cache: bool,
    show_trials: bool,
    as_json: bool,
) -> int:
    """Tune the search settings of INDEX on the judged queries of COLLECTION, cross-validated.

    COLLECTION is a BEIR folder or irds:NAME. With several pairs each collection weighs the same. Settings in use are
    those of your configuration. A change is kept only if it gains on queries that did not choose it, and does no
    harm on any collection. Tuned are alpha, title_weight and headings_weight unless --params names others:
    document_share, fusion, rrf_k, grouping, group_top, depth, diversity, late_weight, gist_weight,
    neighbours_weight, rerank_weight, rerank_depth.
    """
    if len(pairs) % 2:
        raise click.UsageError("name an index and a collection, or several such pairs; one has no partner")
    from eval.formats import read_collection
    from eval.measures import parse_measure
    from eval.tuning import (
        Gate,
        SearchTrials,
        TuningSource,
        collection_folds,
        decisions,
        held_out,
        query_folds,
        search_stages,
        trials_table,
        tune,
        write_settings,
    )
    from eval.tuning.stages import DEFAULT_PARAMETERS
    from eval.tuning.store import default_folder

    _check_out(out)
    names = [name.strip() for name in params.split(",") if name.strip()] if params else DEFAULT_PARAMETERS
    configuration = state.configuration()
    settings = configuration.search
    stages = search_stages(names, settings)
    gate = Gate(margin=margin, level=level, seed=seed)
    measure = parse_measure(measure_name)
    given = [typed(word) for word in pairs]
    sources = [
        TuningSource(index, read_collection(collection, split=split))
        for index, collection in zip(given[::2], given[1::2], strict=True)
    ]
    progress = _Progress()
    folder = None if no_cache else cache or default_folder()
    with SearchTrials(
        sources,
        measure,
        settings,
        cache=folder,
        on_query=progress,
        elastic=configuration.elasticsearch,
    ) as searched:
        for warning in searched.warnings:
            click.echo(f"quire: {warning}", err=True)
        numbers = (
            collection_folds(searched.queries)
            if folds == "collections"
            else query_folds(searched.queries, _whole(folds), seed)
        )
        try:
            tuning = tune(
                searched,
                stages,
                folds=numbers,
                gate=gate,
                most_trials=trials,
                seed=seed,
                on_trial=lambda _: progress.trial(),
            )
        finally:
            progress.clear()
    if out is not None and tuning.changes:
        write_settings(out, "search", tuning.changes)
    if as_json:
        click.echo(json.dumps(tuning.to_json(), ensure_ascii=False))
        return DONE
    if show_trials:
        _print(trials_table(tuning))
        click.echo()
    _print(decisions(tuning))
    click.echo()
    _print(held_out(tuning))
    click.echo(_ending(tuning.changes, out, len(tuning.trials)))
    return DONE


def _check_out(out: Path | None) -> None:
    """Refuse a file that could not take the result, before the work is done."""
    from engine.configuration import load

    if out is not None and not out.parent.is_dir():
        raise click.UsageError(f"--out {out}: there is no folder {out.parent}")
    if out is not None and out.exists():
        load(out, environ={})


def _whole(folds: str) -> int:
    if not folds.isdecimal():
        raise click.UsageError(f"--folds is a whole number or `collections`, found {folds!r}")
    return int(folds)


def _ending(changes: object, out: Path | None, trials: int) -> str:
    tried = f"{plural(trials, 'setting')} tried"
    if not changes:
        return f"{tried}{f'; {out} is as it was' if out else ''}."
    return f"{tried}; written to {out}." if out else f"{tried}. Keep the change with --out quire.toml."


def _print(lines: Iterable[str]) -> None:
    screen = Screen.of()
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()))
        if len(line) <= screen.width or "  " in line.strip():
            click.echo(line)
        else:
            for part in screen.wrap([(line.strip(), False)], indent + "  ", indent):
                click.echo(part)


@dataclass(slots=True)
class _Progress:
    """One line on a terminal that says which trial is at which query; nothing elsewhere."""

    trials: int = 0
    drawn: bool = False

    def __call__(self, collection: str, done: int, total: int) -> None:
        if done % 20 == 0 and sys.stderr.isatty():
            line = f"trial {self.trials + 1}, {collection}: {done:,} of {total:,} queries"
            sys.stderr.write("\r\x1b[2K" + cut(line, Screen.of(sys.stderr).width - 1))
            sys.stderr.flush()
            self.drawn = True

    def trial(self) -> None:
        """Count a trial."""
        self.trials += 1

    def clear(self) -> None:
        """Take the line away."""
        if self.drawn:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
            self.drawn = False
