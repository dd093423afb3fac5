"""Effect sizes and power: tabled values, simulation, and that the one is the other's inverse."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.errors import InvalidEvaluation, MissingDependency
from eval.statistics import effect_size, minimum_detectable_difference, paired_t, power

pytest.importorskip("scipy", reason="the extra eval is not installed")


def test_the_effect_is_the_mean_in_standard_deviations_less_hedges_bias() -> None:
    differences = np.array([0.1, 0.3, -0.2, 0.4, 0.2, 0.0, 0.1, 0.5, -0.1, 0.2, 0.3])
    plain = differences.mean() / differences.std(ddof=1)
    assert effect_size(differences, np.zeros(11)) == pytest.approx(
        plain * 0.9228, rel=1e-4
    )  # Hedges' J of 10


def test_hedges_correction_takes_the_bias_away() -> None:
    """Of many samples of eight with a true effect of .5 the mean is .5; uncorrected it is .56."""
    samples = np.random.default_rng(1).normal(0.5, 1.0, (20_000, 8))
    plain = samples.mean(axis=1) / samples.std(axis=1, ddof=1)
    found = np.array([effect_size(sample, np.zeros(8)) for sample in samples[:4_000]])
    assert found == pytest.approx(plain[:4_000] * found[0] / plain[0])  # one factor for all
    assert float(plain.mean()) * found[0] / plain[0] == pytest.approx(0.5, abs=0.01)


def test_effects_where_they_are_not_defined() -> None:
    assert effect_size([0.4, 0.5], [0.4, 0.5]) == 0.0
    assert effect_size([0.4, 0.5], [0.3, 0.4]) == math.inf
    assert effect_size([0.3, 0.4], [0.4, 0.5]) == -math.inf
    assert effect_size([0.3, 0.4], [0.4, 0.1]) == 0.0  # two pairs
    assert math.isnan(effect_size([0.3], [0.1]))


@pytest.mark.parametrize(
    ("effect", "n", "expected"),
    [(0.5, 34, 0.8077775), (0.2, 199, 0.8016910), (0.8, 15, 0.8213105)],  # R's power.t.test, type paired
)
def test_power_of_the_tables(effect: float, n: int, expected: float) -> None:
    assert power(effect, n) == pytest.approx(expected, abs=1e-6)


def test_without_an_effect_the_power_is_the_level() -> None:
    for n in (2, 10, 1000):
        assert power(0.0, n, 0.05) == pytest.approx(0.05)


@settings(max_examples=60)
@given(st.floats(0, 200), st.integers(2, 3000))
def test_power_is_a_probability_that_grows(effect: float, n: int) -> None:
    found = power(effect, n)
    assert 0.05 - 1e-9 <= found <= 1.0
    assert found <= power(effect + 0.1, n) + 1e-9
    assert found <= power(effect, n + 5) + 1e-9


def test_power_is_how_often_the_test_finds_it() -> None:
    samples = np.random.default_rng(2).normal(0.4, 1.0, (3_000, 30))
    found = np.mean([paired_t(sample, np.zeros(30)).p_value < 0.05 for sample in samples])
    assert float(found) == pytest.approx(power(0.4, 30), abs=0.03)


@settings(max_examples=60)
@given(st.integers(2, 2000), st.sampled_from([0.5, 0.8, 0.95]), st.sampled_from([0.01, 0.05]))
def test_what_is_detectable_has_the_power_asked_for(n: int, wanted: float, level: float) -> None:
    differences = np.random.default_rng(n).normal(0.0, 0.2, n)
    smallest = minimum_detectable_difference(differences, wanted, level)
    assert power(smallest / float(differences.std(ddof=1)), n, level) == pytest.approx(wanted, abs=1e-6)


def test_many_queries_show_smaller_differences_and_the_mean_plays_no_part() -> None:
    differences = np.random.default_rng(1).normal(0.0, 0.2, 400)
    assert minimum_detectable_difference(differences) < minimum_detectable_difference(differences[:100])
    assert minimum_detectable_difference(differences + 5) == pytest.approx(
        minimum_detectable_difference(differences)
    )
    # With many queries it is (z.975 + z.8) sd / sqrt n.
    rule = (1.959964 + 0.841621) * float(differences.std(ddof=1)) / 20
    assert minimum_detectable_difference(differences) == pytest.approx(rule, rel=0.01)


def test_detectable_differences_where_they_are_not_defined() -> None:
    assert minimum_detectable_difference([0.3]) == math.inf
    assert minimum_detectable_difference([0.3, 0.3, 0.3]) == 0.0


@pytest.mark.parametrize(
    "call",
    [
        lambda: power(0.5, 1),
        lambda: power(0.5, 10, 0.0),
        lambda: minimum_detectable_difference([0.1, 0.2], power=0.04),
        lambda: minimum_detectable_difference([0.1, 0.2], power=1.0),
        lambda: minimum_detectable_difference([0.1, math.nan]),
    ],
)
def test_what_has_no_power_is_refused(call) -> None:
    with pytest.raises(InvalidEvaluation):
        call()


def test_without_scipy_the_message_says_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    with pytest.raises(MissingDependency, match=r"pip install 'quire-search\[eval\]'"):
        paired_t([0.1, 0.3, 0.2], [0.0, 0.1, 0.3])
