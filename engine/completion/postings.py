"""Which entries hold a word, a beginning of a word, or a stretch of unspaced text: sorted names, and numbers."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Entries: TypeAlias = NDArray[np.int32]
Mask: TypeAlias = NDArray[np.bool_]
Counts: TypeAlias = NDArray[np.int64]

LAST = "\U0010ffff"
"""Sorts after every character that text holds."""
_VERIFIED = 5000  # of so many entries at most it is looked whether they hold a whole stretch


class Postings:
    """Names, sorted, each with the entries that have it. Never changes, so threads may share it.

    Args:
        named: For each entry its names; a name twice counts once.
    """

    def __init__(self, named: Iterable[Iterable[str]]) -> None:
        numbers: dict[str, int] = {}
        pairs: list[int] = []
        owners: list[int] = []
        entries = 0
        for entry, names in enumerate(named):
            entries = entry + 1
            mine = {numbers.setdefault(name, len(numbers)) for name in names}
            pairs.extend(mine)
            owners.extend([entry] * len(mine))
        self.entries = entries
        self.names = sorted(numbers)
        place = np.zeros(len(numbers), dtype=np.int64)
        place[[numbers[name] for name in self.names]] = np.arange(len(numbers))
        found = place[np.array(pairs, dtype=np.int64)]
        order = np.argsort(found, kind="stable")
        self._entries: Entries = np.array(owners, dtype=np.int32)[order]
        self._first: Counts = np.searchsorted(found[order], np.arange(len(numbers) + 1))

    def begun_by(self, prefix: str) -> tuple[int, int]:
        """Return the places of the names that begin with a prefix: first, one past the last."""
        return bisect_left(self.names, prefix), bisect_left(self.names, prefix + LAST)

    def with_any(self, first: int, last: int) -> Mask:
        """Return which entries have any of the names from one place to another."""
        mask = np.zeros(self.entries, dtype=np.bool_)
        mask[self._entries[self._first[first] : self._first[last]]] = True
        return mask

    def having(self, name: str) -> Mask:
        """Return which entries have a name."""
        place = bisect_left(self.names, name)
        there = place < len(self.names) and self.names[place] == name
        return self.with_any(place, place + there)

    def counts(self, first: int, last: int, among: Mask) -> Counts:
        """Return how many of some entries have each of the names from one place to another."""
        if first == last:
            return np.zeros(0, dtype=np.int64)
        low, high = self._first[first], self._first[last]
        held = among[self._entries[low:high]].astype(np.int64)
        counts: Counts = np.add.reduceat(held, self._first[first:last] - low)  # no name is without an entry
        return counts


class Stretches:
    """Entries by their stretches of unspaced text, found from any character on, by characters and pairs of them.

    Args:
        stretches: For each entry its stretches.
    """

    def __init__(self, stretches: Sequence[Sequence[str]]) -> None:
        self._held = {entry: tuple(held) for entry, held in enumerate(stretches) if held}
        self._grams = Postings([gram for one in held for gram in (*one, *_pairs(one))] for held in stretches)

    def having(self, stretch: str) -> Mask:
        """Return which entries have a stretch somewhere; of more than 5,000 that may, the first of them alone."""
        mask = self._maybe(stretch)
        if len(stretch) > 2:
            maybe = np.flatnonzero(mask)
            mask[maybe[_VERIFIED:]] = False
            for entry in maybe[:_VERIFIED].tolist():
                mask[entry] = self._holds(entry, stretch)
        return mask

    def any_having(self, stretch: str, among: Mask) -> bool:
        """Return whether any of some entries has a stretch; of more than 5,000 that may, the first are looked at."""
        maybe = np.flatnonzero(self._maybe(stretch) & among)
        if len(stretch) <= 2:
            return len(maybe) > 0
        return any(self._holds(entry, stretch) for entry in maybe[:_VERIFIED].tolist())

    def _maybe(self, stretch: str) -> Mask:
        """Return which entries have all pairs of a stretch's characters: of one or two characters, the stretch."""
        if len(stretch) < 2:
            return self._grams.having(stretch)
        mask = np.ones(self._grams.entries, dtype=np.bool_)
        for pair in set(_pairs(stretch)):
            mask &= self._grams.having(pair)
        return mask

    def _holds(self, entry: int, stretch: str) -> bool:
        return any(stretch in one for one in self._held[entry])


def _pairs(stretch: str) -> Iterable[str]:
    return (first + second for first, second in pairwise(stretch))
