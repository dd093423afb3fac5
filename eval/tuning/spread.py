"""How sure is a chosen value? The range that other queries of the same kind would have chosen."""

from __future__ import annotations

import numpy as np

from eval.tuning.stages import Values
from eval.tuning.trial import TrialBook


def choice_interval(
    book: TrialBook, chosen: Values, name: str, seed: int = 0, rounds: int = 1000, level: float = 0.9
) -> tuple[float, float]:
    """Return the interval of a parameter's value: what bootstrap samples of the queries choose.

    Each sample draws as many queries as each collection has, with replacement, and chooses among the trials that
    differ from `chosen` in this parameter alone. No new trial is made.

    Args:
        book: The trials.
        chosen: The values chosen.
        name: The parameter; its values are numbers.
        seed: Of the samples.
        rounds: How many.
        level: The share of samples whose choice is inside.
    """
    alike = [
        trial
        for trial in book.tried
        if all(value == chosen[other] for other, value in trial.setting.items() if other != name)
    ]
    choices = np.array([float(trial.setting[name]) for trial in alike])
    values = np.stack([trial.values for trial in alike])
    generator = np.random.default_rng(seed)
    weights = book.weights()
    counts = np.zeros((rounds, len(book.queries)))
    for collection in range(len(book.collections)):
        rows = np.flatnonzero(book.member == collection)
        counts[:, rows] = generator.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=rounds)
    best = (counts * weights) @ values.T
    ends = np.quantile(choices[best.argmax(axis=1)], [(1 - level) / 2, (1 + level) / 2], method="nearest")
    return float(ends[0]), float(ends[1])
