"""Several tests at once: p-values that say how surprising the whole family is.

Twenty comparisons of equal systems give one p under .05 on average. The corrected values may be read as if each
were alone: against the same level, at most 1, never under the p they were made from.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from eval.errors import InvalidEvaluation
from eval.statistics.pairs import Floats


def holm(p: ArrayLike) -> Floats:
    """Return p-values adjusted so that the chance of even one false finding stays under the level (Holm 1979).

    The i-th smallest of m becomes the largest p₍ⱼ₎ (m - j + 1) of the first i, at most 1. Holds however the tests
    depend on each other, which those of one baseline and one set of queries do.

    Args:
        p: The family's p-values, shape (m,), in any order.

    Returns:
        The adjusted values, shape (m,), in the same order.

    Raises:
        InvalidEvaluation: a value is not between 0 and 1.
    """
    values, order = _checked(p)
    m = values.size
    adjusted = np.maximum.accumulate(values[order] * (m - np.arange(m)))
    return _put_back(adjusted, order)


def benjamini_hochberg(p: ArrayLike) -> Floats:
    """Return p-values adjusted so that of all findings the expected share of false ones stays under the level.

    The i-th smallest of m becomes the smallest p₍ⱼ₎ m / j of those from i on (Benjamini and Hochberg 1995). It finds
    more than Holm's, and promises less; that holds for tests that are independent or positively dependent.

    Args:
        p: The family's p-values, shape (m,), in any order.

    Returns:
        The adjusted values, shape (m,), in the same order.

    Raises:
        InvalidEvaluation: a value is not between 0 and 1.
    """
    values, order = _checked(p)
    m = values.size
    scaled = values[order] * (m / np.arange(1, m + 1))  # the factor first: the last is then exactly 1
    return _put_back(np.minimum.accumulate(scaled[::-1])[::-1], order)


def _checked(p: ArrayLike) -> tuple[Floats, np.ndarray]:
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1 or not bool(((values >= 0) & (values <= 1)).all()):
        raise InvalidEvaluation(f"p-values are one row of numbers from 0 to 1, found {values}")
    return values, np.argsort(values, kind="stable")


def _put_back(adjusted: Floats, order: np.ndarray) -> Floats:
    values = np.empty_like(adjusted)
    values[order] = np.minimum(adjusted, 1.0)
    return values
