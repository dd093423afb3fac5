"""Measures of diversity: α-nDCG, which knows subtopics, and intra-list diversity, which knows vectors."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np

from eval.errors import InvalidEvaluation
from eval.measures.measure import Averaged, Known, written


@dataclass(frozen=True, slots=True)
class AlphaNDCG(Averaged):
    """α-nDCG (Clarke et al., SIGIR 2008, equation 4 and on): a subtopic is worth (1-α)ⁿ when n documents had it before.

    The gain at a rank is the sum over the document's subtopics, discounted by log2(rank + 1), and divided by that of
    the ideal ranking, which is built greedily, as NIST's ndeval does. Counted here, not by ir_measures: its provider
    (pyndeval) is a compiled library that not everyone can install; the tests hold the two to the same values.

    Args:
        cutoff: How many documents count; None for all.
        alpha: How much a repeated subtopic loses.
        rel: The least grade that is relevant to a subtopic.
    """

    cutoff: int | None = None
    alpha: float = 0.5
    rel: int = 1

    def __str__(self) -> str:
        return written("alpha_nDCG", self.cutoff, alpha=(self.alpha, 0.5), rel=(self.rel, 1))

    def values(self, known: Known) -> Mapping[str, float]:
        """Return the value of each judged query that has subtopics."""
        judged = {
            query: topics
            for query, topics in known.judgements.subtopics.items()
            if query in known.judgements.qrels
        }
        if not judged:
            raise InvalidEvaluation(
                f"{self} needs judgements of subtopics, and there are none; a collection gives them in subtopics.tsv, "
                "and TREC's diversity qrels in their second column"
            )
        return {
            query: self._value(known.run.rankings.get(query, {}), topics) for query, topics in judged.items()
        }

    def _value(self, ranking: Iterable[str], judged: Mapping[str, Mapping[str, int]]) -> float:
        about: dict[str, list[str]] = {}
        for subtopic, grades in judged.items():
            for doc_id, grade in grades.items():
                if grade >= self.rel:
                    about.setdefault(doc_id, []).append(subtopic)
        best = self._ideal(about)
        found = self._gain(about.get(doc_id, ()) for doc_id in islice(ranking, self.cutoff))
        return found / best if best else 0.0

    def _gain(self, documents: Iterable[Iterable[str]]) -> float:
        """Return the discounted gain of documents in order, each given as its subtopics."""
        seen: Counter[str] = Counter()
        total = 0.0
        for rank, subtopics in enumerate(documents, 1):
            gain = math.fsum((1 - self.alpha) ** seen[subtopic] for subtopic in subtopics)
            seen.update(subtopics)
            total += gain / math.log2(rank + 1)
        return total

    def _ideal(self, about: Mapping[str, list[str]]) -> float:
        """Return the gain of the greedy ranking; of equal documents the one whose id comes last goes first."""
        seen: Counter[str] = Counter()
        # A gain only shrinks, so that one that is still the largest when counted anew is the largest of all.
        names = sorted(about, reverse=True)
        heap = [(-float(len(about[doc_id])), place) for place, doc_id in enumerate(names)]
        heapq.heapify(heap)
        chosen: list[list[str]] = []
        while heap and (self.cutoff is None or len(chosen) < self.cutoff):
            _, place = heapq.heappop(heap)
            subtopics = about[names[place]]
            now = (-math.fsum((1 - self.alpha) ** seen[subtopic] for subtopic in subtopics), place)
            if heap and now > heap[0]:
                heapq.heappush(heap, now)
                continue
            chosen.append(subtopics)
            seen.update(subtopics)
        return self._gain(chosen)


@dataclass(frozen=True, slots=True)
class ILD(Averaged):
    """Intra-list diversity (Ziegler et al., WWW 2005): the mean of 1 - cosine over all pairs of the first k documents.

    It needs `evaluate(..., vectors=...)`. A list of fewer than two documents has 0; a vector of zeros has the cosine 0
    with every other. It says nothing of relevance: read it beside a measure that does.
    """

    cutoff: int | None = None

    def __str__(self) -> str:
        return written("ILD", self.cutoff)

    def values(self, known: Known) -> Mapping[str, float]:
        """Return the value of each judged query."""
        if not known.vectors:
            raise InvalidEvaluation(
                f"{self} needs the documents' vectors: evaluate(..., vectors=...) takes them"
            )
        return {
            query: self._value(query, known.run.rankings.get(query, {}), known)
            for query in known.judgements.qrels
        }

    def _value(self, query: str, ranking: Iterable[str], known: Known) -> float:
        doc_ids = list(islice(ranking, self.cutoff))
        if len(doc_ids) < 2:
            return 0.0
        missing = [doc_id for doc_id in doc_ids if doc_id not in known.vectors]
        if missing:
            raise InvalidEvaluation(
                f"{self} needs a vector of {missing[0]!r}, which query {query!r} found; none was given"
            )
        rows = np.array([known.vectors[doc_id] for doc_id in doc_ids], dtype=np.float64)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        rows = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
        # Twice the sum over pairs: the square of the sum without the squares of each.
        together = rows.sum(axis=0)
        cosines = float(together @ together - np.square(rows).sum())
        pairs = len(doc_ids) * (len(doc_ids) - 1)
        return 1 - cosines / pairs
