"""Engines that share an index turn to newer generations, never back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import cast

from engine.snapshot import Generations
from indexer.protocol import IndexReader

LONGEST = 30.0
"""Seconds that nothing here takes: it is where a test has failed."""


class GrowingIndex:
    """An index of which every reader is a generation newer; the first one waits to be handed out."""

    def __init__(self) -> None:
        self.taken, self.hand_out = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._generation = 0

    def reader(self) -> IndexReader:
        with self._lock:
            self._generation += 1
            mine = self._generation
        if mine == 1:
            self.taken.set()
            assert self.hand_out.wait(LONGEST)
        return cast(IndexReader, SimpleNamespace(generation=mine))


def test_a_slower_renewal_does_not_bring_back_an_older_generation() -> None:
    index = GrowingIndex()
    generations = Generations(index)
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(generations.renew)
        assert index.taken.wait(LONGEST)
        quick = pool.submit(generations.renew)
        done = threading.Event()
        quick.add_done_callback(lambda _: done.set())
        done.wait(0.2)  # where it is free to, it is through before the slow one
        index.hand_out.set()
        assert slow.result(LONGEST)
        assert quick.result(LONGEST)
    assert generations.current().reader.generation == 2
