"""Bootstrap intervals of means."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from eval.errors import InvalidEvaluation
from eval.statistics.pairs import Floats, finite

_BLOCK = 1_024  # resamples that are in memory at once
_NORMAL = NormalDist()


def bootstrap_interval(
    values: ArrayLike, level: float = 0.95, rounds: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """Return the interval in which the mean of queries like these lies, by the bootstrap (BCa, Efron 1987).

    Queries are drawn anew with replacement, `rounds` times; the interval's ends are percentiles of the means, moved
    by how lopsided the values are (z₀, the median's bias, and a, the skewness over 6√n). For a difference of two
    systems give their differences: a query is then drawn with both values, as it must be.

    Where it is not defined, this holds: one value says nothing of others, and gives (-∞, ∞). Values that are all the
    same give themselves twice. Where the correction runs out of the percentiles there are, the plain percentiles stand.
    With fewer than ten queries, or nearly all alike, the interval is too narrow: it only knows what was seen.

    Args:
        values: One for each query, shape (n,).
        level: How sure, between 0 and 1.
        rounds: How many resamples.
        seed: Equal seeds give equal intervals.

    Raises:
        InvalidEvaluation: a value is no finite number, or `level` or `rounds` make no sense.
    """
    column = finite(values)[:, None]
    low, high = bootstrap_intervals(column, level, rounds, seed)[0]
    return float(low), float(high)


def bootstrap_intervals(values: Floats, level: float = 0.95, rounds: int = 10_000, seed: int = 0) -> Floats:
    """Return `bootstrap_interval` of every column of values, which share the resamples.

    Args:
        values: Shape (n, columns), one row a query.
        level: As in `bootstrap_interval`.
        rounds: As in `bootstrap_interval`.
        seed: As in `bootstrap_interval`.

    Returns:
        Lower and upper ends, shape (columns, 2).
    """
    if not 0.0 < level < 1.0 or rounds < 1:
        raise InvalidEvaluation(
            f"an interval needs a level between 0 and 1 and at least one round, found {level} and {rounds}"
        )
    n, columns = values.shape
    if n < 2:
        return np.tile([-math.inf, math.inf], (columns, 1))
    ends = np.empty((columns, 2))
    same = (values == values[0]).all(axis=0)
    ends[same] = values[0][same, None]
    varied = np.flatnonzero(~same)
    if varied.size:
        chosen = np.ascontiguousarray(values[:, varied])
        means = _resampled_means(chosen, rounds, np.random.default_rng(seed))
        for column, place in enumerate(varied):
            ends[place] = _bca(chosen[:, column], means[column], level)
    return ends


def _resampled_means(values: Floats, rounds: int, generator: np.random.Generator) -> Floats:
    """Return the means of resamples, shape (columns, rounds): counts of each query times its values."""
    n, columns = values.shape
    means = np.empty((columns, rounds))
    for start in range(0, rounds, _BLOCK):
        size = min(_BLOCK, rounds - start)
        drawn = generator.integers(0, n, size=(size, n)) + np.arange(size)[:, None] * n
        counts = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        means[:, start : start + size] = (counts @ values / n).T
    return means


def _bca(values: Floats, means: Floats, level: float) -> Floats:
    tails = ((1.0 - level) / 2.0, (1.0 + level) / 2.0)
    centred = values - values.mean()
    slack = 1e-12 * float(np.abs(values).max())  # the mean itself, however it was added up
    below = (np.sum(means < values.mean() - slack) + np.sum(means <= values.mean() + slack)) / (
        2.0 * means.size
    )
    if 0.0 < below < 1.0:
        bias = _NORMAL.inv_cdf(float(below))
        acceleration = float((centred**3).sum()) / (6.0 * float((centred**2).sum()) ** 1.5)
        corrected = []
        for tail in tails:
            z = bias + _NORMAL.inv_cdf(tail)
            room = 1.0 - acceleration * z
            corrected.append(_NORMAL.cdf(bias + z / room) if room > 0.0 else math.nan)
        if all(0.0 < tail < 1.0 for tail in corrected):
            tails = (corrected[0], corrected[1])
    ends: Floats = np.quantile(means, tails)
    return ends
