"""One generation of the index as searches share it: the reader, and what is worth remembering about it."""

from __future__ import annotations

import copy
import math
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from engine.errors import SearchError
from indexer.protocol import IndexReader, Numbers

_REMEMBERED = 50_000


@dataclass(slots=True)
class _Remembered:
    frequencies: dict[str, int] = field(default_factory=dict)
    doc_ids: dict[int, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)


class Snapshot:
    """A reader with the frequencies of the terms that were asked for. Safe to share between threads."""

    def __init__(self, reader: IndexReader) -> None:
        self.reader = reader
        self._remembered = _Remembered()

    def watched(self, tell: Callable[[str], None]) -> Snapshot:
        """Return this for one search, which is told where an answer lacks something."""
        mine = copy.copy(self)  # what is remembered is shared
        mine.reader = self.reader.watched(tell)
        return mine

    def frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """Return in how many passages each of these terms occurs."""
        wanted = list(dict.fromkeys(terms))
        known = self._remembered.frequencies
        missing = [term for term in wanted if term not in known]
        if missing:
            if len(known) > _REMEMBERED:  # threads that still read the old dictionary keep it
                known = self._remembered.frequencies = {term: known[term] for term in wanted if term in known}
            known.update(zip(missing, self.reader.document_frequencies(missing), strict=True))
        return {term: known[term] for term in wanted}

    def doc_ids(self, documents: Numbers) -> list[str]:
        """Return the ids of some documents, in the order asked."""
        numbers: list[int] = documents.tolist()
        known = self._remembered.doc_ids
        missing = [number for number in numbers if number not in known]
        if missing:
            if len(known) > _REMEMBERED:  # as above
                known = self._remembered.doc_ids = {
                    number: known[number] for number in numbers if number in known
                }
            known.update(zip(missing, self.reader.doc_ids(np.array(missing, dtype=np.int64)), strict=True))
        return [known[number] for number in numbers]

    def titles(self, doc_ids: Iterable[str]) -> dict[str, str]:
        """Return the titles of documents by id; a document that is gone has none."""
        wanted = list(dict.fromkeys(doc_ids))
        known = self._remembered.titles
        missing = [doc_id for doc_id in wanted if doc_id not in known]
        if missing:
            if len(known) > _REMEMBERED:  # as above
                known = self._remembered.titles = {
                    doc_id: known[doc_id] for doc_id in wanted if doc_id in known
                }
            numbers = self.reader.find_all(missing)
            known.update(dict.fromkeys(missing, ""))
            known.update(
                (document.doc_id, document.title) for document in self.reader.documents(numbers[numbers >= 0])
            )
        return {doc_id: known[doc_id] for doc_id in wanted}

    def weights(self, terms: Iterable[str]) -> dict[str, float]:
        """Return how much each of some terms says: the logarithm of passages over those that hold it."""
        total = self.reader.passage_count
        return {term: math.log1p(total / max(found, 1)) for term, found in self.frequencies(terms).items()}


class ReadableIndex(Protocol):
    """What an engine needs of an index."""

    def reader(self) -> IndexReader:
        """Return a reader of the current generation."""
        ...


class Generations:
    """Which generation of an index is searched: one for all engines that share it. Safe to share between threads.

    Args:
        index: Anything with `reader()`.
    """

    def __init__(self, index: ReadableIndex) -> None:
        self._index = index
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._closed = False

    def current(self) -> Snapshot:
        """Return the generation that is searched."""
        snapshot = self._snapshot
        if snapshot is None:
            with self._lock:
                self._check_open()
                if self._snapshot is None:
                    self._snapshot = Snapshot(self._index.reader())
                snapshot = self._snapshot
        return snapshot

    def renew(self) -> bool:
        """Turn to the newest generation; return whether that is another one."""
        with self._lock:
            self._check_open()
            # Not before the lock: of two that renew at once, the later would bring back an older generation.
            reader = self._index.reader()
            changed = self._snapshot is None or reader.generation != self._snapshot.reader.generation
            if changed:
                self._snapshot = Snapshot(reader)
        return changed

    def drop(self) -> None:
        """Have the next search begin with the newest generation."""
        with self._lock:
            self._snapshot = None

    def close(self) -> None:
        """Let go of the generation; nobody searches any more."""
        with self._lock:
            self._closed = True
            self._snapshot = None

    def _check_open(self) -> None:
        if self._closed:
            raise SearchError("this engine is closed; open another one")
