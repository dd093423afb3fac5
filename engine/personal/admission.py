"""Which events are taken in, and whose are too many to be a person's.

An event whose time is over a day ahead of the clock is refused: it would stay fresh for as long as its clock is
wrong. (A day, because logs mix up time zones.)

A reader floods who has more than `HOUR_LIMIT` events in some hour, more than `DAY_LIMIT` in some 24 hours, or more
than `UNTIMED_LIMIT` without a time: one every 3.6 seconds for an hour on end is a script. Their events are kept, but
nothing is learnt from them for others (`Readers.reads`), and in their own history each document counts once. It is
judged by the events' own times, so neither the order in which they arrive nor how often matters.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from engine.event import Event, in_utc

AHEAD = timedelta(days=1)
HOUR = 3_600_000_000
DAY = 24 * HOUR
"""In microseconds."""

HOUR_LIMIT = 1_000
DAY_LIMIT = 5_000
UNTIMED_LIMIT = 20_000


def is_ahead(at: datetime, now: datetime | None = None) -> bool:
    """Whether a moment in UTC is over a day after now."""
    return at - in_utc(now or datetime.now(UTC)) > AHEAD


def split_by_clock(events: Iterable[Event], now: datetime | None = None) -> tuple[list[Event], list[Event]]:
    """Return the events that may have happened by now, and those whose clock is over a day ahead."""
    now = now or datetime.now(UTC)
    possible: list[Event] = []
    ahead: list[Event] = []
    for event in events:
        (ahead if event.at is not None and is_ahead(event.at, now) else possible).append(event)
    return possible, ahead


def may_flood(total: int) -> bool:
    """Whether so many events can be a flood at all."""
    return total > min(HOUR_LIMIT, DAY_LIMIT, UNTIMED_LIMIT)


def is_flood(times: NDArray[np.int64], untimed: int) -> bool:
    """Whether events of one reader are more than a person makes.

    Args:
        times: Of those that have one, in microseconds, in any order.
        untimed: How many have none.
    """
    if untimed > UNTIMED_LIMIT:
        return True
    times = np.sort(times)
    return any(
        len(times) > limit and bool(np.any(times[limit:] - times[:-limit] < span))
        for limit, span in ((HOUR_LIMIT, HOUR), (DAY_LIMIT, DAY))
    )
