"""A circuit breaker: a cluster that does not answer is left alone for a while, and callers are told at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from indexer.errors import IndexUnavailable

FAILURES = 5
SLOW = 2
"""As how many failures one counts that kept its caller waiting to the end."""

COOL_DOWN = 2.0
LONGEST_COOL_DOWN = 30.0


class Breaker:
    """Counts failures in a row and opens at the fifth; a slow one counts twice. Safe to share between threads.

    Open, it refuses every caller at once until `cool_down` seconds are over. Then one caller may try (half-open)
    while the others are still refused: if that works it closes; if not it stays open for twice as long, up to
    half a minute. A trial that never reports back is given up after as long again.

    Args:
        name: What is protected, for messages.
        failures: How many failures in a row open it.
        cool_down: Seconds that it first stays open.
        clock: Gives seconds that only grow.
    """

    def __init__(
        self,
        name: str,
        *,
        failures: int = FAILURES,
        cool_down: float = COOL_DOWN,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._most = failures
        self._first_wait = cool_down
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._wait = cool_down
        self._until: float | None = None
        self._on_trial = False
        self._reason = ""

    @property
    def is_open(self) -> bool:
        """Whether callers are refused."""
        with self._lock:
            return self._until is not None

    def check(self) -> None:
        """Let the caller pass, or refuse.

        Raises:
            IndexUnavailable: it is open; says why, and when the next trial is.
        """
        with self._lock:
            if self._until is None:
                return
            now = self._clock()
            if now >= self._until:
                self._until = now + self._wait
                self._on_trial = True
                return
            left = self._until - now
            raise IndexUnavailable(
                f"{self._name} failed again and again ({self._reason}) and is left alone for now: "
                f"the next trial is in {left:.1f} s",
                retry_after=left,
            )

    def succeeded(self) -> None:
        """Note that it answered."""
        with self._lock:
            self._failures, self._until, self._wait, self._on_trial = 0, None, self._first_wait, False

    def failed(self, reason: str, *, slow: bool = False) -> None:
        """Note that it did not answer, why, and whether it kept its caller waiting."""
        with self._lock:
            self._failures += SLOW if slow else 1
            self._reason = reason
            if self._until is None and self._failures >= self._most:
                self._until = self._clock() + self._wait
            elif self._on_trial:
                self._on_trial = False
                self._wait = min(2 * self._wait, LONGEST_COOL_DOWN)
                self._until = self._clock() + self._wait
