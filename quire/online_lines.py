"""What logs of clicks say, as a person reads it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from quire.columns import Column, table_lines
from quire.terminal import Screen

if TYPE_CHECKING:
    from eval.online import DependentClicks, Examination, InterleavingOutcome, Log, Rate, Relevance
    from eval.online.counterfactual import Estimate

SHOWN = 5  # problems of each kind that are listed


def problem_lines(log: Log, screen: Screen) -> Iterator[str]:
    """Yield what is wrong with a log, the first few of each kind."""
    kinds: dict[str, list[str]] = {}
    for problem in log.problems:
        place = f"line {problem.line}: " if problem.line else ""
        kinds.setdefault(problem.kind, []).append(f"{place}{problem.found}")
    for kind, found in kinds.items():
        kept = "kept; --without-floods leaves them out" if kind == "flood" else "left out"
        yield f"{len(found):,} {kind} ({kept}):"
        for text in found[:SHOWN]:
            yield from screen.wrap([(text, False)], "    ", "  ")
        if len(found) > SHOWN:
            yield f"  and {len(found) - SHOWN:,} more"


def place_lines(
    rates: Sequence[Rate],
    by_em: Examination,
    by_moves: Examination,
    cascade: DependentClicks,
    screen: Screen,
) -> Iterator[str]:
    """Yield how often each place is clicked, and how much it is looked at."""
    yield screen.style(f"{rates[0].shown:,} impressions, place by place", "bold")
    columns = [
        Column("place", [str(place) for place in range(1, len(rates) + 1)]),
        Column("shown", [f"{rate.shown:,}" for rate in rates], 2),
        Column("clicked", [f"{rate.value:.4f}" for rate in rates]),
        Column("its interval", [_span(rate.low, rate.high) for rate in rates], 3),
        Column("looked at", [_number(value) for value in by_em.values]),
        Column("by moves", [_number(value) for value in by_moves.values]),
        Column("its interval", [_span(*ends) for ends in zip(by_moves.low, by_moves.high, strict=True)], 1),
        Column("reads on", [_number(value) for value in cascade.going_on], 1),
    ]
    yield from table_lines(columns, screen, "  ")
    yield from _note(
        "Looked at: how often, the first place being 1 (position-based model, by EM; by moves: from documents seen "
        "at several places). Reads on: after a click there (dependent click model).",
        screen,
    )


def relevance_lines(
    worth: Mapping[tuple[str, str], Relevance], looked: Examination, most: int, screen: Screen
) -> Iterator[str]:
    """Yield what the best documents are worth without the place's share."""
    shown = list(worth.items())[:most]
    yield screen.style(
        f"{len(shown):,} of {len(worth):,} documents, surest first, the place taken out", "bold"
    )
    columns = [
        Column("document", [doc for (_, doc), _ in shown], left=True),
        Column("query", [query for (query, _), _ in shown], left=True),
        Column("relevance", [f"{found.value:.4f}" for _, found in shown]),
        Column("its interval", [_span(found.low, found.high) for _, found in shown], 1),
        Column("clicks", [f"{found.clicks:,}" for _, found in shown], 1),
        Column("exposure", [f"{found.exposure:,.1f}" for _, found in shown], 2),
    ]
    yield from table_lines(columns, screen, "  ")
    how = "by moves" if looked.method == "moves" else "by EM"
    said = f"Relevance: the chance of a click if shown first ({how}); the interval takes what is looked at as known."
    yield from _note(said, screen)


def interleaving_lines(found: InterleavingOutcome, a: str, b: str, screen: Screen) -> Iterator[str]:
    """Yield who won."""
    yield screen.style(f"{found.impressions:,} impressions, {found.clicked:,} with clicks", "bold")
    tied = found.readers - found.readers_a - found.readers_b
    columns = [
        Column("", ["impressions won", "readers who prefer it", "share of credit"], left=True),
        Column(a, [f"{found.wins_a:,}", f"{found.readers_a:,}", f"{found.credit_a:.1%}"]),
        Column(b, [f"{found.wins_b:,}", f"{found.readers_b:,}", f"{1 - found.credit_a:.1%}"]),
        Column("neither", [f"{found.ties:,}", f"{tied:,}", ""]),
        Column("in all", [f"{found.clicked:,}", f"{found.readers:,}", ""]),
    ]
    yield from table_lines(columns, screen, "  ")
    yield from screen.wrap([(found.words(a, b), False)])
    said = f"p by t over readers; by the binomial test over readers who prefer one it is {found.p_sign:.3g}."
    yield from _note(said, screen)


def counterfactual_lines(found: Sequence[Estimate], kind: str, screen: Screen) -> Iterator[str]:
    """Yield the estimates, loosest clip first; clips that cut nothing are not repeated."""
    first = found[0]
    rows = [first, *(one for one in found[1:] if one.clipped > 0)]
    yield screen.style(f"{kind} an impression; {first.records:,} impressions weighed by {first.unit}", "bold")
    columns = [
        Column("clip", ["none" if math.isinf(one.clip) else f"{one.clip:g}" for one in rows]),
        Column("SNIPS", [_number(one.snips) for one in rows]),
        Column("its interval", [_span(*one.snips_interval) for one in rows]),
        Column("IPS", [_number(one.ips) for one in rows]),
        Column("its interval", [_span(*one.ips_interval) for one in rows], 2),
        Column("worth", [f"{one.effective:,.0f}" for one in rows]),
        Column("clipped", [f"{one.clipped:.1%}" for one in rows], 1),
        Column("mean weight", [f"{one.mean_weight:.3f}" for one in rows], 3),
    ]
    yield from table_lines(columns, screen, "  ")
    said = f"The logging system got {first.logged:.4f} ({_span(*first.logged_interval)})"
    if math.isfinite(first.gain):
        change = _span(*first.gain_interval, sign=True)
        said += f"; by SNIPS with clip {_clip(first)} the other gains {first.gain:+.4f} ({change})"
    yield from screen.wrap([(f"{said}.", False)])
    said = (
        "Worth: so many records of equal weight. An estimate that moves with the clip rests on few records."
    )
    yield from _note(said, screen)


def warning_lines(warnings: Sequence[str], screen: Screen) -> Iterator[str]:
    """Yield warnings."""
    for warning in warnings:
        yield from screen.wrap([(warning, False)], "  ", "! ")


def _note(text: str, screen: Screen) -> Iterator[str]:
    yield from (screen.style(line, "dim") for line in screen.wrap([(text, False)]))


def _clip(estimate: Estimate) -> str:
    return "none" if math.isinf(estimate.clip) else f"{estimate.clip:g}"


def _number(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else "–"


def _span(low: float, high: float, *, sign: bool = False) -> str:
    if not (math.isfinite(low) and math.isfinite(high)):
        return "–"
    return f"{low:+.4f} to {high:+.4f}" if sign else f"{low:.4f} to {high:.4f}"
