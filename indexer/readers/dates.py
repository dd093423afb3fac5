"""Dates as the formats write them."""

from __future__ import annotations

import re
from datetime import date

_PLAIN = re.compile(r"(?:D:)?(\d{4})(?:(\d{2})(?:(\d{2})(?:\d{2}){0,3})?)?(?!\d)")
_PARTED = re.compile(r"(\d{4})[-/.年](\d{1,2})(?:[-/.月](\d{1,2}))?(?!\d)")


def to_date(written: str) -> date | None:
    """Return the day of an ISO 8601 or PDF date, or None for anything else.

    A year or a month stands for its first day.
    """
    match = _PARTED.match(written.strip()) or _PLAIN.match(written.strip())
    if match is None:
        return None
    year, month, day = (int(part) if part else 1 for part in match.groups())
    try:
        return date(year, month, day)
    except ValueError:
        return None
