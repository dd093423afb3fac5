"""`quire eval online`: what logs of clicks say."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quire.cli import DONE
from quire.online_lines import (
    counterfactual_lines,
    interleaving_lines,
    place_lines,
    problem_lines,
    relevance_lines,
    warning_lines,
)
from quire.terminal import Screen, typed

if TYPE_CHECKING:
    from eval.online import Impression, Log
    from eval.online.counterfactual import Estimate

LOG = click.argument("path", metavar="LOG", type=click.Path(path_type=Path))
CALM = click.option("--without-floods", is_flag=True, help="Leave out readers who flood the log.")
LEVEL = click.option(
    "--level",
    type=click.FloatRange(0.5, 1, max_open=True),
    default=0.95,
    metavar="L",
    help="Of the intervals (0.95).",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("online")
def eval_online_command() -> None:
    """Estimate from logs of clicks: JSON lines of query_id, user_id, shown and clicks; see docs/online.md."""


@eval_online_command.command("clicks", short_help="Take the place out of clicks: examination, relevance.")
@LOG
@CALM
@LEVEL
@click.option("--documents", type=click.IntRange(0), default=10, metavar="N", help="Show N documents (10).")
@JSON
def clicks_command(path: Path, without_floods: bool, level: float, documents: int, as_json: bool) -> int:
    """Say how often each place is clicked, how much it is looked at, and what documents are worth without that."""
    from eval.online import (
        by_place,
        dependent_clicks,
        examination,
        examination_from_moves,
        read_log,
        relevance,
    )

    log = read_log(path)
    seen = _kept(log, without_floods)
    rates = by_place(seen, level)
    by_em, by_moves = examination(seen), examination_from_moves(seen, level)
    # Both know the same places, unless a link has too few clicks; with few impressions of each document EM leans.
    unknown = [sum(map(math.isnan, one.values)) for one in (by_moves, by_em)]
    looked = by_moves if unknown[0] <= unknown[1] else by_em
    worth = relevance(seen, looked, level)
    cascade = dependent_clicks(seen)
    warnings = looked.warnings
    if as_json:
        _print_json(
            {
                "problems": [asdict(problem) for problem in log.problems],
                "impressions": len(seen),
                "places": [asdict(rate) | {"value": rate.value} for rate in rates],
                "examination": {"em": asdict(by_em), "moves": asdict(by_moves)},
                "relevance_by": looked.method,
                "going_on": cascade.going_on,
                "relevance": [
                    {"query_id": query, "doc_id": doc} | asdict(found)
                    for (query, doc), found in worth.items()
                ],
                "attraction": [
                    {"query_id": query, "doc_id": doc, "value": value}
                    for (query, doc), value in cascade.attraction.items()
                ],
                "warnings": warnings,
            }
        )
        return DONE
    screen = _opened(log)
    _print(place_lines(rates, by_em, by_moves, cascade, screen))
    if documents and worth:
        click.echo()
        _print(relevance_lines(worth, looked, documents, screen))
    _print(warning_lines(warnings, screen))
    return DONE


@eval_online_command.command("interleaving", short_help="Which of two interleaved systems wins.")
@LOG
@click.option("--names", nargs=2, default=("A", "B"), metavar="A B", help="What the systems are called.")
@CALM
@LEVEL
@JSON
def interleaving_command(
    path: Path, names: tuple[str, str], without_floods: bool, level: float, as_json: bool
) -> int:
    """Say which of two interleaved systems the clicks prefer; the log has teams (A, B, -) or shares of A."""
    from eval.online import analyse_interleaving, read_log

    log = read_log(path)
    a, b = (typed(name) for name in names)
    found = analyse_interleaving(_kept(log, without_floods), level)
    words = found.words(a, b)
    if as_json:
        problems = [asdict(problem) for problem in log.problems]
        _print_json(
            asdict(found) | {"ties": found.ties, "winner": found.winner, "words": words, "problems": problems}
        )
        return DONE
    _print(interleaving_lines(found, a, b, _opened(log)))
    return DONE


@eval_online_command.command("counterfactual", short_help="What a system would have got that was not shown.")
@LOG
@click.option(
    "--run", "run_path", metavar="RUN", type=click.Path(path_type=Path), help="What the system would show."
)
@click.option(
    "--unit",
    type=click.Choice(["rankings", "places"]),
    help="Weigh whole lists (propensity) or places (propensities); rankings where the log has both.",
)
@click.option(
    "--reward", type=click.Choice(["clicks", "dcg"]), default="clicks", help="What counts (clicks)."
)
@click.option("--clips", default="", metavar="W,W,...", help="Largest weights to show; inf for none.")
@CALM
@LEVEL
@JSON
def counterfactual_command(
    path: Path,
    run_path: Path | None,
    unit: str | None,
    reward: str,
    clips: str,
    without_floods: bool,
    level: float,
    as_json: bool,
) -> int:
    """Estimate what another system would have got, from a log whose rankings had a known chance (propensity).

    The other system is a RUN, or the log's target (or targets): its chance of what was shown.
    """
    from eval.formats import read_run
    from eval.online import clipping, places_estimate, rankings_estimate, read_log

    log = read_log(path)
    seen = _kept(log, without_floods)
    run = read_run(run_path) if run_path else None
    whole = unit == "rankings" if unit else any(one.propensity is not None for one in seen)
    estimate = rankings_estimate if whole else places_estimate
    wanted = _clips(clips)

    def at(clip: float) -> Estimate:
        return estimate(seen, run, clip=clip, reward="dcg" if reward == "dcg" else "clicks", level=level)

    found = clipping(at, wanted) if wanted else clipping(at)
    if as_json:
        problems = [asdict(problem) for problem in log.problems]
        estimates = [asdict(one) | {"warnings": one.warnings} for one in found]
        _print_json({"estimates": estimates, "problems": problems})
        return DONE
    screen = _opened(log)
    _print(counterfactual_lines(found, "discounted clicks" if reward == "dcg" else "clicks", screen))
    _print(warning_lines(found[0].warnings, screen))
    return DONE


def _kept(log: Log, without_floods: bool) -> tuple[Impression, ...]:
    return log.without_floods() if without_floods else log.impressions


def _clips(text: str) -> list[float]:
    try:
        clips = [float(part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise click.UsageError(f"--clips {text!r}: numbers separated by commas were expected") from error
    if not all(clip > 0 for clip in clips):
        raise click.UsageError(f"--clips {text!r}: each is above 0")
    return clips


def _opened(log: Log) -> Screen:
    """Say on standard error what is wrong with a log, and return the screen for what it says."""
    for line in problem_lines(log, Screen.of(sys.stderr)):
        click.echo(line, err=True)
    sys.stderr.flush()
    return Screen.of()


def _print(lines: Iterator[str]) -> None:
    for line in lines:
        click.echo(line, color=True)


def _print_json(value: dict[str, Any]) -> None:
    click.echo(json.dumps(_finite(value), ensure_ascii=False, allow_nan=False))


def _finite(value: Any) -> Any:
    """Return plain values for JSON; what is not a finite number as null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
