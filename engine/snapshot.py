"""One generation of the index as searches share it: the reader, and what is worth remembering about it."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from indexer.protocol import Clause, IndexReader, Numbers

_REMEMBERED = 50_000


class Snapshot:
    """A reader with the frequencies of the terms that were asked for. Safe to share between threads."""

    def __init__(self, reader: IndexReader) -> None:
        self.reader = reader
        self._frequencies: dict[str, int] = {}
        self._doc_ids: dict[int, str] = {}
        self._titles: dict[str, str] = {}

    def frequency(self, term: str) -> int:
        """Return in how many passages a term occurs."""
        known = self._frequencies.get(term)
        if known is None:
            known = self.reader.document_frequency(Clause((term,)))
            if len(self._frequencies) >= _REMEMBERED:
                self._frequencies.clear()
            self._frequencies[term] = known
        return known

    def doc_ids(self, documents: Numbers) -> list[str]:
        """Return the ids of some documents, in the order asked."""
        numbers: list[int] = documents.tolist()
        known = self._doc_ids
        missing = [number for number in numbers if number not in known]
        if missing:
            if len(known) > _REMEMBERED:  # threads that still read the old dictionary keep it
                known = self._doc_ids = {number: known[number] for number in numbers if number in known}
            known.update(zip(missing, self.reader.doc_ids(np.array(missing, dtype=np.int64)), strict=True))
        return [known[number] for number in numbers]

    def titles(self, doc_ids: Iterable[str]) -> dict[str, str]:
        """Return the titles of documents by id; a document that is gone has none."""
        wanted = list(dict.fromkeys(doc_ids))
        known = self._titles
        missing = [doc_id for doc_id in wanted if doc_id not in known]
        if missing:
            if len(known) > _REMEMBERED:  # as above
                known = self._titles = {doc_id: known[doc_id] for doc_id in wanted if doc_id in known}
            numbers = self.reader.find_all(missing)
            known.update(dict.fromkeys(missing, ""))
            known.update(
                (document.doc_id, document.title) for document in self.reader.documents(numbers[numbers >= 0])
            )
        return {doc_id: known[doc_id] for doc_id in wanted}

    def weights(self, terms: Iterable[str]) -> dict[str, float]:
        """Return how much each of some terms says: the logarithm of passages over those that hold it."""
        total = self.reader.passage_count
        return {term: math.log1p(total / max(self.frequency(term), 1)) for term in terms}
