"""`Rates`: how often somebody may ask: a token bucket each, kept as the one number that it comes down to."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

MOST_KNOWN = 100_000  # of whom a number is kept: some 30 MB
_ROUNDING = 1e-6  # seconds: the clock of a machine that has been up for years has about 1e-8


class Rates:
    """Buckets of tokens, one for each that asks. Not for use from several threads at once: ask on the event loop.

    A bucket holds up to `burst` tokens and gets `per_minute` of them a minute; each request takes one. All of that is
    in one moment, the one at which the bucket will be full again (the generic cell rate algorithm, ITU-T I.371): a
    request is let through while that moment is less than a whole bucket away, and puts it off by one token's time.

    Several processes share the work and know nothing of each other's buckets, so each gives its part of the rate and
    of the burst.

    Args:
        burst: Requests that may come at once. For a rate below that, as many as may come in a minute.
        workers: Processes that the requests are spread over.
        clock: Seconds, from any beginning; never goes back.
        most_known: Of whom a number is kept. Beyond that the one who asked the longest ago is forgotten, who is
            likely to have a full bucket, which is what somebody unknown has.
    """

    def __init__(
        self,
        burst: int,
        workers: int = 1,
        *,
        clock: Callable[[], float] = time.monotonic,
        most_known: int = MOST_KNOWN,
    ) -> None:
        self._burst = burst
        self._workers = workers
        self._clock = clock
        self._most_known = most_known
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        """Return of how many a number is kept."""
        return len(self._full_at)

    def take(self, who: str, per_minute: int) -> float:
        """Take a token out of somebody's bucket.

        Args:
            who: Whose.
            per_minute: Requests a minute that they may make, over all processes.

        Returns:
            0 when it was there; otherwise the seconds until one is, and nothing was taken.
        """
        now = self._clock()
        a_token = 60.0 * self._workers / per_minute
        tokens = max(1.0, min(self._burst, per_minute) / self._workers)
        away = max(0.0, self._full_at.get(who, now) - now)
        wait = away + a_token - tokens * a_token
        if wait > _ROUNDING:
            self._full_at.move_to_end(who)  # who is refused is not silent
            return wait
        self._full_at[who] = now + away + a_token
        self._full_at.move_to_end(who)
        if len(self._full_at) > self._most_known:
            self._full_at.popitem(last=False)
        return 0.0
