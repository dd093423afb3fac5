"""What the terms of a personal list say of documents that were shown: the material that weights are learnt from.

Each list is made again as it would be made now, for nobody in particular; beside the score of each of its documents
stand the two parts of what interests would add. Nothing that a reader did from the time of the query on counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.answer import candidates
from engine.clock import Clock
from engine.fusion import Floats
from engine.interest_term import Inclination, InterestTerm, Scored
from engine.personal.coreading import CoReading, nearest, reads_of
from engine.personal.tilt import Tilt, tilt_of
from engine.personal.together import Neighbours
from engine.query import Query
from engine.readership import Readership
from indexer.protocol import IndexReader, Numbers, Scores, Selection

if TYPE_CHECKING:
    from engine.search_engine import SearchEngine

DEPTH = 1000
"""Documents that are further down a list have no terms."""
NAMES = ("score", "near", "together")


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of some of the documents that a list showed.

    Args:
        places: Which of them, ascending: those that are in the list, and that the reader had not met before.
        values: Of each its score without interests, and what being near the past and being read together with it come
            to, each with a weight of 1; shape (len(places), 3).
        met: How many are left out because the reader had met them.
    """

    places: tuple[int, ...]
    values: Floats
    met: int


def terms_of(
    engine: SearchEngine, query: Query, shown: Sequence[str], together: Callable[[Sequence[str]], Neighbours]
) -> Terms:
    """Return the terms of documents that a reader was shown.

    Args:
        engine: Knows the index and the readers.
        query: What was asked, by whom, and when.
        shown: The documents' ids.
        together: What others read together with some documents: others than the reader, or a click would count as
            its own reason.
    """
    question = engine._question(query, None, Clock())
    watch = _Watch(engine._readership, together)
    found = candidates(replace(question, readership=watch), DEPTH)  # type: ignore[arg-type]  # has what is needed
    if found.rows is None or watch.seen is None or watch.seen.values is None:
        return Terms((), np.zeros((0, len(NAMES))), 0)
    row = {doc_id: at for at, doc_id in enumerate(watch.seen.doc_ids)}
    met = watch.seen.tilt.interests.met
    places = tuple(at for at, doc_id in enumerate(shown) if doc_id in row and doc_id not in met)
    values = watch.seen.values[[row[shown[at]] for at in places]]
    return Terms(places, values, sum(doc_id in met for doc_id in shown))


class _Watch:
    """Stands before a `Readership`: its readers' interests change no list, and what they would add is kept."""

    def __init__(self, readership: Readership, together: Callable[[Sequence[str]], Neighbours]) -> None:
        self._readership = readership
        self._together = together
        self.seen: _Watched | None = None

    def incline(self, query: Query, reader: IndexReader) -> tuple[Inclination | None, str]:
        tilt, notice = self._readership.incline(query, reader)
        if isinstance(tilt, Tilt):
            interests = tilt.interests
            met = [
                name
                for name, kind in zip(interests.points.names, interests.points.kinds, strict=True)
                if kind
            ]
            settings = replace(tilt.settings, dislikes=0.0, read="keep", proposals=0)
            self.seen = _Watched(tilt_of(interests, settings, reader, self._together(met)))
        return self.seen, notice


class _Watched:
    """An `Inclination` that adds nothing."""

    depth = DEPTH
    left_out: frozenset[str] = frozenset()

    def __init__(self, tilt: Tilt) -> None:
        self.tilt = tilt
        self.doc_ids: Sequence[str] = ()
        self.values: Floats | None = None

    def proposals(self, reader: IndexReader, selection: Selection | None) -> Numbers:
        return np.zeros(0, dtype=np.int64)

    def term(self, reader: IndexReader, scored: Scored) -> InterestTerm | None:
        tilt, settings = self.tilt, self.tilt.settings
        alone = replace(tilt, settings=replace(settings, together=0.0))
        term = tilt.term(reader, scored)
        if term is None:
            return None
        vectors = reader.document_vectors(scored.documents)
        both, _ = tilt.interest(scored.doc_ids, vectors)
        near, _ = alone.interest(scored.doc_ids, vectors)
        # What the query makes of it is the same factor for both parts.
        some = np.abs(both) > 1e-6
        factor = np.where(some, term.raw / np.where(some, both, 1.0), 0.0)
        together = (both - near) / settings.together if settings.together > 0 else np.zeros_like(near)
        self.doc_ids = scored.doc_ids
        self.values = np.stack([scored.scores, factor * near, factor * together], axis=1)
        return None


def read_together(
    readers: Iterable[tuple[str, tuple[str, ...]]], settings: CoReading
) -> Callable[[Sequence[str]], Neighbours]:
    """Return what these readers say of any documents, learnt in memory.

    Args:
        readers: Each once, with what they read.
        settings: How it is counted.
    """
    reads = reads_of(readers, settings.most)
    every = np.arange(len(reads.doc_ids))
    found: dict[str, tuple[Numbers, Scores]] = {
        reads.doc_ids[at]: (others, values)
        for at, others, values in nearest(reads, every, settings, lambda _: None)
    }

    def neighbours(doc_ids: Sequence[str]) -> Neighbours:
        nothing = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))
        lists = [found.get(doc_id, nothing) for doc_id in doc_ids]
        others = np.concatenate([nothing[0], *(numbers for numbers, _ in lists)])
        numbers, columns = np.unique(others, return_inverse=True)
        return Neighbours(
            asked=tuple(doc_ids),
            doc_ids=tuple(reads.doc_ids[at] for at in numbers.tolist()),
            rows=np.repeat(np.arange(len(lists)), [len(numbers) for numbers, _ in lists]),
            columns=columns,
            values=np.concatenate([nothing[1], *(values for _, values in lists)]),
        )

    return neighbours
