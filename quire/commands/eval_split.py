"""`quire eval split`: a log of events into what may be learnt from and what is judged."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quire.cli import DONE
from quire.progress import plural
from quire.terminal import Screen, typed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from engine.event import Event
    from eval.personal import Split

FILE = click.Path(path_type=Path)


@click.command("split")
@click.argument("events_path", metavar="EVENTS", type=FILE)
@click.option(
    "--history", "history_path", metavar="FILE", type=FILE, required=True, help="Write what was before."
)
@click.option(
    "--future", "future_path", metavar="FILE", type=FILE, required=True, help="Write what is held out."
)
@click.option("--at", "cut", metavar="TIME", help="Everyone at one moment (ISO 8601): nothing leaks.")
@click.option("--at-share", type=float, metavar="S", help="The same, so that the last share S is the future.")
@click.option("--last", type=click.IntRange(1), metavar="N", help="The last N documents of each reader.")
@click.option("--share", type=float, metavar="S", help="A share S of each reader's documents, by a hash.")
@click.option(
    "--min-history",
    type=click.IntRange(0),
    default=1,
    metavar="N",
    help="Judge readers with at least N documents in the history (1).",
)
@click.option(
    "--kind", "kinds", multiple=True, metavar="KIND", help="Only events of this kind; repeat for more."
)
@click.option(
    "--seed", type=int, default=0, metavar="N", help="Of --share: another number, another choice (0)."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def eval_split_command(
    events_path: Path,
    history_path: Path,
    future_path: Path,
    cut: str | None,
    at_share: float | None,
    last: int | None,
    share: float | None,
    min_history: int,
    kinds: tuple[str, ...],
    seed: int,
    as_json: bool,
) -> int:
    """Split EVENTS by reader into a history and a future, and look for leaks between them.

    A document is on one side only for each reader. Say how by one of --at, --at-share, --last and --share.
    """
    from eval.personal import (
        cut_for_share,
        leakage_of_split,
        read_events,
        split_at,
        split_last,
        split_share,
        write_events,
    )

    if sum(way is not None for way in (cut, at_share, last, share)) != 1:
        raise click.UsageError("say how to split by one of --at, --at-share, --last and --share")
    if len({path.resolve() for path in (events_path, history_path, future_path)}) < 3:
        raise click.UsageError("EVENTS, --history and --future have to be three different files")
    events = _of_kinds(read_events(events_path), [typed(kind) for kind in kinds])
    if last is not None:
        split = split_last(events, last, min_history=min_history)
    elif share is not None:
        split = split_share(events, share, min_history=min_history, seed=seed)
    else:
        moment = _moment(cut) if cut is not None else cut_for_share(events, at_share or 0.0)
        split = split_at(events, moment, min_history=min_history)
    write_events(split.history, history_path)
    write_events(split.future, future_path)
    leakage = leakage_of_split(split)
    counts = {"history": _counts(split.history), "future": _counts(split.future)}
    if as_json:
        document = {**counts, "left_out": dict(split.left_out), "leakage": asdict(leakage)["findings"]}
        click.echo(json.dumps(document, ensure_ascii=False))
        return DONE
    from quire.personal_lines import leakage_lines

    for line in _lines(split, counts):
        click.echo(line)
    for line in leakage_lines(leakage, Screen.of()):
        click.echo(line, color=True)
    return DONE


def _of_kinds(events: list[Event], kinds: Sequence[str]) -> list[Event]:
    if not kinds:
        return events
    kept = [event for event in events if event.kind in kinds]
    if not kept:
        found = ", ".join(sorted({event.kind for event in events})[:20]) or "none"
        raise click.UsageError(f"no event is of kind {' or '.join(kinds)}; kinds found: {found}")
    return kept


def _moment(text: str) -> datetime:
    from engine.event import InvalidEvent, parse_time

    try:
        return parse_time(text)
    except InvalidEvent as error:
        raise click.UsageError(f"--at: {error}") from error


def _counts(events: Sequence[Event]) -> dict[str, int]:
    return {"events": len(events), "readers": len({event.user_id for event in events})}


def _lines(split: Split, counts: dict[str, dict[str, int]]) -> list[str]:
    lines = [
        f"{part:<8} {plural(found['events'], 'event')} of {plural(found['readers'], 'reader')}"
        for part, found in counts.items()
    ]
    return [
        *lines,
        *(f"left out {plural(count, 'event')} {reason}" for reason, count in split.left_out.items()),
    ]
