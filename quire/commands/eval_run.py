"""`quire eval run`: an experiment from its file to its tables, runs and report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from quire.cli import DONE, PARTLY
from quire.progress import duration, plural
from quire.terminal import Screen, harmless, typed

if TYPE_CHECKING:
    from eval.experiment.definition import Experiment
    from eval.experiment.result import ExperimentResult

FOLDER = click.Path(path_type=Path, file_okay=False)
REPORT, TABLES = "report.html", "tables.md"


@click.command("run")
@click.argument("path", metavar="EXPERIMENT", type=click.Path(path_type=Path))
@click.option("--out", type=FOLDER, metavar="FOLDER", help="For results (the file's name and -results).")
@click.option(
    "--collections", type=FOLDER, metavar="FOLDER", help="Where relative paths of collections start."
)
@click.option("--cache", type=FOLDER, metavar="FOLDER", help="For what is kept (cache in the other folder).")
@click.option(
    "--only", multiple=True, metavar="CELL", help="Run COLLECTION, PIPELINE or COLLECTION/PIPELINE."
)
@click.option("--force", is_flag=True, help="Run cells anew that were run before; indexes are kept.")
@click.option("--list", "listing", is_flag=True, help="Say what would be run, and run nothing.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def eval_run_command(
    path: Path,
    out: Path | None,
    collections: Path | None,
    cache: Path | None,
    only: tuple[str, ...],
    force: bool,
    listing: bool,
    quiet: bool,
) -> int:
    """Run EXPERIMENT, a TOML file of collections and pipelines; measure, compare, report.

    A cell is one pipeline on one collection. What was run before is not run again unless something that decides its
    answers has changed; interrupted, run the same command again. Exit status 1 when a cell failed.
    """
    from eval.experiment.read import read_experiment
    from eval.experiment.runner import RESULTS, run_experiment
    from quire.experiment_lines import experiment_lines
    from quire.experiment_progress import ExperimentLine

    experiment = read_experiment(path, collections_folder=collections)
    out = out or Path(f"{path.stem}-results")
    cache = cache or out / "cache"
    wanted = [typed(name) for name in only]
    if listing:
        return _list(experiment, cache, wanted)
    line = ExperimentLine()
    try:
        result = run_experiment(
            experiment,
            out,
            cache=cache,
            only=wanted,
            force=force,
            progress=(lambda stage: None) if quiet else line,
        )
    finally:
        line.clear()
    if result.cells:
        _write_reports(result, out)
        for text in experiment_lines(result, Screen.of()):
            click.echo(text, color=True)
    cached = sum(cell.cached for cell in result.cells)
    click.echo(
        f"{plural(len(result.cells), 'cell')} ({cached:,} from before) in {duration(result.seconds)}; "
        f"{', '.join(str(out / name) for name in (REPORT, TABLES, RESULTS))}"
    )
    for failure in result.failures:
        click.echo(harmless(f"{failure.collection} / {failure.pipeline} failed: {failure.reason}"), err=True)
    return PARTLY if result.failures else DONE


def _list(experiment: Experiment, cache: Path, only: list[str]) -> int:
    """Print every cell and whether it was run before."""
    from eval.experiment.runner import planned

    wanted = set(experiment.only(only))
    waiting = 0
    for collection, pipeline, kept in planned(experiment, cache):
        if (collection, pipeline) in wanted:
            waiting += not kept
            click.echo(f"{collection}/{pipeline}{'' if kept else '  to be run'}")
    click.echo(f"{plural(len(wanted), 'cell')}, {waiting:,} to be run.")
    return DONE


def _write_reports(result: ExperimentResult, out: Path) -> None:
    from eval.report import markdown_tables, write_report
    from indexer.local.durable import replace_atomically

    write_report(result, out / REPORT)
    replace_atomically(out / TABLES, markdown_tables(result).encode())
