"""The randomisation test: if two systems are alike, each query's difference might as well have the other sign."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from eval.errors import InvalidEvaluation
from eval.statistics.pairs import Floats, differences
from eval.statistics.results import TestResult

NAME = "randomisation"
EXACT = 16
"""Up to so many pairs that differ, all 2ⁿ choices of signs are counted."""

_BLOCK = 1_024  # rounds that are in memory at once
_SLACK = 1e-12  # a sum is as large as another up to this share of the sum of all absolute differences


def randomisation(a: ArrayLike, b: ArrayLike, rounds: int = 10_000, seed: int = 0) -> TestResult:
    """Test whether the mean of a - b differs from 0 by flipping the signs of the differences (Fisher 1935).

    p is the share of the choices of signs whose mean is at least as far from 0. With up to `EXACT` pairs that differ
    all choices are counted. Beyond, `rounds` of them are drawn, and p = (1 + as far) / (1 + rounds), so that it is
    never 0 and the test never too eager (Phipson and Smyth 2010). p = 1 where nothing differs.

    Args:
        a: Values of one system, shape (n,).
        b: Values of the other for the same queries.
        rounds: How many choices are drawn; no p is under 1 / (1 + rounds).
        seed: Equal seeds draw equal choices.

    Raises:
        InvalidEvaluation: `rounds` is under 1; see also `pairs.differences`.
    """
    pairs = differences(a, b)
    p_value = float(randomisations(pairs[:, None], rounds, seed)[0])
    return TestResult(NAME, float(pairs.mean()), p_value, pairs.size)


def randomisations(pairs: Floats, rounds: int = 10_000, seed: int = 0) -> Floats:
    """Return `randomisation`'s p of many comparisons at once, which share the signs drawn.

    Args:
        pairs: Differences, shape (n, comparisons).
        rounds: As in `randomisation`.
        seed: As in `randomisation`.

    Returns:
        The p-values, shape (comparisons,).
    """
    if rounds < 1:
        raise InvalidEvaluation(f"a randomisation test needs at least one round, found {rounds}")
    differ = (pairs != 0).sum(axis=0)
    p_values = np.ones(pairs.shape[1])
    for column in np.flatnonzero((differ > 0) & (differ <= EXACT)):
        values = pairs[pairs[:, column] != 0, column]
        p_values[column] = _as_far(_all_signs(values.size), values[:, None])[0] / 2.0**values.size
    drawn = np.flatnonzero(differ > EXACT)
    if drawn.size:
        chosen = np.ascontiguousarray(pairs[:, drawn])
        generator = np.random.default_rng(seed)
        count = np.zeros(drawn.size)
        for start in range(0, rounds, _BLOCK):
            signs = _drawn_signs(generator, min(_BLOCK, rounds - start), len(pairs))
            count += _as_far(signs, chosen)
        p_values[drawn] = (1.0 + count) / (1.0 + rounds)
    return p_values


def _as_far(signs: Floats, pairs: Floats) -> Floats:
    """Return in how many rows of signs each column's sum is as far from 0 as with the signs that it has."""
    seen = np.abs(pairs.sum(axis=0)) - _SLACK * np.abs(pairs).sum(axis=0)
    counts: Floats = (np.abs(signs @ pairs) >= seen).sum(axis=0).astype(np.float64)
    return counts


def _all_signs(n: int) -> Floats:
    choices = np.arange(2**n)[:, None] >> np.arange(n) & 1
    signs: Floats = 1.0 - 2.0 * choices.astype(np.float64)
    return signs


def _drawn_signs(generator: np.random.Generator, rounds: int, n: int) -> Floats:
    octets = generator.integers(0, 256, size=(rounds, -(-n // 8)), dtype=np.uint8)
    signs: Floats = 1.0 - 2.0 * np.unpackbits(octets, axis=1, count=n).astype(np.float64)
    return signs
