"""Pairs of values, checked and subtracted: the one place where the tests' input enters."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eval.errors import InvalidEvaluation

Floats: TypeAlias = NDArray[np.float64]

DIGITS = 12
"""Differences are rounded to so many digits of the largest value: 0.3 - 0.1 and 0.2 are the same number."""


def finite(values: ArrayLike, what: str = "values") -> Floats:
    """Return values as an array of shape (n,).

    Raises:
        InvalidEvaluation: there are none, they are not one row of numbers, or one of them is NaN or infinite.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not array.size:
        raise InvalidEvaluation(
            f"{what}: expected one number for each query, found an array of shape {array.shape}"
        )
    wrong = np.flatnonzero(~np.isfinite(array))
    if wrong.size:
        raise InvalidEvaluation(
            f"{what}: {wrong.size} of {array.size} are NaN or infinite, the first at place {wrong[0]}; "
            "leave those queries out of both systems, or count them with the measure's default"
        )
    return array


def differences(a: ArrayLike, b: ArrayLike) -> Floats:
    """Return a - b, shape (n,), rounded to `DIGITS` digits of the largest value, so that equal differences are equal.

    Raises:
        InvalidEvaluation: the two are not of one length, or hold something that is no finite number.
    """
    first, second = finite(a, "the first system"), finite(b, "the second system")
    if first.shape != second.shape:
        raise InvalidEvaluation(
            f"a paired test needs the same queries of both systems, found {first.size} and {second.size} values"
        )
    scale = max(float(np.abs(first).max()), float(np.abs(second).max()))
    if scale < 1e-200:
        return first - second
    rounded: Floats = np.round(first - second, DIGITS - math.ceil(math.log10(scale)))
    return rounded
