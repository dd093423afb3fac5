"""Examples as the trainer reads them: one row a query, in an order that only the seed and the epoch decide.

Nothing is drawn from a running random state: what epoch 3 looks like can be told without having seen epochs 1 and
2, so a run that goes on from a checkpoint sees what an uninterrupted one would.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from torch.utils.data import BatchSampler, Dataset, Sampler

from reranker.data.example import Example

Place = tuple[int, int]
"""An epoch, and the number of an example."""

COLUMNS = ("query", "passages", "weights", "prior", "label")


class Rows(Dataset[dict[str, Any]]):
    """Examples by epoch and number, as the columns that `QueryLoss` takes.

    Args:
        examples: Read when they are asked for.
        most: At most so many passages of a query; 0 for all.
        seed: Of the choice among more.
    """

    column_names = COLUMNS

    def __init__(self, examples: Sequence[Example], most: int = 0, seed: int = 0) -> None:
        self._examples = examples
        self._most = most
        self._seed = seed

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, place: Place) -> dict[str, Any]:
        epoch, number = place
        example = self._examples[number]
        chosen = self._chosen(example, epoch, number)
        return {
            "query": example.query,
            "passages": [example.passages[n] for n in chosen],
            "weights": example.weights and [example.weights[n] for n in chosen],
            "prior": example.prior and [example.prior[n] for n in chosen],
            "label": [float(example.grades[n]) for n in chosen],
        }

    def _chosen(self, example: Example, epoch: int, number: int) -> list[int]:
        """Return which passages are read: one of the best grade first of all, the others by chance."""
        n = len(example.passages)
        if not self._most or n <= self._most:
            return list(range(n))
        order = np.random.default_rng((self._seed, epoch, number)).permutation(n).tolist()
        best = max(example.grades)
        first = next(place for place in order if example.grades[place] == best)
        return sorted([first, *(place for place in order if place != first)][: self._most])


class Order(Sampler[Place]):
    """Every example once an epoch, shuffled.

    Args:
        examples: How many.
        seed: With the epoch's number, what decides the order.
    """

    def __init__(self, examples: int, seed: int) -> None:
        self._examples = examples
        self._seed = seed
        self._epoch = 0

    def __len__(self) -> int:
        return self._examples

    def __iter__(self) -> Iterator[Place]:
        for number in np.random.default_rng((self._seed, self._epoch)).permutation(self._examples).tolist():
            yield self._epoch, number

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes next."""
        self._epoch = epoch


class Batches(BatchSampler):
    """Batches of an order; the last may be smaller."""

    def __init__(self, order: Order, queries: int) -> None:
        super().__init__(order, queries, drop_last=False)
        self._order = order

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes next."""
        self._order.set_epoch(epoch)
