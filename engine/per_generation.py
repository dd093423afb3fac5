"""What takes long to make of an index, and holds as long as a generation of it does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from indexer.protocol import IndexReader

V = TypeVar("V")


class PerGeneration(Generic[V]):
    """Makes one thing of an index when it is first asked for, and remembers that of the newest generation alone.

    Safe to share between threads.

    Args:
        make: Makes it of a reader; what it returns is shared, so nobody may change it.
    """

    def __init__(self, make: Callable[[IndexReader], V]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: tuple[int, V] | None = None

    def of(self, reader: IndexReader) -> V:
        """Return what is made of this reader's generation; where another thread is making it, wait for that."""
        made = self._made
        if made is None or made[0] != reader.generation:
            with self._lock:
                made = self._made
                if made is None or made[0] != reader.generation:
                    made = self._make_anew(reader)
        return made[1]

    def at_hand(self, reader: IndexReader) -> V:
        """Return what `of` does, but what is remembered of another generation while a thread is making this one's."""
        made = self._made
        if made is not None and made[0] != reader.generation and self._lock.locked():
            return made[1]
        return self.of(reader)

    def _make_anew(self, reader: IndexReader) -> tuple[int, V]:
        made = (reader.generation, self._make(reader))
        if self._made is None or self._made[0] < made[0]:  # a search under way may still ask for an older one
            self._made = made
        return made
