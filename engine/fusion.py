"""One score of two: pure functions from a pool of passages to their fused scores.

Each takes a `Pool` and returns `Fused`, whose two parts add up to the score, so that a ledger can say what
words and what meaning brought. `FUSIONS` holds them by the name that settings use:

- `convex`: the weighted mean of both scores, each on a scale of fixed bounds (a minimum known beforehand, the
  observed maximum): Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval" (TOIS 2023),
  TMM. Meaning's minimum is the cosine that the encoder gives to unrelated texts, not -1, which no model reaches.
  A passage's score depends on nothing but the passage and the query: neither on depth nor on k. Of the words'
  weight a share may go to the whole document (`less_words`, `document_part`), which is the same for all of its
  passages: passage and document evidence interpolated, as in Callan (SIGIR 1994), Bendersky and Kurland (ECIR 2008).
- `rrf`: reciprocal ranks: Cormack, Clarke and Buettcher (SIGIR 2009). Ranks beyond the depth count nothing.
- `combsum`, `combmnz`: sum of the scores, each spread over the pool from 0 to 1, and the same times the
  number of indexes that proposed the passage: Fox and Shaw (TREC-2, 1993).
- `dbsf`: sum of the scores, each spread from 0 to 1 over three standard deviations around the pool's mean.

All but `convex` look at the pool, so that their scores move with the depth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.settings import Fusion

Floats: TypeAlias = NDArray[np.float64]
Ranks: TypeAlias = NDArray[np.int64]


_LEAST_SPAN = 0.4


@dataclass(frozen=True, slots=True)
class Bounds:
    """The best score of each side over all that may answer: what convex fusion divides by.

    Args:
        lexical: The highest BM25 score; 0 when no passage matches a word.
        dense: The highest cosine; -1 when there is none.
        unrelated: The cosine of texts that have nothing to do with each other: 0 on the scale of meaning.
        document: The highest BM25 score of a whole document; 0 where whole documents have no say.
    """

    lexical: float = 0.0
    dense: float = -1.0
    unrelated: float = 0.0
    document: float = 0.0


@dataclass(frozen=True, slots=True)
class Pool:
    """What is known of some passages; arrays of shape (n,), in one order.

    Args:
        lexical: BM25, 0 where no word matches.
        dense: Cosine, NaN where a passage has no vector.
        lexical_rank: Place in the list by BM25, from 1; 0 for passages beyond the depth.
        dense_rank: Place in the list by cosine, likewise.
        bounds: The best scores.
    """

    lexical: Floats
    dense: Floats
    lexical_rank: Ranks
    dense_rank: Ranks
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Fused:
    """Two arrays of shape (n,) that add up to the score: what words brought, and what meaning did."""

    words: Floats
    meaning: Floats

    @property
    def scores(self) -> Floats:
        """The fused scores."""
        return self.words + self.meaning

    def less_words(self, share: float) -> Fused:
        """Return the same with this share taken off what words brought: what whole documents may bring."""
        return Fused((1.0 - share) * self.words, self.meaning)


def normal_lexical(scores: Floats, bounds: Bounds) -> Floats:
    """Return BM25 scores over their highest: from 0 (no word matches) to 1."""
    return scores / bounds.lexical if bounds.lexical > 0 else np.zeros_like(scores)


def document_part(scores: Floats, bounds: Bounds, alpha: float, share: float) -> Floats:
    """Return what the words of whole documents bring: their BM25 over the highest, times (1 - alpha) · share."""
    if bounds.document <= 0:
        return np.zeros_like(scores)
    return (1.0 - alpha) * share * scores / bounds.document


def normal_dense(cosines: Floats, bounds: Bounds) -> Floats:
    """Return cosines with unrelated as 0 and the highest as 1; negative below unrelated; 0 for NaN.

    The highest cosine stands for 1 only if it is far from unrelated, two fifths of the way to perfect likeness;
    otherwise that mark does. So where nothing resembles the query much, an exact name decides.
    """
    return np.nan_to_num((cosines - bounds.unrelated) / _span(bounds), nan=0.0)


def cosine_at(normal: Floats, bounds: Bounds) -> Floats:
    """Return the cosines that `normal_dense` makes these of, or a hair less."""
    cosines: Floats = bounds.unrelated + normal * _span(bounds) - 1e-6
    return cosines


def _span(bounds: Bounds) -> float:
    return max(bounds.dense - bounds.unrelated, _LEAST_SPAN * (1.0 - bounds.unrelated))


def convex(pool: Pool, alpha: float, rrf_k: int) -> Fused:
    """Return (1 - alpha) times the normal BM25 score, and alpha times the normal cosine."""
    return Fused(
        (1.0 - alpha) * normal_lexical(pool.lexical, pool.bounds),
        alpha * normal_dense(pool.dense, pool.bounds),
    )


def rrf(pool: Pool, alpha: float, rrf_k: int) -> Fused:
    """Return 1 / (rrf_k + rank) of each list, weighted so that an alpha of one half is the plain sum."""

    def part(ranks: Ranks, weight: float) -> Floats:
        return np.where(ranks > 0, weight / (rrf_k + ranks.astype(np.float64)), 0.0)

    return Fused(part(pool.lexical_rank, 2 * (1 - alpha)), part(pool.dense_rank, 2 * alpha))


def combsum(pool: Pool, alpha: float, rrf_k: int) -> Fused:
    """Return both scores spread over the pool from 0 to 1, weighted so that an alpha of one half is the sum."""
    return Fused(2 * (1 - alpha) * _spread(pool.lexical), 2 * alpha * _spread(pool.dense))


def combmnz(pool: Pool, alpha: float, rrf_k: int) -> Fused:
    """Return `combsum` times the number of lists that the passage is in."""
    fused = combsum(pool, alpha, rrf_k)
    lists = (pool.lexical_rank > 0).astype(np.float64) + (pool.dense_rank > 0)
    return Fused(fused.words * lists, fused.meaning * lists)


def dbsf(pool: Pool, alpha: float, rrf_k: int) -> Fused:
    """Return both scores spread from 0 to 1 over mean ± 3 standard deviations, weighted like `combsum`."""
    return Fused(2 * (1 - alpha) * _by_deviation(pool.lexical), 2 * alpha * _by_deviation(pool.dense))


def _spread(scores: Floats) -> Floats:
    known = scores[~np.isnan(scores)]
    if not known.size:
        return np.zeros_like(scores)
    low, high = float(known.min()), float(known.max())
    if high <= low:
        return np.where(np.isnan(scores), 0.0, 1.0 if high > 0 else 0.0)
    return np.nan_to_num((scores - low) / (high - low), nan=0.0)


def _by_deviation(scores: Floats) -> Floats:
    known = scores[~np.isnan(scores)]
    if not known.size:
        return np.zeros_like(scores)
    mean, deviation = float(known.mean()), float(known.std())
    if deviation <= 1e-12:
        return np.where(np.isnan(scores), 0.0, 0.5)
    return np.nan_to_num(np.clip((scores - mean) / (6 * deviation) + 0.5, 0.0, 1.0), nan=0.0)


FUSIONS: dict[Fusion, Callable[[Pool, float, int], Fused]] = {
    "convex": convex,
    "rrf": rrf,
    "combsum": combsum,
    "combmnz": combmnz,
    "dbsf": dbsf,
}
"""Every fusion by name: (pool, alpha, rrf_k) to Fused."""


def fuse(name: Fusion, pool: Pool, alpha: float, rrf_k: int = 60) -> Fused:
    """Return the fused scores of a pool by the fusion of this name."""
    return FUSIONS[name](pool, alpha, rrf_k)
