"""Dates as the formats write them."""

from __future__ import annotations

import re
from datetime import date

_DATE = re.compile(r"(?:D:)?(\d{4})(?:[-/.年]?(\d{1,2})(?:[-/.月]?(\d{1,2}))?)?(?!\d{3})")


def to_date(written: str) -> date | None:
    """Return the day of an ISO 8601 or PDF date, or None for anything else.

    A year or a month stands for its first day.
    """
    match = _DATE.match(written.strip())
    if match is None:
        return None
    year, month, day = (int(part) if part else 1 for part in match.groups())
    try:
        return date(year, month, day)
    except ValueError:
        return None
