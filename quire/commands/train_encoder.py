"""`quire train-encoder`: an encoder fitted to what readers clicked, given what they had met before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quire.cli import DONE
from quire.commands.train_options import FOLDER, check_resumed_alone
from quire.index_argument import opened, place
from quire.terminal import Screen, typed

if TYPE_CHECKING:
    from engine.personal.joint import JointOutcome
    from quire.training import ImpressionSource

_FILE = click.Path(path_type=Path)
_SOURCE = ("tenant", "history", "negatives", "eta", "dev", "test", "seed")
_SETTINGS = (
    "method", "epochs", "max_steps", "learning_rate", "max_tokens", "anchor", "precision", "device", "threads", "seed",
)  # fmt: skip


@click.command("train-encoder")
@click.argument("index", required=False)
@click.option(
    "--log", type=_FILE, metavar="FILE", help="Lists that were shown: query, user_id, at, shown, clicks."
)
@click.option(
    "--topics", type=_FILE, metavar="FILE", help="Texts of the queries that the log names by query_id."
)
@click.option(
    "--events", type=_FILE, multiple=True, metavar="FILE", help="What readers did; else what INDEX knows."
)
@click.option("--tenant", metavar="NAME", help="Whose readers of INDEX (default).")
@click.option(
    "--out", type=FOLDER, metavar="FOLDER", help="For the run: a new folder; the encoder is FOLDER/model."
)
@click.option(
    "--resume", type=FOLDER, metavar="FOLDER", help="Go on with the run in FOLDER; nothing else is given."
)
@click.option("--test", type=float, metavar="S", help="Share of the readers to measure on (0.2).")
@click.option(
    "--dev", type=float, metavar="S", help="Share of the readers to choose the best weights by (0.1)."
)
@click.option("--history", type=int, metavar="N", help="At most N documents of a reader's history (50).")
@click.option("--negatives", type=int, metavar="N", help="Documents drawn by chance beside those shown (0).")
@click.option("--eta", type=float, metavar="E", help="A place is looked at in proportion to 1/place^E (1).")
@click.option("--base", metavar="NAME", help="The encoder to start from; by default INDEX's own.")
@click.option("--method", metavar="M", help="lora or full.")
@click.option("--anchor", type=float, metavar="A", help="How strongly vectors are held where they were (2).")
@click.option("--learning-rate", type=float, metavar="R", help="The highest (0.0001).")
@click.option(
    "--max-tokens", type=int, metavar="N", help="Cut texts while learning; 0 for the encoder's limit (128)."
)
@click.option("--epochs", type=float, metavar="E", help="How often to go through the lists (1).")
@click.option("--max-steps", type=int, metavar="N", help="Stop after N steps.")
@click.option("--seed", type=int, metavar="N", help="Of every choice by chance (0).")
@click.option("--precision", metavar="P", help="auto, fp32, bf16 or fp16.")
@click.option("--device", metavar="D", help="auto, cpu or cuda.")
@click.option("--threads", type=int, metavar="N", help="Processors to use.")
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@click.pass_context
def train_encoder_command(ctx: click.Context, /, **options: Any) -> int:
    """Fit the encoder of INDEX to its readers: what they clicked, given what each had met before.

    \b
      quire train-encoder my-index --log lists.jsonl --out runs/readers
      quire train-encoder my-index --log lists.jsonl --events events.jsonl --epochs 3 --out runs/readers
      quire index my-documents new-index --encoder runs/readers/model

    It is measured on readers that it has not seen, and says whether it is better for them. Ctrl-C stops at any time,
    and --resume goes on. docs/training.md explains it.
    """  # noqa: D301  click reads the backspace
    from quire.encoder_lines import outcome_lines
    from quire.train_progress import TrainingLine

    line = TrainingLine(quiet=options["quiet"])
    try:
        outcome = _resumed(ctx, options, line) if options["resume"] else _begun(options, line)
    finally:
        line.clear()
    if options["as_json"]:
        click.echo(json.dumps(outcome.to_json(), ensure_ascii=False))
        return DONE
    for text in outcome_lines(outcome, Screen.of()):
        click.echo(text, color=True)
    return DONE


def _resumed(ctx: click.Context, options: dict[str, Any], line: Any) -> JointOutcome:
    from quire.training import resume_encoder

    check_resumed_alone(ctx, "settings")
    return resume_encoder(options["resume"], tell=line, command=_again(options["resume"]))


def _begun(options: dict[str, Any], line: Any) -> JointOutcome:
    from engine.personal.joint import JointSettings
    from quire.training import train_encoder
    from quire.training.read import model_path

    for name, what in (("index", "INDEX"), ("log", "--log FILE"), ("out", "--out FOLDER")):
        if not options[name]:
            raise click.UsageError(
                f"{what} is missing: an index, a log of lists, and a folder for the run are needed"
            )
    source = _source(options)
    base = model_path(typed(options["base"])) if options["base"] else _own_base(source.index)
    given = {name: options[name] for name in _SETTINGS if options[name] is not None}
    if options["max_steps"] and options["epochs"] is None:
        given["epochs"] = 0.0
    settings = JointSettings(base=base, **given)
    return train_encoder(source, settings, options["out"], tell=line, command=_again(options["out"]))


def _source(options: dict[str, Any]) -> ImpressionSource:
    from quire.training import ImpressionSource

    index = place(typed(options["index"]))
    return ImpressionSource(
        index=str(index if isinstance(index, str) else index.resolve()),
        log=str(options["log"].resolve()),
        topics=str(options["topics"].resolve()) if options["topics"] else "",
        events=tuple(str(path.resolve()) for path in options["events"]),
        **{name: options[name] for name in _SOURCE if options[name] is not None},
    )


def _own_base(index: str) -> str:
    """Return the name of the encoder that an index was made with."""
    with opened(place(index)) as found:
        return found.encoder_identity.name


def _again(out: Path) -> list[str]:
    return ["quire", "train-encoder", "--resume", str(out)]
