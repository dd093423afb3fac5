"""Some queries kept aside to measure on, so that what is measured was not learnt."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from reranker.data.example import Example
from reranker.data.judged import JudgedQuery
from reranker.data.wording import near_same, text_hash
from reranker.errors import TrainingDataError

Item = TypeVar("Item", JudgedQuery, Example)


@dataclass(frozen=True, slots=True)
class Split(Generic[Item]):
    """Two parts of some data, each in the order that the data had.

    Args:
        train: To learn from.
        dev: To measure on.
        documents_apart: Whether no document that answers a query of one part answers one of the other.
    """

    train: tuple[Item, ...]
    dev: tuple[Item, ...]
    documents_apart: bool


def split_queries(
    items: Sequence[Item], share: float = 0.1, *, seed: int = 0, most: int = 1000
) -> Split[Item]:
    """Split by query: the same and near-same queries stay on one side, and so do queries of one document.

    Where the documents tie nearly all queries together (few documents, many answers each), half of what is wanted for
    dev cannot be had in that way; then only the queries are kept apart, and `documents_apart` is False.

    Args:
        items: Judged queries or examples.
        share: How much goes to dev, above 0 and below 1.
        seed: Which.
        most: Dev has at most so many queries: it is measured again and again.

    Raises:
        TrainingDataError: the share is outside its range, or all queries are near-same, so that there is nothing to
            split.
    """
    if not 0 < share < 1:
        raise TrainingDataError(f"the share of dev is above 0 and below 1, found {share}")
    wanted = min(max(1, round(share * len(items))), most)
    by_query = _Groups(len(items))
    by_query.join_equal(items, lambda item: [text_hash(item.query)])
    for one, other in near_same([item.query for item in items]):
        by_query.join(one, other)
    by_document = _Groups(len(items), by_query)
    by_document.join_equal(items, _answers)
    dev = by_document.chosen(wanted, seed)
    apart = 2 * len(dev) >= wanted
    if not apart:
        dev = by_query.chosen(wanted, seed)
    if not dev:
        raise TrainingDataError(
            f"of {len(items):,} queries none can be kept aside: all of them are the same or near-same; "
            "give dev queries of their own"
        )
    return Split(
        tuple(item for number, item in enumerate(items) if number not in dev),
        tuple(item for number, item in enumerate(items) if number in dev),
        apart,
    )


def _answers(item: JudgedQuery | Example) -> Iterable[Hashable]:
    """Return what names the documents that answer: ids, or of examples the texts of their passages."""
    if isinstance(item, JudgedQuery):
        return [document.doc_id for document in item.positives]
    return [
        text_hash(passage.text)
        for passage, grade in zip(item.passages, item.grades, strict=True)
        if grade > 0
    ]


class _Groups:
    """Which items belong together (union-find with path halving)."""

    def __init__(self, size: int, other: _Groups | None = None) -> None:
        self._above: list[int] = list(range(size)) if other is None else other._above.copy()

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self._root(one), self._root(other)))
        self._above[high] = low

    def join_equal(self, items: Sequence[Item], names: Callable[[Item], Iterable[Hashable]]) -> None:
        first: dict[Hashable, int] = {}
        for number, item in enumerate(items):
            for name in names(item):
                self.join(first.setdefault(name, number), number)

    def chosen(self, wanted: int, seed: int) -> frozenset[int]:
        """Return whole groups, drawn by chance, of about `wanted` items in all and never more than half of them."""
        groups: dict[int, list[int]] = defaultdict(list)
        for number in range(len(self._above)):
            groups[self._root(number)].append(number)
        drawn = list(groups.values())
        random.Random(seed).shuffle(drawn)
        most = min(math.ceil(1.2 * wanted), len(self._above) // 2)
        taken: set[int] = set()
        for group in drawn:
            if len(taken) < wanted and len(taken) + len(group) <= most:
                taken.update(group)
        return frozenset(taken)

    def _root(self, number: int) -> int:
        while self._above[number] != number:
            self._above[number] = number = self._above[self._above[number]]
        return number
