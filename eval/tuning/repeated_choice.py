"""Is a cross-validated gain more than luck? A randomisation test that repeats the choice itself.

Held-out differences of different folds are not independent: if the values in use happen to be unlucky on some
queries, these make the *other* folds choose something else, and the held-out values of both go up together. A test
that takes the choices as given therefore finds gains in noise about twice as often as it promises. This one does not
take them as given. If no setting is better than the values in use, each query's differences to them might as well
have the opposite sign, all settings' together; so signs are flipped at random, query by query, every fold chooses
again among the settings that it tried, and the gain is counted again, over its standard error, because flips choose
among wild and tame settings alike. p is the share of flips that gain as much.

A setting that is far worse would come out of a flip far better, which says nothing of luck: the differences of
settings that are worse on average are first raised to an average of 0, the most that "no better" allows, as in White's
"A Reality Check for Data Snooping" (Econometrica, 2000).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from eval.tuning.trial import Floats, Mask

_BLOCK = 1024  # flips that are in memory at once
_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class FoldChoice:
    """What a fold chose among.

    Args:
        held_out: The fold's own queries, shape (n,).
        training: Weights with which the others choose, shape (n,), 0 on the fold's own.
        differences: Each setting tried less the values in use, shape (n, settings).
    """

    held_out: Mask
    training: Floats
    differences: Floats


def choice_p_value(
    folds: Sequence[FoldChoice], weights: Floats, rounds: int = 10_000, seed: int = 0
) -> float:
    """Return how often chance alone gains as much by choosing, one-sided.

    Args:
        folds: Every fold; each query is held out in one of them.
        weights: The queries' weights in the mean of all, shape (n,).
        rounds: How many flips are drawn; no p is under 1 / (1 + rounds).
        seed: Equal seeds draw equal flips.
    """
    seen = float(_gains(np.ones((1, len(weights))), folds, weights)[0])
    folds = [_no_better(fold, weights) for fold in folds]
    generator = np.random.default_rng(seed)
    count = 0
    for start in range(0, rounds, _BLOCK):
        shape = (min(_BLOCK, rounds - start), len(weights))
        signs = 1.0 - 2.0 * generator.integers(0, 2, size=shape, dtype=np.int8).astype(np.float64)
        count += int((_gains(signs, folds, weights) >= seen - _SLACK).sum())
    return (1 + count) / (1 + rounds)


def _no_better(fold: FoldChoice, weights: Floats) -> FoldChoice:
    means = weights @ fold.differences / weights.sum()
    return replace(fold, differences=fold.differences - np.minimum(means, 0.0))


def _gains(signs: Floats, folds: Sequence[FoldChoice], weights: Floats) -> Floats:
    """Return for each row of signs the gain that its choices make on held-out queries, over its standard error.

    Without a mean of differences, the error is the root of the sum of their squares, which no flip changes.
    """
    total, squares = np.zeros(len(signs)), np.zeros(len(signs))
    for fold in folds:
        scores = (signs * fold.training) @ fold.differences
        choice = scores.argmax(axis=1)
        changed = scores[np.arange(len(signs)), choice] > 1e-12 * float(np.abs(fold.differences).sum())
        own = fold.differences * np.where(fold.held_out, weights, 0.0)[:, None]
        total += np.where(changed, (signs @ own)[np.arange(len(signs)), choice], 0.0)
        squares += np.where(changed, (own**2).sum(axis=0)[choice], 0.0)
    return np.divide(total, np.sqrt(squares), out=np.zeros(len(signs)), where=squares > 0)
