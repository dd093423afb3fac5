"""An index for tests of mining: a few passages in a list, scored by the words that they share with the query."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from indexer.encoder.hashing import HashingEncoder
from reranker.data.candidates import Candidate
from reranker.overlap import OverlapScorer
from reranker.pairs import PassageText


class ListedSource:
    """Words rank by overlap, meaning by hashed vectors, and the fused score is their mean."""

    def __init__(self, documents: dict[str, list[PassageText]]) -> None:
        self.fingerprint = "listed"
        self.asked: list[str] = []
        self._encoder = HashingEncoder(64)
        self._all = [
            Candidate(doc_id, ordinal, passage, 0.0, vector=self._encoder.encode_query(passage.full))
            for doc_id, passages in documents.items()
            for ordinal, passage in enumerate(passages)
        ]

    def _scored(self, query: str) -> list[Candidate]:
        words = OverlapScorer().score(query, [candidate.passage for candidate in self._all])
        vectors = np.stack([candidate.vector for candidate in self._all if candidate.vector is not None])
        meaning = vectors @ self._encoder.encode_query(query)
        scores = (words + meaning) / 2

        def ranks(values: np.ndarray) -> list[int]:
            order = np.argsort(-values, kind="stable")
            places = np.empty(len(order), dtype=int)
            places[order] = np.arange(1, len(order) + 1)
            return places.tolist()

        rows = zip(self._all, scores, ranks(words), ranks(meaning), ranks(scores), strict=True)
        return [
            replace(candidate, score=float(score), lexical_rank=one, dense_rank=two, fused_rank=three)
            for candidate, score, one, two, three in rows
        ]

    def search(self, query: str, depth: int) -> Sequence[Candidate]:
        self.asked.append(query)
        found = [c for c in self._scored(query) if min(c.lexical_rank, c.dense_rank, c.fused_rank) <= depth]
        return sorted(found, key=lambda candidate: candidate.fused_rank)

    def best(self, query: str, doc_ids: Sequence[str]) -> Sequence[Candidate]:
        ranked = sorted(self._scored(query), key=lambda candidate: candidate.fused_rank)
        found = {candidate.doc_id: candidate for candidate in reversed(ranked)}
        return [found[doc_id] for doc_id in doc_ids if doc_id in found]

    def exactly(self, query: str, keys: Sequence[tuple[str, int]]) -> Sequence[Candidate]:
        found = {candidate.key: candidate for candidate in self._scored(query)}
        return [found[key] for key in keys if key in found]

    def near(self, query: str, text: str, depth: int) -> Sequence[Candidate]:
        vector = self._encoder.encode_query(text)
        return sorted(self._scored(query), key=lambda c: -float(np.dot(c.vector, vector)))[:depth]

    def random(self, query: str, count: int, seed: int) -> Sequence[Candidate]:
        every = self._scored(query)
        return random.Random(seed).sample(every, min(count, len(every)))
