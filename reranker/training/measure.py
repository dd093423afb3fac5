"""nDCG of the lists that examples are, and whether two models differ by more than chance.

`eval` measures runs; it stands above this package, so the two things that training needs are here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_EXACT = 14
_FLIPS = 10_000
_AT_ONCE = 500

PerQuery = NDArray[np.float64]
"""A value for each query, shape (queries,)."""


@dataclass(frozen=True, slots=True)
class Change:
    """A measure before and after, over the same queries.

    Args:
        queries: How many.
        before: The mean before.
        after: The mean after.
        p: How often chance alone gives means as far apart, either way (`sign_flips`); 1 where no query changed.
    """

    queries: int
    before: float
    after: float
    p: float

    @property
    def difference(self) -> float:
        """After less before."""
        return self.after - self.before


def ndcg(grades: ArrayLike, scores: ArrayLike, k: int = 10) -> float:
    """Return nDCG@k of one list, with gains 2^grade - 1 and discounts log2(1 + rank) (Burges et al., 2005).

    Passages of equal score have the mean of what all their orders would give (McSherry and Najork, 2008, "Computing
    information retrieval performance measures efficiently in the presence of tied scores"), so a model that says
    the same of all passages gains nothing by the order in which they are listed. Grades under 0 count as 0. A list
    in which nothing is relevant has 0. The ideal is that of the list itself: passages that are not in it count
    nowhere. A score that is not a number is lowest.

    Args:
        grades: Shape (n,).
        scores: Shape (n,), higher is better.
        k: Passages that count; at least 1.
    """
    gains = np.exp2(np.maximum(np.asarray(grades, np.float64), 0.0)) - 1.0
    values = np.nan_to_num(np.asarray(scores, np.float64), nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    discounts = np.zeros(len(gains))
    top = min(k, len(gains))
    discounts[:top] = 1.0 / np.log2(np.arange(2, top + 2))
    ideal = float(np.sort(gains)[::-1] @ discounts)
    if not ideal:
        return 0.0
    levels, group = np.unique(-values, return_inverse=True)
    counts = np.bincount(group, minlength=len(levels))
    means = np.bincount(group, gains, minlength=len(levels)) / counts
    return float(np.repeat(means, counts) @ discounts) / ideal


def change(before: Sequence[float] | PerQuery, after: Sequence[float] | PerQuery, seed: int = 0) -> Change:
    """Return how a measure changed from one list of values to the other, query by query."""
    old, new = np.asarray(before, np.float64), np.asarray(after, np.float64)
    if not len(old):
        return Change(0, 0.0, 0.0, 1.0)
    return Change(len(old), float(old.mean()), float(new.mean()), sign_flips(new - old, seed))


def sign_flips(differences: Sequence[float] | PerQuery, seed: int = 0) -> float:
    """Return the two-sided p value of a paired randomisation test of the mean difference.

    Were the models alike, each difference could as well have the other sign (Fisher, 1935; Smucker et al., 2007,
    "A comparison of statistical significance tests for information retrieval evaluation"). All signs are tried for
    up to 14 queries that differ, 10,000 random ones for more, where p is (as far apart + 1) / (tried + 1).

    Args:
        differences: Shape (queries,).
        seed: Of the random signs.
    """
    moved = np.asarray(differences, np.float64)
    moved = moved[moved != 0]
    n = len(moved)
    if not n:
        return 1.0
    bound = abs(moved.sum()) * (1 - 1e-9)
    if n <= _EXACT:
        signs = 1.0 - 2.0 * ((np.arange(1 << n)[:, None] >> np.arange(n)) & 1)
        return float((np.abs(signs @ moved) >= bound).mean())
    chance, found = np.random.default_rng(seed), 0
    for _ in range(_FLIPS // _AT_ONCE):
        signs = 1.0 - 2.0 * chance.integers(0, 2, (_AT_ONCE, n), np.int8)
        found += int((np.abs(signs @ moved) >= bound).sum())
    return (found + 1) / (_FLIPS + 1)
