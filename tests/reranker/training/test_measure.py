"""nDCG and its test agree with slow plain versions."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reranker.training import ndcg, sign_flips
from reranker.training.measure import change

LISTS = st.lists(st.tuples(st.sampled_from([0.0, 1.0, 2.0, 3.0]), st.integers(0, 3)), min_size=1, max_size=6)


def plain(grades: list[float], k: int) -> float:
    """DCG of grades in this order, over that of the best order."""

    def dcg(listed: list[float]) -> float:
        return sum((2**grade - 1) / math.log2(place + 2) for place, grade in enumerate(listed[:k]))

    best = dcg(sorted(grades, reverse=True))
    return dcg(grades) / best if best else 0.0


@settings(max_examples=80)
@given(LISTS, st.integers(1, 7))
def test_ties_have_the_mean_of_all_their_orders(rows: list[tuple[float, int]], k: int) -> None:
    orders = [
        plain([grade for grade, _ in order], k)
        for order in itertools.permutations(rows)
        if [score for _, score in order] == sorted((score for _, score in rows), reverse=True)
    ]
    found = ndcg([grade for grade, _ in rows], [score for _, score in rows], k)
    assert found == pytest.approx(sum(orders) / len(orders))


def test_a_model_that_says_the_same_of_all_gains_nothing_by_how_they_are_listed() -> None:
    grades = [1.0, 0.0, 0.0, 0.0]
    assert ndcg(grades, [0.0] * 4) == pytest.approx(ndcg(grades[::-1], [0.0] * 4))
    assert ndcg(grades, [0.0] * 4) < 0.7


def test_what_cannot_be_ranked_is_last_and_nothing_relevant_is_zero() -> None:
    assert ndcg([1.0, 0.0], [math.nan, -5.0]) == pytest.approx(1 / math.log2(3))
    assert ndcg([0.0, 0.0], [1.0, 2.0]) == 0.0
    assert ndcg([], []) == 0.0
    assert ndcg([-2.0, 1.0], [0.0, 1.0]) == 1.0


@settings(max_examples=60)
@given(st.lists(st.integers(-4, 4), max_size=8))
def test_the_p_value_is_the_share_of_all_signs(differences: list[int]) -> None:
    signs = list(itertools.product([1, -1], repeat=len(differences)))
    bound = abs(sum(differences))
    share = sum(
        abs(sum(s * d for s, d in zip(row, differences, strict=True))) >= bound for row in signs
    ) / len(signs)
    assert sign_flips([float(d) for d in differences]) == pytest.approx(share)


def test_many_queries_are_tested_by_chance_signs() -> None:
    noise = np.random.default_rng(0).normal(size=60)
    assert sign_flips(noise - noise.mean()) > 0.9
    assert sign_flips(noise + 1.0) == pytest.approx(1 / 10_001)
    assert sign_flips(noise + 0.2, seed=1) == sign_flips(noise + 0.2, seed=1)
    from scipy import stats

    expected = stats.ttest_1samp(noise + 0.2, 0).pvalue
    assert sign_flips(noise + 0.2) == pytest.approx(expected, abs=0.02)


def test_a_change_of_nothing_is_none() -> None:
    none = change([], [])
    assert (none.queries, none.difference, none.p) == (0, 0.0, 1.0)
    same = change([0.5, 0.25], [0.5, 0.25])
    assert (same.queries, same.before, same.after, same.p) == (2, 0.375, 0.375, 1.0)
