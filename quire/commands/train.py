"""`quire train`: a reranker from judgements, clicks, preferences, or documents alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quire.cli import DONE
from quire.commands.train_options import FOLDER, check_resumed_alone, data_options, recipe_from
from quire.progress import plural
from quire.terminal import Screen, harmless

if TYPE_CHECKING:
    from reranker.training import TrainingOutcome


@click.command("train")
@data_options
@click.option("--examples", multiple=True, metavar="FILE", help="Examples that `quire mine` wrote.")
@click.option(
    "--out", type=FOLDER, metavar="FOLDER", help="For the run: a new folder; the reranker is FOLDER/model."
)
@click.option(
    "--resume", type=FOLDER, metavar="FOLDER", help="Go on with the run in FOLDER; nothing else is given."
)
@click.option(
    "--replay",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Mix in what an earlier RUN (or FILE) had.",
)
@click.option("--replay-share", type=float, metavar="S", help="The share of old examples (0.2).")
@click.option(
    "--base", metavar="NAME", help="What to start from: an encoder, or a reranker to train further."
)
@click.option("--method", metavar="M", help="lora, full or frozen.")
@click.option("--objective", metavar="O", help="ranknet, listwise, lambda, bce, mse or margin-mse.")
@click.option("--epochs", type=float, metavar="E", help="How often to go through the data (1).")
@click.option("--max-steps", type=int, metavar="N", help="Stop after N steps.")
@click.option("--device", metavar="D", help="auto, cpu or cuda.")
@click.option("--threads", type=int, metavar="N", help="Processors to use.")
@click.option("--check", is_flag=True, help="Read and check the data, and stop there.")
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@click.pass_context
def train_command(ctx: click.Context, /, **options: Any) -> int:
    """Train a reranker on what is known of the documents in INDEX, or on all that RECIPE.toml names.

    \b
      quire train my-index --structure --out runs/first
      quire train my-index --clicks log.jsonl --replay runs/first --base runs/first/model --out runs/second
      quire train recipe.toml --out runs/all

    Data are checked before anything is trained; wrong answers are mined from the index. Ctrl-C stops at any time, and
    --resume goes on. docs/training.md explains it.
    """  # noqa: D301  click reads the backspace
    from quire.train_lines import outcome_lines
    from quire.train_progress import TrainingLine

    line = TrainingLine(quiet=options["quiet"])
    try:
        outcome = _resumed(ctx, options, line) if options["resume"] else _begun(ctx, options, line)
    finally:
        line.clear()
    if outcome is None:
        return DONE
    if options["as_json"]:
        click.echo(json.dumps(outcome.to_json(), ensure_ascii=False))
        return DONE
    for text in outcome_lines(outcome, Screen.of()):
        click.echo(text, color=True)
    return DONE


def _resumed(ctx: click.Context, options: dict[str, Any], line: Any) -> TrainingOutcome:
    from quire.training import resume

    check_resumed_alone(ctx, "recipe")
    return resume(options["resume"], tell=line, command=_resume(options["resume"]))


def _begun(ctx: click.Context, options: dict[str, Any], line: Any) -> TrainingOutcome | None:
    from quire.training import train
    from quire.training.preparing import check_only

    if options["out"] is None:
        raise click.UsageError("--out FOLDER is missing: where the run and its reranker go")
    recipe = recipe_from(ctx.obj, options)
    if options["check"]:
        counts = check_only(recipe, options["out"], line)
        line.clear()
        for name, count in counts:
            click.echo(harmless(f"{name}: {plural(count, 'query').replace('querys', 'queries')}"))
        return None
    return train(recipe, options["out"], tell=line, command=_resume(options["out"]))


def _resume(out: Path) -> list[str]:
    return ["quire", "train", "--resume", str(out)]
