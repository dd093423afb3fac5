"""One generation of the index as searches share it: the reader, and what is worth remembering about it."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

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
