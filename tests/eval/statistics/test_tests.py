"""Paired t, Wilcoxon and randomisation: published data, scipy, slow plain versions, and what must hold for any data."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from eval.errors import InvalidEvaluation
from eval.statistics import TestResult, paired_t, randomisation, randomisations, wilcoxon
from eval.statistics.ranks import EXACT as EXACT_RANKS
from eval.statistics.sign_flips import EXACT as EXACT_FLIPS

stats = pytest.importorskip("scipy.stats", reason="the extra eval is not installed")

# Hours of additional sleep by two drugs, from which Student (1908) computed the first paired t.
SLEEP = (
    [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
    [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0],
)
# Hamilton depression factors before and after treatment: Hollander and Wolfe, Nonparametric Statistical Methods, 3.1.
HAMILTON = (
    [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30],
    [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29],
)
# Darwin's maize, crossed less self-fertilised, in eighths of an inch: Fisher, The Design of Experiments, section 21.
MAIZE = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]

TESTS = (paired_t, wilcoxon, randomisation)

grades = st.lists(
    st.tuples(st.integers(0, 10), st.integers(0, 10)).map(lambda pair: (pair[0] / 10, pair[1] / 10)),
    min_size=2,
    max_size=40,
)


def columns(pairs: list[tuple[float, float]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, second = np.array(pairs).T
    return first, second


def test_students_sleep() -> None:
    result = paired_t(*SLEEP)
    assert result.n == 10
    assert result.statistic == pytest.approx(4.0621, abs=5e-5)
    assert result.p_value == pytest.approx(0.002833, abs=5e-7)


def test_hollander_and_wolfes_depression_scores() -> None:
    result = wilcoxon(*HAMILTON)
    assert result.statistic == 40 - 5
    assert result.p_value == pytest.approx(2 * 0.01953, abs=1e-5)


def test_fishers_count_of_the_rearrangements_of_darwins_maize() -> None:
    result = randomisation(MAIZE, np.zeros(15))
    assert result.p_value == 2 * 863 / 32_768


@settings(max_examples=100)
@given(grades)
def test_t_is_scipys(pairs: list[tuple[float, float]]) -> None:
    first, second = columns(pairs)
    result = paired_t(first, second)
    differences = np.round(first - second, 9)
    if np.ptp(differences) == 0:
        assert result.p_value == (1.0 if differences[0] == 0 else 2.0 ** (1 - len(pairs)))
    else:
        expected = stats.ttest_1samp(differences, 0.0)
        assert result.statistic == pytest.approx(expected.statistic, rel=1e-6, abs=1e-9)
        assert result.p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=9))
def test_exact_wilcoxon_counts_every_choice_of_signs(pairs: list[tuple[int, int]]) -> None:
    differences = [first - second for first, second in pairs]
    sizes = [abs(difference) for difference in differences]
    ranks = stats.rankdata(sizes)
    counted = [rank for rank, size in zip(ranks, sizes, strict=True) if size]
    seen = abs(sum(rank * math.copysign(1, d) for rank, d in zip(ranks, differences, strict=True) if d))
    sums = [
        abs(sum(map(math.prod, zip(counted, signs, strict=True))))
        for signs in itertools.product((-1, 1), repeat=len(counted))
    ]
    expected = sum(total >= seen - 1e-9 for total in sums) / len(sums)
    first, second = columns([(float(a), float(b)) for a, b in pairs])
    assert wilcoxon(first, second).p_value == pytest.approx(expected)


@pytest.mark.parametrize("n", [EXACT_RANKS + 1, 150, 1000])
def test_wilcoxon_of_many_queries_is_scipys_with_pratts_zeros(n: int) -> None:
    generator = np.random.default_rng(n)
    differences = np.round(generator.normal(0.03, 0.2, n), 1)  # with zeros and ties
    differences[: EXACT_RANKS + 1][differences[: EXACT_RANKS + 1] == 0] = 0.1
    expected = stats.wilcoxon(differences, zero_method="pratt", correction=False, method="approx")
    result = wilcoxon(differences, np.zeros(n))
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-9)


def test_wilcoxons_exact_and_normal_p_meet_where_one_takes_over() -> None:
    differences = np.random.default_rng(3).normal(0.25, 1.0, EXACT_RANKS)
    exact = wilcoxon(differences, np.zeros(EXACT_RANKS)).p_value
    normal = stats.wilcoxon(differences, correction=False, method="approx").pvalue
    assert exact == pytest.approx(normal, rel=0.05)


def test_queries_without_a_difference_never_make_wilcoxon_surer() -> None:
    """What Pratt showed of leaving zeros out first: p can fall by adding queries on which nothing differs."""
    differences = np.random.default_rng(5).normal(0.3, 1.0, 20)
    few = wilcoxon(differences, np.zeros(20)).p_value
    many = wilcoxon(np.append(differences, np.zeros(40)), np.zeros(60)).p_value
    assert many >= few


@settings(max_examples=40)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=8))
def test_exact_randomisation_counts_every_choice_of_signs(differences: list[int]) -> None:
    seen = abs(sum(differences))
    sums = [
        abs(sum(map(math.prod, zip(differences, signs, strict=True))))
        for signs in itertools.product((-1, 1), repeat=len(differences))
    ]
    expected = sum(total >= seen for total in sums) / len(sums)
    assert randomisation(differences, np.zeros(len(differences))).p_value == pytest.approx(expected)


def test_drawn_signs_estimate_the_exact_share() -> None:
    differences = np.array(MAIZE * 1 + [5, -3, 9, 12, -7], dtype=float)
    assert len(differences) > EXACT_FLIPS
    signs = 1 - 2 * (np.arange(2**20, dtype=np.int64)[:, None] >> np.arange(20) & 1)
    exact = float((np.abs(signs @ differences) >= abs(differences.sum())).mean())
    drawn = randomisation(differences, np.zeros(20), rounds=40_000, seed=2).p_value
    assert drawn == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 40_000))


def test_a_drawn_p_is_never_zero() -> None:
    assert randomisation(np.arange(1.0, 51.0), np.zeros(50), rounds=999).p_value == 1 / 1000


def test_comparisons_at_once_are_those_one_by_one() -> None:
    generator = np.random.default_rng(8)
    pairs = np.round(generator.normal(0.05, 0.3, (60, 4)), 2)
    pairs[:, 1] = 0.0
    pairs[6:, 2] = 0.0  # few enough that differ to be counted exactly
    together = randomisations(pairs, 2000, seed=4)
    alone = [randomisation(column, np.zeros(60), 2000, seed=4).p_value for column in pairs.T]
    assert together.tolist() == alone
    assert together[1] == 1.0


@pytest.mark.parametrize("test", TESTS)
@settings(max_examples=30)
@given(pairs=grades, scale=st.sampled_from([0.001, 7.0, 1000.0]))
def test_what_holds_of_every_test(test, pairs: list[tuple[float, float]], scale: float) -> None:
    """Changing sides turns the statistic; order and unit change nothing; p is a probability."""
    first, second = columns(pairs)
    result: TestResult = test(first, second)
    assert 0.0 < result.p_value <= 1.0
    turned = test(second, first)
    assert turned.p_value == result.p_value
    assert turned.statistic == pytest.approx(-result.statistic)
    assert test(scale * first, scale * second).p_value == pytest.approx(result.p_value, rel=1e-6)
    if len(pairs) <= EXACT_FLIPS or test is not randomisation:
        assert test(first[::-1], second[::-1]).p_value == pytest.approx(result.p_value, rel=1e-6)
    assert test(first, first) == TestResult(result.name, 0.0, 1.0, len(pairs))


@pytest.mark.parametrize("test", TESTS)
def test_under_the_null_p_is_uniform(test) -> None:
    """Of many pairs of equal systems, no more have a p under a level than the level says (three standard errors)."""
    generator = np.random.default_rng(11)
    times, n = 1_500, 24
    values = generator.beta(0.6, 1.2, (times, 2, n))  # as measures are: between 0 and 1, lopsided
    arguments = {"rounds": 499} if test is randomisation else {}
    p = np.array([test(a, b, **arguments).p_value for a, b in values])
    for level in (0.01, 0.05, 0.1, 0.25, 0.5):
        error = math.sqrt(level * (1 - level) / times)
        assert float((p <= level).mean()) == pytest.approx(level, abs=3 * error + 0.002)


@pytest.mark.parametrize("test", TESTS)
def test_a_real_difference_is_found(test) -> None:
    generator = np.random.default_rng(12)
    theirs = generator.random(200)
    assert test(theirs + generator.normal(0.1, 0.2, 200), theirs).p_value < 0.001


@pytest.mark.parametrize("test", TESTS)
def test_rounding_is_no_difference(test) -> None:
    """0.1 + 0.2 is not 0.3 for the computer, but is for a measure."""
    assert test([0.1 + 0.2] * 20, [0.3] * 20).p_value == 1.0
    mixed = [0.3 - 0.1, 0.4 - 0.2, 0.9 - 0.7, 0.5]
    assert wilcoxon(mixed, [0.0] * 4) == wilcoxon([0.2, 0.2, 0.2, 0.5], [0.0] * 4)


@pytest.mark.parametrize("test", TESTS)
def test_one_query_shows_nothing(test) -> None:
    assert test([0.9], [0.1]).p_value == 1.0


def test_the_same_gain_everywhere_is_as_sure_as_its_signs() -> None:
    result = paired_t([0.3, 0.4, 0.5, 0.6], [0.2, 0.3, 0.4, 0.5])
    assert (result.statistic, result.p_value) == (math.inf, 2 / 2**4)
    assert randomisation([0.3, 0.4, 0.5, 0.6], [0.2, 0.3, 0.4, 0.5]).p_value == 2 / 2**4


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        ([0.1, math.nan], [0.1, 0.2], "the first system: 1 of 2 are NaN or infinite, the first at place 1"),
        ([0.1, 0.2], [math.inf, 0.2], "the second system"),
        ([0.1, 0.2], [0.1], "the same queries of both systems, found 2 and 1"),
        ([], [], "expected one number for each query"),
        ([[0.1]], [[0.2]], "shape (1, 1)"),
    ],
)
def test_what_cannot_be_tested_is_refused(test, a: list[float], b: list[float], says: str) -> None:
    with pytest.raises(InvalidEvaluation) as caught:
        test(a, b)
    assert says in str(caught.value)


def test_a_randomisation_of_no_rounds_is_refused() -> None:
    with pytest.raises(InvalidEvaluation, match="at least one round"):
        randomisation(MAIZE, np.zeros(15), rounds=0)
