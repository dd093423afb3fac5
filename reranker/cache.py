"""Scores that were given before, so that a query asked again costs no reading."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from threading import Lock
from typing import TypeAlias

from reranker.pairs import PassageText

Key: TypeAlias = bytes
Known: TypeAlias = tuple[float, int]
"""A score, and how many tokens were cut for it."""


class ScoreCache:
    """The scores used last, up to a number. Safe to share between threads.

    Args:
        capacity: How many scores it keeps, of about 150 bytes each; 0 for none.
        fingerprint: The model's, which is part of every key.

    Attributes:
        hits: How many scores were asked for and known.
        misses: How many were not.
    """

    def __init__(self, capacity: int, fingerprint: str) -> None:
        self._capacity = capacity
        self._fingerprint = fingerprint.encode()
        self._known: OrderedDict[Key, Known] = OrderedDict()
        self._lock = Lock()
        self.hits = self.misses = 0

    def __len__(self) -> int:
        return len(self._known)

    def keys(self, query: str, passages: Sequence[PassageText]) -> list[Key]:
        """Return what a query with each passage is kept under: two differ in it where any part differs."""
        start = blake2b(digest_size=16)
        _add(start, self._fingerprint)
        _add(start, query.encode("utf-8", "surrogatepass"))
        keys = []
        for passage in passages:
            digest = start.copy()
            for part in (passage.text, passage.title, *passage.headings):
                _add(digest, part.encode("utf-8", "surrogatepass"))
            keys.append(digest.digest())
        return keys

    def get(self, keys: Sequence[Key]) -> list[Known | None]:
        """Return what is known of each key."""
        found = []
        with self._lock:
            for key in keys:
                known = self._known.get(key)
                if known is not None:
                    self._known.move_to_end(key)
                found.append(known)
            known_count = len(found) - found.count(None)
            self.hits += known_count
            self.misses += len(found) - known_count
        return found

    def put(self, scores: Iterable[tuple[Key, Known]]) -> None:
        """Keep scores, and forget those that were not used for longest where there are too many."""
        if not self._capacity:
            return
        with self._lock:
            for key, known in scores:
                self._known[key] = known
                self._known.move_to_end(key)
            while len(self._known) > self._capacity:
                self._known.popitem(last=False)


def _add(digest: blake2b, part: bytes) -> None:
    digest.update(len(part).to_bytes(8, "big"))
    digest.update(part)
