"""The time that one search takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.errors import SearchCancelled


@dataclass(slots=True)
class Clock:
    """Times the stages of one search, and ends it between two of them when it was cancelled."""

    cancelled: Callable[[], bool] = bool
    timings: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.perf_counter)
    _started: float = field(default_factory=time.monotonic)

    def step(self, name: str) -> None:
        """Charge the time since the last step to a stage.

        Raises:
            SearchCancelled: nobody waits for the answer any more.
        """
        now = time.perf_counter()
        self.timings[name] = self.timings.get(name, 0.0) + (now - self._last) * 1000
        self._last = now
        if self.cancelled():
            raise SearchCancelled(f"the search was cancelled after the stage {name!r}")

    def deadline(self, budget_ms: float | None) -> float | None:
        """Return when the time of a search that began with this clock is up, by `time.monotonic()`; None for never."""
        return None if budget_ms is None else self._started + budget_ms / 1000
