"""How large a difference is, and how large it would have to be to be seen."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from eval.errors import InvalidEvaluation
from eval.statistics.pairs import differences, finite
from eval.statistics.special import scipy_special

_FAR = 8.0


def effect_size(a: ArrayLike, b: ArrayLike) -> float:
    """Return the mean of a - b in standard deviations of a - b, without the bias of small samples.

    This is Cohen's d_z times Hedges' correction J = Γ(m/2) / (√(m/2) Γ((m-1)/2)) for m = n - 1 (Hedges 1981). It
    does not grow with the number of queries, and cannot be compared with effects between unpaired groups.

    Where it is not defined, this holds: 0 where nothing differs, infinite where every query differs by the same amount,
    NaN for fewer than two pairs. Two pairs give 0: their bias cannot be told from their effect.

    Raises:
        InvalidEvaluation: see `pairs.differences`.
    """
    pairs = differences(a, b)
    if pairs.size < 2:
        return math.nan
    mean = float(pairs.mean())
    if bool((pairs == pairs[0]).all()):
        return math.copysign(math.inf, mean) if mean else 0.0
    return mean / float(np.std(pairs, ddof=1)) * _small_sample(pairs.size - 1)


def _small_sample(m: int) -> float:
    if m < 2:
        return 0.0
    return math.exp(math.lgamma(m / 2) - math.lgamma((m - 1) / 2)) / math.sqrt(m / 2)


def power(effect: float, n: int, level: float = 0.05) -> float:
    """Return how often a paired t-test of n queries finds a difference of so many standard deviations.

    Args:
        effect: The true mean difference over the standard deviation of the differences (d_z).
        n: The number of queries, at least 2.
        level: The p under which it counts as found, two-sided.

    Raises:
        InvalidEvaluation: fewer than two queries, or `level` is not between 0 and 1.
    """
    if n < 2 or not 0.0 < level < 1.0:
        raise InvalidEvaluation(
            f"power needs at least two queries and a level between 0 and 1, found {n} and {level}"
        )
    special = scipy_special()
    edge = float(special.stdtrit(n - 1, 1.0 - level / 2.0))
    shift = abs(effect) * math.sqrt(n)
    found = 1.0 - float(special.nctdtr(n - 1, shift, edge))
    if shift < _FAR:  # beyond, nctdtr has no value for the other side, which is under 1e-15
        found += float(special.nctdtr(n - 1, shift, -edge))
    return found


def minimum_detectable_difference(differences: ArrayLike, power: float = 0.8, level: float = 0.05) -> float:
    """Return the smallest true mean difference that a paired t-test of as many queries finds with this power.

    It asks of the experiment, not of its outcome: had there been this difference, with differences that vary as these
    do, the test would have come out under `level` in `power` of all experiments. A smaller difference may well be real
    and yet be missed. 0 where the differences are all the same, infinite for fewer than two.

    Args:
        differences: One for each query, shape (n,); their standard deviation and number are all that counts.
        power: How often it is to be found, above `level` and under 1.
        level: The p under which it counts as found, two-sided.

    Returns:
        The difference, in the measure's own unit, at least 0.

    Raises:
        InvalidEvaluation: a difference is no finite number, or `power` and `level` do not fit.
    """
    values = finite(differences, "differences")
    if not 0.0 < level < power < 1.0:
        raise InvalidEvaluation(f"expected 0 < level < power < 1, found level {level} and power {power}")
    if values.size < 2:
        return math.inf
    spread = float(np.std(values, ddof=1))
    if not spread or bool((values == values[0]).all()):
        return 0.0
    return spread * _detectable_effect(values.size, power, level)


@lru_cache(maxsize=1024)
def _detectable_effect(n: int, wanted: float, level: float) -> float:
    """Return the effect at which the power is as wanted, by halving: it grows with the effect."""
    low, high = 0.0, 1.0
    while power(high, n, level) < wanted:
        low, high = high, 2.0 * high
    for _ in range(60):
        middle = (low + high) / 2.0
        if power(middle, n, level) < wanted:
            low = middle
        else:
            high = middle
    return high
