"""Intervals around rates, means and ratios; impressions of one reader are no independent witnesses."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from eval.errors import InvalidEvaluation, MissingDependency

LEVEL = 0.95


def normal_quantile(level: float) -> float:
    """Return how many standard deviations on both sides hold this share of a normal distribution.

    Raises:
        InvalidEvaluation: the level is not between 0 and 1.
    """
    if not 0.0 < level < 1.0:
        raise InvalidEvaluation(f"a level is between 0 and 1, such as 0.95; found {level!r}")
    return NormalDist().inv_cdf((1.0 + level) / 2.0)


def t_quantile(level: float, freedom: int) -> float:
    """Return the same of Student's t with so many degrees of freedom; infinite with none.

    Raises:
        MissingDependency: scipy is not installed.
    """
    if freedom < 1:
        return math.inf
    try:
        from scipy.special import stdtrit
    except ImportError as error:
        raise MissingDependency("scipy", "an interval over readers") from error
    return float(stdtrit(freedom, (1.0 + level) / 2.0))


def t_p_value(statistic: float, freedom: int) -> float:
    """Return the two-sided p of Student's t; 1 where there are no degrees of freedom.

    Raises:
        MissingDependency: scipy is not installed.
    """
    if freedom < 1 or math.isnan(statistic):
        return 1.0
    try:
        from scipy.special import stdtr
    except ImportError as error:
        raise MissingDependency("scipy", "a test over readers") from error
    return float(min(1.0, 2.0 * stdtr(freedom, -abs(statistic))))


def sign_p_value(wins: int, losses: int) -> float:
    """Return the two-sided p of a fair coin falling as unevenly as this: the exact binomial test."""
    total, few = wins + losses, min(wins, losses)
    if total == 0:
        return 1.0
    tail = sum(math.comb(total, count) for count in range(few + 1))
    p_value: float = min(1.0, 2 * tail / 2**total)
    return p_value


def rate_interval(
    clicks: float, exposure: float, squares: float, level: float = LEVEL
) -> tuple[float, float]:
    """Return the score interval of a rate, of clicks that came with chance rate x (weight of the impression).

    The clicks' variance is rate x sum of weights - rate^2 x sum of their squares; the interval holds the rates at
    which the clicks seen lie within the quantile of what is expected (Wilson 1927, whose interval it is when
    all weights are 1).

    Args:
        clicks: How many clicks.
        exposure: Sum of the weights, each from 0 to 1.
        squares: Sum of the squares of the weights.
        level: Share of such intervals that hold the truth.
    """
    if exposure <= 0:
        return 0.0, 1.0
    z2 = normal_quantile(level) ** 2
    # (clicks - rate * exposure)^2 <= z2 * (rate * exposure - rate^2 * squares), solved for the rate.
    a = exposure**2 + z2 * squares
    b = 2.0 * clicks * exposure + z2 * exposure
    root = math.sqrt(max(b * b - 4.0 * a * clicks * clicks, 0.0))
    return max(0.0, (b - root) / (2.0 * a)), min(1.0, (b + root) / (2.0 * a))


def clustered_error(influence: NDArray[np.float64], clusters: Sequence[Hashable]) -> tuple[float, int]:
    """Return the standard error of a mean, and how many clusters there are.

    Args:
        influence: What each record adds to the mean's error, shape (n,), summing to 0.
        clusters: Whose record it is: those of one reader go together (Liang and Zeger, Biometrika 1986).
    """
    numbers: dict[Hashable, int] = {}
    group = np.fromiter((numbers.setdefault(name, len(numbers)) for name in clusters), dtype=np.int64)
    count = len(numbers)
    if count < 2:
        return math.inf, count
    sums = np.bincount(group, weights=influence, minlength=count)
    return math.sqrt(float(np.square(sums).sum()) * count / (count - 1)) / len(influence), count
