"""Trials whose answer is known beforehand: no engine, no index, only a function of the values."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from eval.tuning import JudgedQuery
from eval.tuning.stages import Values
from eval.tuning.trial import Floats

Worth = Callable[[Values, int, str], float]


class Known:
    """Trials that compute each query's measure from the values, and count how often they are asked."""

    measure = "worth"

    def __init__(self, worth: Worth, baseline: Values, sizes: dict[str, int]) -> None:
        self.worth = worth
        self.baseline = baseline
        self.asked: list[Values] = []
        self.queries: Sequence[JudgedQuery] = [
            JudgedQuery(name, f"q{n}", f"text {n}") for name, size in sizes.items() for n in range(size)
        ]

    def values(self, setting: Values) -> Floats:
        self.asked.append(dict(setting))
        return np.array(
            [self.worth(setting, at, query.collection) for at, query in enumerate(self.queries)],
            dtype=np.float64,
        )


MakeKnown = Callable[..., Known]


@pytest.fixture
def known() -> MakeKnown:
    """Make trials of a function (values, query number, collection) to measure, a baseline, and collections' sizes."""

    def make(worth: Worth, baseline: Values, **sizes: int) -> Known:
        return Known(worth, baseline, sizes)

    return make


@pytest.fixture
def noise() -> Callable[[int], Callable[[Values, int], float]]:
    """Make a function (values, query number) to a standard normal number that is the same at every call."""

    def make(seed: int) -> Callable[[Values, int], float]:
        drawn: dict[tuple[object, ...], np.ndarray] = {}

        def draw(values: Values, query: int) -> float:
            key = tuple(sorted(values.items()))
            if key not in drawn:
                entropy = [seed, *(round(1000 * float(value)) for _, value in key)]
                drawn[key] = np.random.default_rng(entropy).normal(size=2000)
            return float(drawn[key][query])

        return draw

    return make
