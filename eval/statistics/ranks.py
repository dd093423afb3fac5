"""Wilcoxon's signed rank test, with ties and zeros as they are in measures of search."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from eval.statistics.pairs import Floats, differences
from eval.statistics.results import TestResult

NAME = "Wilcoxon"
EXACT = 60
"""Up to so many pairs that differ, p is exact; above, the normal approximation."""


def wilcoxon(a: ArrayLike, b: ArrayLike) -> TestResult:
    """Test whether a - b is symmetric about 0, by the ranks of its absolute values (Wilcoxon 1945).

    Two systems agree on many queries, so what zeros count decides. They are ranked with the others and then left out
    (Pratt 1959, Journal of the American Statistical Association 54): leaving them out first, as is often done, can make
    a difference more significant by adding queries on which there is none. Tied differences share their mean rank.

    The statistic is the sum of the ranks where a is better less those where b is. p is exact for up to `EXACT` pairs
    that differ, given the ties: every sign as likely as the other. Beyond, the statistic over its standard deviation
    √Σ rank² is normal; no continuity correction. p = 1 where nothing differs.

    Raises:
        InvalidEvaluation: see `pairs.differences`.
    """
    pairs = differences(a, b)
    ranks = mid_ranks(np.abs(pairs))[pairs != 0]
    signs = np.sign(pairs[pairs != 0])
    statistic = float((ranks * signs).sum())
    if not ranks.size:
        return TestResult(NAME, 0.0, 1.0, pairs.size)
    if ranks.size <= EXACT:
        p_value = _exact(ranks, statistic)
    else:
        p_value = math.erfc(abs(statistic) / math.sqrt(2.0 * float((ranks**2).sum())))
    return TestResult(NAME, statistic, min(1.0, p_value), pairs.size)


def mid_ranks(values: Floats) -> Floats:
    """Return each value's rank from 1, ascending; equal values share the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts - 1) / 2.0)[place]
    return ranks


def _exact(ranks: Floats, statistic: float) -> float:
    """Return the share of all 2ⁿ choices of signs whose sum is as far from 0, built up rank by rank."""
    doubled = np.round(2.0 * ranks).astype(np.int64)  # mean ranks are halves
    most = int(doubled.sum())
    share = np.zeros(most + 1)  # share[s]: of the choices, those whose positive ranks, doubled, add up to s
    share[0] = 1.0
    for rank in doubled:
        shifted = np.zeros_like(share)
        shifted[rank:] = share[: share.size - rank]
        share = (share + shifted) / 2.0
    sums = 2 * np.arange(most + 1) - most  # the signed sums, doubled
    return float(share[np.abs(sums) >= round(abs(2.0 * statistic))].sum())
