"""One passage for each document, in the words that the index encodes: for a query the nearest, else the central."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set

import numpy as np

from engine.errors import translated
from indexer.context import contextual_text
from indexer.encoding import Encoder, Vectors
from quire.mining_source import ListingReader
from reranker.errors import TrainingDataError

_TRIES = 20


class Texts:
    """Texts of passages, each kept once, under a number.

    A document of a list is read by its passage that is nearest to the query, which is the one that a search shows; one
    of a history by its central passage, whose vector is nearest to the mean of all of its passages'.

    Args:
        reader: The index.
        encoder: Returns the encoder that it was made with.
    """

    def __init__(self, reader: ListingReader, encoder: Callable[[], Encoder]) -> None:
        self._reader = reader
        self._encoder = encoder
        self._numbers: dict[int, int] = {}
        self._documents: dict[str, int] = {}
        self._central: dict[str, int] = {}
        self._asked: dict[str, Vectors] = {}
        self._all: list[int] | None = None
        self.listed: list[str] = []

    def known(self, doc_id: str) -> bool:
        """Return whether the index has a document, with a passage."""
        if doc_id not in self._documents:
            stored = self._reader.find(doc_id)
            self._documents[doc_id] = stored.number if stored is not None and stored.passages else -1
        return self._documents[doc_id] >= 0

    def nearest(self, query: str, doc_ids: Sequence[str]) -> list[int]:
        """Return the number of each document's passage that is nearest to a query."""
        with translated():
            if query not in self._asked:
                self._asked[query] = self._encoder().encode_query(query)
            found = []
            for doc_id in doc_ids:
                passages = self._reader.passages_of(self._number(doc_id))
                cosines = self._reader.dense_scores(self._asked[query], passages)
                best = int(np.argmax(np.nan_to_num(cosines, nan=-np.inf)))
                found.append(self._text(int(passages[best])))
            return found

    def central(self, doc_id: str) -> int:
        """Return the number of a document's central passage."""
        if doc_id not in self._central:
            with translated():
                passages = self._reader.passages_of(self._number(doc_id))
                vectors = self._reader.vectors(passages)
                best = int(np.argmax(vectors @ vectors.sum(axis=0)))
                self._central[doc_id] = self._text(int(passages[best]))
        return self._central[doc_id]

    def drawn(self, count: int, without: Set[str], seed: tuple[int, ...]) -> list[str]:
        """Return documents drawn by chance: up to `count`, none of `without`, each as probable as any other."""
        if not count:
            return []
        if self._all is None:
            self._all = self._reader.live_documents().tolist()
        chance = np.random.default_rng(seed)
        places = chance.permutation(len(self._all))[: count * _TRIES + len(without)]
        with translated():
            names = self._reader.doc_ids(np.array([self._all[place] for place in places], dtype=np.int64))
        return [name for name in names if name not in without and self.known(name)][:count]

    def _number(self, doc_id: str) -> int:
        if not self.known(doc_id):
            raise TrainingDataError(f"the index has no document {doc_id!r} with a passage")
        return self._documents[doc_id]

    def _text(self, passage: int) -> int:
        if passage not in self._numbers:
            (stored,) = self._reader.passages([passage])
            (document,) = self._reader.documents([stored.document])
            own = stored.passage
            text = self._reader.text(stored.document, own.start, own.end)
            self._numbers[passage] = len(self.listed)
            self.listed.append(contextual_text(document.title, own.headings, text))
        return self._numbers[passage]
