"""The paired t-test."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from eval.statistics.pairs import differences
from eval.statistics.results import TestResult
from eval.statistics.special import scipy_special

NAME = "paired t"


def paired_t(a: ArrayLike, b: ArrayLike) -> TestResult:
    """Test whether the mean of a - b differs from 0, by Student's t (1908).

    t = mean / (sd / √n), with n - 1 degrees of freedom. Where it is not defined, this holds: fewer than two pairs or no
    difference anywhere, give t = 0 and p = 1. The same difference everywhere leaves no spread to judge it by; t is
    infinite, and p is what the randomisation test says, that all n signs agree: 2 / 2ⁿ.

    Raises:
        InvalidEvaluation: see `pairs.differences`.
    """
    pairs = differences(a, b)
    n = pairs.size
    if n < 2 or not pairs.any():
        return TestResult(NAME, 0.0, 1.0, n)
    mean = float(pairs.mean())
    if bool((pairs == pairs[0]).all()):
        return TestResult(NAME, math.copysign(math.inf, mean), 2.0 ** (1 - n), n)
    t = mean / (float(np.std(pairs, ddof=1)) / math.sqrt(n))
    return TestResult(NAME, t, min(1.0, 2.0 * float(scipy_special().stdtr(n - 1, -abs(t)))), n)
