"""What readers share: which documents the same people read, as it was learnt and is kept beside the readers.

    learn(store)                               # `engine.personal.learning`: now and then, for instance every night
    near = neighbours(store, ["moby-dick"])    # at any time: what readers of these read besides
    near.likeness(["billy-budd", "walden"])    # shape (1, 2), 0 for what nobody read with it

The arithmetic is in `engine.personal.coreading`; how it is kept is the store's affair (`Lists` in `readers`). When a
reader is erased, or a document of a reader is forgotten, every number that they are part of is dropped; what others'
reading says of these documents comes back when it is learnt next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from engine.fusion import Floats
from indexer.protocol import Numbers, Scores

if TYPE_CHECKING:
    from engine.personal.readers import Readers


@dataclass(frozen=True, eq=False)
class Neighbours:
    """What readers of some documents read besides.

    Args:
        asked: The documents asked for, shape (m,).
        doc_ids: Documents that are a neighbour of any of them.
        rows: Pairs: the place of one document in `asked`, ascending.
        columns: The place of the other in `doc_ids`.
        values: How often readers of the one read the other (`coreading`), over 0 and under 1.
    """

    asked: tuple[str, ...]
    doc_ids: tuple[str, ...]
    rows: Numbers
    columns: Numbers
    values: Scores

    @cached_property
    def _places(self) -> dict[str, int]:
        return {doc_id: place for place, doc_id in enumerate(self.doc_ids)}

    def likeness(self, candidates: Sequence[str]) -> Floats:
        """Return how often readers of those asked for read these, shape (m, candidates); 0 where never, or seldom."""
        places = [self._places.get(doc_id, -1) for doc_id in candidates]
        column_of = np.full(len(self.doc_ids), -1, dtype=np.int64)
        known = np.flatnonzero(np.array(places, dtype=np.int64) >= 0)
        column_of[[places[at] for at in known]] = known
        columns = column_of[self.columns]
        there = columns >= 0
        found = np.zeros((len(self.asked), len(candidates)))
        found[self.rows[there], columns[there]] = self.values[there]
        return found

    def best(self, weights: Floats, most: int) -> list[str]:
        """Return the neighbours of the highest Σ weight · likeness, ties by id; none where that is not over 0.

        Args:
            weights: Of the documents asked for, shape (m,).
            most: How many at most.
        """
        totals = np.bincount(self.columns, weights[self.rows] * self.values, minlength=len(self.doc_ids))
        ranked = sorted(zip((-np.round(totals, 9)).tolist(), self.doc_ids, strict=True))
        return [doc_id for less, doc_id in ranked[:most] if less < 0]


def neighbours(store: Readers, doc_ids: Sequence[str]) -> Neighbours:
    """Return what readers of some documents read besides, as it was learnt last.

    Args:
        store: The readers.
        doc_ids: Documents, each once; of an unknown one nothing comes.

    Raises:
        ReaderStoreError: the store cannot be read.
    """
    lists = store.lists.near(doc_ids) if doc_ids else {}
    place_of: dict[str, int] = {}
    pairs = [(row, *lists[doc_id]) for row, doc_id in enumerate(doc_ids) if doc_id in lists]
    rows = [np.full(len(names), row, dtype=np.int64) for row, names, _ in pairs]
    columns = [place_of.setdefault(name, len(place_of)) for _, names, _ in pairs for name in names]
    values = [likeness for _, _, likeness in pairs]
    return Neighbours(
        asked=tuple(doc_ids),
        doc_ids=tuple(place_of),
        rows=np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64),
        columns=np.array(columns, dtype=np.int64),
        values=np.concatenate(values) if values else np.zeros(0, dtype=np.float32),
    )


def most_read(store: Readers, most: int) -> list[tuple[str, int]]:
    """Return the documents that most readers read, and how many did, as it was learnt last; ties by id.

    Raises:
        ReaderStoreError: the store cannot be read.
    """
    return store.lists.most_read(most)


def stamp(store: Readers) -> str:
    """Return another text whenever anything that was learnt has changed; the empty one before anything was.

    Raises:
        ReaderStoreError: the store cannot be read.
    """
    return store.lists.stamp()
