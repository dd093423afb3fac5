"""Orders of runs: strictly decreasing as float32, whatever comes in; trec_eval's where only scores are known."""

from __future__ import annotations

from functools import cmp_to_key

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.errors import InvalidEvaluation
from eval.run import Run, in_given_order, in_trec_order

LARGEST = float(np.finfo(np.float32).max)
# Ties, neighbours, both zeros, denormals, the ends of float32, and doubles that are one float32.
AWKWARD = st.sampled_from(
    [
        0.0,
        -0.0,
        1.0,
        1.00000001,
        0.99999999,
        -1.0,
        1e-45,
        -1e-45,
        1e-40,
        1e-300,
        LARGEST,
        -LARGEST,
        16777217.0,
    ]
)
SCORES = st.one_of(AWKWARD, st.floats(-LARGEST, LARGEST, allow_nan=False))
QUICK = settings(deadline=None, max_examples=100)


def strictly_decreasing(scores: list[float]) -> bool:
    singles = np.array(scores, dtype=np.float64).astype(np.float32)
    return bool(np.isfinite(singles).all()) and bool(np.all(singles[1:] < singles[:-1]))


def lowered(scores: list[float]) -> list[float]:
    """The slow plain version: each score under the one before, one float32 at a time."""
    singles = [np.float32(score) for score in scores]
    for place in range(1, len(singles)):
        if not singles[place] < singles[place - 1]:
            singles[place] = np.nextafter(singles[place - 1], np.float32(-np.inf))
    return [float(single) for single in singles]


@QUICK
@given(st.lists(SCORES, max_size=30))
def test_a_given_order_stays_and_its_scores_decrease(scores: list[float]) -> None:
    ranking = in_given_order((f"d{place}", score) for place, score in enumerate(scores))
    assert list(ranking) == [f"d{place}" for place in range(len(scores))]
    assert strictly_decreasing(list(ranking.values()))


@QUICK
@given(st.lists(st.one_of(AWKWARD.filter(lambda score: score > -1e30), st.floats(-1e30, 1e30)), max_size=30))
def test_scores_are_lowered_by_as_little_as_there_is(scores: list[float]) -> None:
    ranking = in_given_order((f"d{place}", score) for place, score in enumerate(scores))
    assert list(ranking.values()) == lowered(scores)


def test_where_no_smaller_number_is_left_the_last_scores_are_raised() -> None:
    ranking = in_given_order((name, -LARGEST) for name in "abc")
    below = [float(np.nextafter(np.float32(-LARGEST), np.float32(0)))]
    assert list(ranking.values())[1:] == [*below, -LARGEST]
    assert strictly_decreasing(list(ranking.values()))


@QUICK
@given(st.dictionaries(st.text(min_size=1, max_size=3), SCORES, max_size=30))
def test_trec_eval_s_order_is_score_then_name_both_descending(scores: dict[str, float]) -> None:
    def compared(left: str, right: str) -> int:
        ours, theirs = np.float32(scores[left]), np.float32(scores[right])
        if ours != theirs:
            return -1 if ours > theirs else 1
        return -1 if left.encode() > right.encode() else 1

    ranking = in_trec_order(scores)
    assert list(ranking) == sorted(scores, key=cmp_to_key(compared))
    assert strictly_decreasing(list(ranking.values()))


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf"), 1e39, -1e300])
def test_a_score_that_no_float32_holds_is_refused(score: float) -> None:
    with pytest.raises(InvalidEvaluation, match="not a finite number"):
        Run.from_scores("r", {"q": {"a": 1.0, "b": score}})
    with pytest.raises(InvalidEvaluation, match="not a finite number"):
        in_given_order([("a", score)])


def test_a_document_twice_in_one_ranking_is_refused_by_name() -> None:
    with pytest.raises(InvalidEvaluation, match="'b' comes twice"):
        in_given_order([("a", 3.0), ("b", 2.0), ("b", 1.0)])


def test_a_run_may_be_empty() -> None:
    assert in_given_order([]) == in_trec_order({}) == {}
    assert len(Run("nothing", {})) == 0
