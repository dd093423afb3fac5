"""What takes long to make of an index, and holds as long as a generation of it does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from indexer.protocol import IndexReader

V = TypeVar("V")

LONG = 1.0
"""What takes more seconds than this to make is not made anew for every generation."""
SHARE = 20
"""... but when so many times that time has gone by, so that making it takes a twentieth of one processor at most."""


@dataclass(frozen=True, slots=True)
class _Made(Generic[V]):
    """What was made: of which generation, when that was done, and how long it took."""

    value: V
    generation: int
    at: float
    took: float

    def due(self, now: float, times: int) -> bool:
        """Whether it is time for a new one."""
        return self.took <= LONG or now - self.at >= times * self.took


class PerGeneration(Generic[V]):
    """Makes one thing of an index when it is first asked for, and remembers that of the newest generation alone.

    Safe to share between threads.

    Args:
        make: Makes it of a reader; what it returns is shared, so nobody may change it.
        clock: Seconds that only grow.
    """

    def __init__(self, make: Callable[[IndexReader], V], clock: Callable[[], float] = time.monotonic) -> None:
        self._make = make
        self._clock = clock
        self._lock = threading.Lock()
        self._made: _Made[V] | None = None

    def of(self, reader: IndexReader) -> V:
        """Return what is made of this reader's generation; where another thread is making it, wait for that."""
        made = self._made
        if made is None or made.generation != reader.generation:
            with self._lock:
                made = self._made
                if made is None or made.generation != reader.generation:
                    made = self._make_anew(reader)
        return made.value

    def at_hand(self, reader: IndexReader) -> V:
        """Return what `of` does, but what there is of another generation while that is new or being replaced."""
        made = self._made
        if made is not None and (self._lock.locked() or not made.due(self._clock(), 2 * SHARE)):
            return made.value
        return self.of(reader)

    def renew(self, reader: IndexReader) -> bool:
        """Make it of this reader's generation, unless it is there, or what there is took long and is not old yet.

        Returns:
            Whether it was made.
        """
        made = self._made
        if made is not None and (made.generation == reader.generation or not made.due(self._clock(), SHARE)):
            return False
        self.of(reader)
        return True

    def _make_anew(self, reader: IndexReader) -> _Made[V]:
        started = self._clock()
        value = self._make(reader)
        done = self._clock()
        made = _Made(value, reader.generation, done, done - started)
        if (
            self._made is None or self._made.generation < made.generation
        ):  # a search may go on with an older one
            self._made = made
        return made
