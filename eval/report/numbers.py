"""How numbers are printed, in one place, so that a table and the sentence under it agree."""

from __future__ import annotations

import math
from datetime import UTC, datetime

NONE = "–"
MINUS = "−"


def mean(value: float) -> str:
    """Return a measure's mean with four decimals; with one where it is not a share but, say, milliseconds."""
    if not math.isfinite(value):
        return NONE
    return _signed(f"{value:.4f}" if abs(value) < 10 else f"{value:,.1f}")


def bound(value: float) -> str:
    """Return an interval's end: one decimal fewer than the mean."""
    return _signed(f"{value:.3f}" if abs(value) < 10 else f"{value:,.0f}")


def difference_bound(value: float) -> str:
    """Return the end of a difference's interval; it has the decimals of the difference, to tell it from 0."""
    return mean(value)


def difference(value: float) -> str:
    """Return a difference with its sign; one that is printed as nothing has none."""
    text = f"{value:+.4f}" if abs(value) < 10 else f"{value:+,.1f}"
    return _signed(text if any(digit in text for digit in "123456789") else text[1:])


def p_value(value: float) -> str:
    """Return a p value with three decimals, or that it is smaller."""
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def effect(value: float) -> str:
    """Return an effect size with its sign; a dash where it is not defined."""
    if math.isnan(value):
        return NONE
    return _signed(f"{value:+.2f}" if math.isfinite(value) else "+∞" if value > 0 else "-∞")


def milliseconds(value: float) -> str:
    """Return a latency with three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def duration(seconds: float) -> str:
    """Return a time as a person says it."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def moment(written: str) -> str:
    """Return a time written as ISO 8601 to the minute, in UTC; what is not so written as it is."""
    try:
        read = datetime.fromisoformat(written)
    except ValueError:
        return written or NONE
    return f"{read if read.tzinfo is None else read.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def share(value: float) -> str:
    """Return a share in per cent."""
    return f"{100 * value:.0f}%"


def count(number: int, noun: str, many: str = "") -> str:
    """Return a number and what is counted, in the singular or the plural."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def _signed(text: str) -> str:
    return text.replace("-", MINUS)
