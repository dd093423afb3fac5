"""A ledger as a bar: how much of a score each signal brought, drawn in numbers that an SVG takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.ledger import Ledger, Term

WIDTH = 100.0
"""What the bar of the best document is wide, below zero and above it together."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One signal's part of a bar.

    Args:
        name: The signal, as `engine.ledger.Term` names it.
        value: What it adds to the score.
        percent: Its share of all that speaks for the document, rounded; below 0 where it speaks against it.
        x: Where it begins.
        width: How wide it is.
    """

    name: str
    value: float
    percent: int
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Bar:
    """The bar of a hit.

    Args:
        segments: What is drawn, from left to right: what speaks against the document, then what speaks for it.
        zero: Where nothing is: what is left of it speaks against the document.
        shares: One of each signal that had a say, in the ledger's order.
    """

    segments: tuple[Segment, ...]
    zero: float
    shares: tuple[Segment, ...]


def scale_of(ledgers: Iterable[Ledger]) -> tuple[float, float]:
    """Return the most that speaks against any document of a list, and the most that speaks for any."""
    sums = [_sums(ledger.terms) for ledger in ledgers]
    return max((against for against, _ in sums), default=0.0), max(
        (for_it for _, for_it in sums), default=0.0
    )


def bar_of(ledger: Ledger, scale: tuple[float, float] | None = None) -> Bar:
    """Return the bar of a ledger.

    Args:
        ledger: The account of a score.
        scale: What `scale_of` says of the list that it is in, so that bars can be compared; None for a bar by itself.
    """
    against, for_it = scale or scale_of([ledger])
    unit = WIDTH / (against + for_it) if against + for_it > 0 else 0.0
    zero = against * unit
    speaking = sum(term.value for term in ledger.terms if term.value > 0)
    shares, left, right = {}, zero, zero
    for term in ledger.terms:
        width = abs(term.value) * unit
        if term.value < 0:
            left -= width
        x = left if term.value < 0 else right
        if term.value > 0:
            right += width
        percent = round(100 * term.value / speaking) if speaking > 0 else 0
        shares[term.name] = Segment(term.name, term.value, percent, round(x, 2), round(width, 2))
    drawn = sorted((one for one in shares.values() if one.width > 0), key=lambda one: one.x)
    return Bar(tuple(drawn), round(zero, 2), tuple(shares.values()))


def _sums(terms: Sequence[Term]) -> tuple[float, float]:
    return (
        -sum(term.value for term in terms if term.value < 0),
        sum(term.value for term in terms if term.value > 0),
    )
