"""Bootstrap intervals: scipy's BCa, how often they hold the truth, and what is defined where nothing can be drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.errors import InvalidEvaluation
from eval.statistics import bootstrap_interval, bootstrap_intervals


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_an_interval_is_scipys(seed: int, level: float) -> None:
    stats = pytest.importorskip("scipy.stats", reason="the extra eval is not installed")
    values = np.random.default_rng(seed).lognormal(0, 1, 30)
    expected = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=20_000,
        confidence_level=level,
        method="BCa",
        rng=np.random.default_rng(1),
    ).confidence_interval
    found = bootstrap_interval(values, level, 20_000)
    width = expected.high - expected.low
    assert found == pytest.approx((expected.low, expected.high), abs=0.03 * width)


def test_of_many_samples_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Lopsided values, 60 of them: the BCa interval at 90% holds the mean in about 90 of 100 samples."""
    generator = np.random.default_rng(7)
    samples = generator.beta(0.5, 1.5, (60, 600))  # mean .25
    ends = bootstrap_intervals(samples, 0.9, 1_000)
    held = float(((ends[:, 0] <= 0.25) & (ends[:, 1] >= 0.25)).mean())
    assert 0.86 <= held <= 0.94


def test_an_interval_leans_the_way_that_the_values_do() -> None:
    values = np.random.default_rng(2).lognormal(0, 1, 40)
    low, high = bootstrap_interval(values)
    assert high - values.mean() > values.mean() - low


def test_columns_are_intervals_one_by_one() -> None:
    values = np.random.default_rng(4).random((25, 3))
    values[:, 1] = 0.5
    together = bootstrap_intervals(values, rounds=1_500, seed=9)
    assert [tuple(row) for row in together.tolist()] == [
        pytest.approx(bootstrap_interval(column, rounds=1_500, seed=9)) for column in values.T
    ]


def test_a_seed_gives_the_same_interval_again() -> None:
    values = np.random.default_rng(4).random(25)
    assert bootstrap_interval(values, seed=3) == bootstrap_interval(values, seed=3)
    assert bootstrap_interval(values, seed=3) != bootstrap_interval(values, seed=4)


@settings(max_examples=40)
@given(st.lists(st.integers(-10, 10).map(lambda n: n / 10), min_size=2, max_size=30))
def test_what_holds_of_every_interval(values: list[float]) -> None:
    low, high = bootstrap_interval(values, rounds=500)
    wide_low, wide_high = bootstrap_interval(values, 0.99, rounds=500)
    assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9
    assert wide_low <= low + 1e-9
    assert high <= wide_high + 1e-9
    moved = bootstrap_interval([value + 3 for value in values], rounds=500)
    assert moved == pytest.approx((low + 3, high + 3), abs=1e-6)


def test_one_value_says_nothing_of_others() -> None:
    assert bootstrap_interval([0.7]) == (-math.inf, math.inf)


def test_values_that_are_all_the_same_give_themselves() -> None:
    assert bootstrap_interval([0.7] * 12) == (0.7, 0.7)


@pytest.mark.parametrize("values", [[1.0] + [0.0] * 3, [0.0] * 199 + [1.0], [0.0, 1.0]])
def test_a_single_odd_value_gives_an_interval_nevertheless(values: list[float]) -> None:
    low, high = bootstrap_interval(values)
    assert 0.0 <= low <= np.mean(values) <= high <= 1.0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (([0.1, math.nan],), "NaN"),
        (([],), "expected one number"),
        (([0.1, 0.2], 1.0), "between 0 and 1"),
        (([0.1, 0.2], 0.95, 0), "at least one round"),
    ],
)
def test_what_makes_no_interval_is_refused(arguments: tuple, says: str) -> None:
    with pytest.raises(InvalidEvaluation, match=says):
        bootstrap_interval(*arguments)
