"""Several callers, one run: what waits while the network is busy is run together as soon as it is free."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np

from reranker.scorer import Scores
from reranker.windows import Window


@dataclass(eq=False)
class _Order:
    windows: Sequence[Window]
    scores: Scores = field(default_factory=lambda: np.zeros(0, np.float32))
    error: Exception | None = None
    done: bool = False


class Combined:
    """Runs the windows of all callers that are waiting as one. Needs no thread of its own.

    Each caller waits for its turn. Who gets it takes along whatever the others wait for; they find theirs done.

    Args:
        run: Makes logits of windows; called by one thread at a time.
    """

    def __init__(self, run: Callable[[Sequence[Window]], Scores]) -> None:
        self._run = run
        self._waiting: list[_Order] = []
        self._adding = Lock()
        self._turn = Lock()

    def __call__(self, windows: Sequence[Window]) -> Scores:
        """Return the logits of `windows`, float32, shape (windows,).

        Raises:
            Exception: what `run` raised for the batch that these windows were part of.
        """
        order = _Order(windows)
        with self._adding:
            self._waiting.append(order)
        with self._turn:
            if not order.done:
                with self._adding:
                    orders, self._waiting = self._waiting, []
                self._serve(orders)
        if order.error:
            raise order.error
        return order.scores

    def _serve(self, orders: list[_Order]) -> None:
        try:
            scores = self._run([window for order in orders for window in order.windows])
            start = 0
            for order in orders:
                order.scores = scores[start : start + len(order.windows)]
                start += len(order.windows)
        except Exception as error:  # each caller raises it
            for order in orders:
                order.error = error
        finally:
            for order in orders:
                order.done = True
