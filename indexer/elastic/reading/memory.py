"""What a reader remembers of its generation, which never changes: bounded, and safe to share between threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

from indexer.encoding import Vectors
from indexer.protocol import StoredDocument, StoredPassage

K = TypeVar("K")
V = TypeVar("V")

_NUMBERS = 100_000
_RECORDS = 20_000
_PASSAGES = 20_000
_LETTERS = 8 << 20
_VECTOR_BYTES = 64 << 20


class Kept(Generic[K, V]):
    """Values by their names, so many as there is room for; when there is none, all are forgotten.

    Args:
        room: How much all of them may weigh.
        weigh: What one weighs; None where each weighs 1.
    """

    def __init__(self, room: int, weigh: Callable[[V], int] | None = None) -> None:
        self._room = room
        self._weigh = weigh
        self._weight = 0
        self._held: dict[K, V] = {}
        self._lock = threading.Lock()

    def known(self, names: Iterable[K]) -> dict[K, V]:
        """Return the values of those names that are known."""
        held = self._held  # names are added to it, never taken out
        return {name: held[name] for name in names if name in held}

    def keep(self, found: Mapping[K, V]) -> None:
        """Remember some values."""
        with self._lock:
            weight = len(found) if self._weigh is None else sum(map(self._weigh, found.values()))
            used = len(self._held) if self._weigh is None else self._weight
            if used + weight > self._room:
                self._held, used = {}, 0
                if weight > self._room:
                    weight, found = 0, {}
            self._held.update(found)
            self._weight = used + weight


class Memory:
    """What one generation's readers have met.

    Attributes:
        doc_ids: Documents' ids by number.
        owners: Passages' documents.
        counts: How many passages documents have.
        documents: Documents' records.
        passages: Passages as they are stored.
        texts: Passages' texts by document and first character.
        chunks: Pieces of documents' texts, likewise.
        frequencies: In how many passages terms occur.
        means: Documents' vectors.
    """

    def __init__(self) -> None:
        self.doc_ids: Kept[int, str] = Kept(_NUMBERS)
        self.owners: Kept[int, int] = Kept(_NUMBERS)
        self.counts: Kept[int, int] = Kept(_NUMBERS)
        self.documents: Kept[int, StoredDocument] = Kept(_RECORDS)
        self.passages: Kept[int, StoredPassage] = Kept(_PASSAGES)
        self.texts: Kept[tuple[int, int], str] = Kept(_LETTERS, len)
        self.chunks: Kept[tuple[int, int], str] = Kept(_LETTERS, len)
        self.frequencies: Kept[str, int] = Kept(_NUMBERS)
        self.means: Kept[int, Vectors] = Kept(_VECTOR_BYTES, lambda vector: vector.nbytes + 64)
        self.centre: Vectors | None = None
