"""Words near a word, among those that the index has seen."""

from __future__ import annotations

from collections.abc import Mapping

_LONG = 6  # letters from which on two edits are allowed


class Spelling:
    """A vocabulary: words with how often each occurs."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts = counts
        self._words = list(counts)

    def near(self, word: str, limit: int) -> list[tuple[str, int]]:
        """Return other words within edit distance 1, or 2 from six letters on: nearest, then most frequent, first.

        An edit inserts, deletes or replaces a letter, or swaps two neighbours (optimal string alignment).
        """
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        word = word.casefold()
        reach = 2 if len(word) >= _LONG else 1
        found = process.extract(word, self._words, scorer=OSA.distance, score_cutoff=reach, limit=None)
        ranked = sorted((distance, -self._counts[near], near) for near, distance, _ in found if near != word)
        return [(near, -negated) for _, negated, near in ranked[:limit]]
