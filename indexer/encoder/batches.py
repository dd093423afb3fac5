"""Which texts to encode together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BUDGET = 512
"""Tokens of one batch, padding included: what passes between the layers has to fit the processor's caches."""


def plan(lengths: Sequence[int], workers: int = 1, budget: int = BUDGET) -> list[NDArray[np.int64]]:
    """Return batches of indices into `lengths`: longest first, alike in length, at most `budget` tokens.

    A text longer than the budget is a batch of its own. Where all texts together are less than the
    workers' budgets, they are shared out evenly.

    Args:
        lengths: Tokens of each text, at least 1.
        workers: How many batches are encoded at the same time.
        budget: Tokens of a batch, padding included.
    """
    order = np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable")
    budget = min(budget, -(-sum(lengths) // max(workers, 1)))
    batches: list[NDArray[np.int64]] = []
    start = 0
    while start < len(order):
        longest = lengths[int(order[start])]
        count = max(1, budget // longest)
        batches.append(order[start : start + count])
        start += count
    return batches
