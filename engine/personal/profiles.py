"""Profiles: readers' interests, made of the store and kept while they hold."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.meaning import QueryEncoder
from engine.personal.interests import Interests, Stated, interests_of
from engine.personal.settings import PersonalSettings
from engine.personal.tilt import Tilt, tilt_of
from engine.personal.together import neighbours
from engine.personal.weighing import weigh
from indexer.encoding import Vectors
from indexer.protocol import IndexReader

if TYPE_CHECKING:
    from engine.personal.readers import Readers

KEPT = 256
"""So many readers' profiles are kept in memory, those asked for last."""
TICK = 300.0
"""Ages are counted to the last full so many seconds, so that a profile holds for a while."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """One reader's interests, and what they were made of.

    Args:
        version: The history's.
        learnt: Of what other readers read together: another text when that has changed.
        generation: The index's.
        now: To when ages were counted, in seconds since 1970.
        until: From when on events were left out; None for none.
        interests: What came of it.
        stated: What the reader declared, as it was encoded.
        tilt: The interests as they are put into a list, at the strength of 1, with what they propose to any query.
    """

    version: int
    learnt: str
    generation: int
    now: float
    until: float | None
    interests: Interests
    stated: tuple[Stated, ...]
    tilt: Tilt


class Profiles:
    """Makes and keeps profiles. Safe to share between threads.

    Args:
        store: What readers did.
        encoder: Reads what they declared.
        settings: How their past counts.
        kept: How many profiles to keep.
    """

    def __init__(
        self, store: Readers, encoder: QueryEncoder, settings: PersonalSettings, kept: int = KEPT
    ) -> None:
        self._store = store
        self._encoder = encoder
        self.settings = settings
        self._kept = kept
        self._lock = threading.Lock()
        self._profiles: OrderedDict[str, Profile] = OrderedDict()
        self._hits = self._misses = 0

    @property
    def lookups(self) -> tuple[int, int]:
        """How often a profile at hand still held, and how often one was made."""
        return self._hits, self._misses

    def profile(self, user_id: str, reader: IndexReader, at: float | None = None) -> Profile | None:
        """Return a reader's profile; None for a reader of whom nothing is known.

        Args:
            user_id: Who.
            reader: The index.
            at: When they ask, in seconds since 1970: nothing that is not earlier counts. None for now.
        """
        standing = self._store.standing(user_id)
        with self._lock:
            known = self._profiles.get(user_id)
            if known is not None and known.version != standing.version:
                known = None
                del self._profiles[user_id]
        if standing.version == 0:
            return None
        now = time.time() // TICK * TICK if at is None else at
        learnt = standing.learnt
        if known is not None and _of(known) == (learnt, reader.generation, now, at):
            with self._lock:
                self._hits += 1
                if user_id in self._profiles:
                    self._profiles.move_to_end(user_id)
            return known
        made = self._made(user_id, reader, learnt, now, at, known.stated if known else ())
        with self._lock:
            self._misses += 1
            self._profiles[user_id] = made
            while len(self._profiles) > self._kept:
                self._profiles.popitem(last=False)
        return made

    def drop(self, user_id: str) -> None:
        """Forget a reader's profile."""
        with self._lock:
            self._profiles.pop(user_id, None)

    def _made(
        self,
        user_id: str,
        reader: IndexReader,
        learnt: str,
        now: float,
        until: float | None,
        known: Sequence[Stated],
    ) -> Profile:
        history = self._store.history(user_id)
        vectors = {(one.text, one.weight, one.at): one.vector for one in known}
        stated = []
        for one in history.declared:
            if until is not None and one.at >= until:
                continue
            name = (one.text, one.weight, one.at)
            vector = vectors.get(name)
            if vector is None:
                vector = self._encoder.encode(one.text, reader.encoder_fingerprint).vector
            stated.append(Stated(one.text, one.weight, one.at, vector))
        interests = interests_of(
            weigh(history, self.settings, now, until),
            stated,
            history.muted,
            lambda doc_ids: vectors_of(reader, doc_ids),
            self.settings,
            reader.unrelated_cosine,
        )
        names = [
            name for name, kind in zip(interests.points.names, interests.points.kinds, strict=True) if kind
        ]
        near = neighbours(self._store, names) if learnt else None
        tilt = tilt_of(interests, self.settings, reader, near)
        return Profile(history.version, learnt, reader.generation, now, until, interests, tuple(stated), tilt)


def _of(profile: Profile) -> tuple[str, int, float, float | None]:
    return profile.learnt, profile.generation, profile.now, profile.until


def vectors_of(reader: IndexReader, doc_ids: Sequence[str]) -> Vectors:
    """Return the vectors of documents by id, shape (n, dim); zeros for one that the index lacks."""
    numbers = reader.find_all(doc_ids)
    there = numbers >= 0
    found = reader.document_vectors(numbers[there])
    vectors = np.zeros((len(numbers), found.shape[1]), dtype=np.float32)
    vectors[there] = found
    return vectors
