"""How much a generation holds: counted when it is opened, and again while shards are missing."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from indexer.elastic.reading import bodies
from indexer.elastic.reading.pit import PointInTime, Search, is_partial

_QUESTIONS = (
    Search("documents", bodies.counted(bodies.DOCUMENTS)),
    Search("passages", bodies.counted({"match_all": {}})),
    Search("passages", bodies.counted(bodies.WITH_VECTOR)),
)


@dataclass(frozen=True, slots=True)
class Counts:
    """What there is.

    Args:
        documents: Documents.
        passages: Passages.
        vectors: Passages that have a vector.
        whole: Whether every shard was asked.
        turn: Of the points in time that were asked.
    """

    documents: int
    passages: int
    vectors: int
    whole: bool
    turn: int


class Extent:
    """Counts what one generation holds. Safe to share between threads.

    Args:
        point: Whom to ask.

    Raises:
        IndexUnavailable: no shard answers.
    """

    def __init__(self, point: PointInTime) -> None:
        self._point = point
        self._lock = threading.Lock()
        self._counts = self._asked()

    @property
    def counts(self) -> Counts:
        """What there is, as far as the shards that answer know."""
        counts = self._counts
        if counts.whole or counts.turn == self._point.turn:
            return counts
        with self._lock:
            if self._counts is counts:
                self._counts = self._asked()
            return self._counts

    def _asked(self) -> Counts:
        answers = self._point.ask(_QUESTIONS)
        documents, passages, vectors = (int(answer["hits"]["total"]["value"]) for answer in answers)
        return Counts(documents, passages, vectors, not any(map(is_partial, answers)), self._point.turn)
