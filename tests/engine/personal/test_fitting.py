"""Weights from clicks: against a general optimiser, and by what has to hold of any fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from engine.personal.fitting import Lists, NothingToLearn, fit


def drawn(seed: int, truth: tuple[float, ...], lists: int = 200, shown: int = 10) -> Lists:
    """Lists of readers who click what a linear score of these weights makes likely."""
    random = np.random.default_rng(seed)
    terms = random.normal(size=(lists * shown, len(truth)))
    clicked = random.random(len(terms)) < 1 / (1 + np.exp(1.5 - terms @ np.array(truth)))
    return Lists(terms, np.repeat(np.arange(lists), shown), clicked, np.ones(len(terms)))


def ranknet_loss(weights: np.ndarray, lists: Lists) -> float:
    """The definition, pair by pair, with no care for speed."""
    losses = []
    for name in np.unique(lists.lists):
        rows = np.flatnonzero(lists.lists == name)
        scores = lists.terms[rows] @ weights
        pairs = [
            (lists.weights[i], np.log1p(np.exp(-(scores[a] - scores[b]))))
            for a, i in enumerate(rows)
            for b, j in enumerate(rows)
            if lists.clicked[i] and not lists.clicked[j]
        ]
        if pairs:
            total = sum(weight for weight, _ in pairs)
            losses.append(sum(weight * loss for weight, loss in pairs) / total)
    return float(np.mean(losses))


def test_pairwise_weights_are_those_of_a_general_optimiser() -> None:
    lists = drawn(1, (1.0, 0.5), lists=30, shown=6)
    lists = Lists(
        lists.terms, lists.lists, lists.clicked, np.where(np.arange(len(lists.terms)) % 3, 1.0, 2.5)
    )
    found = fit(lists, penalty=0.0)
    exact = {"xatol": 1e-8, "fatol": 1e-12}
    best = minimize(lambda w: ranknet_loss(w, lists), np.zeros(2), method="Nelder-Mead", options=exact)
    assert found.weights == pytest.approx(best.x, abs=1e-4)
    assert found.loss == pytest.approx(best.fun, abs=1e-8)
    assert found.before == pytest.approx(np.log(2))


def test_pointwise_weights_are_those_of_a_general_optimiser() -> None:
    lists = drawn(2, (1.0, 0.5), lists=40, shown=6)

    def loss(w: np.ndarray) -> float:
        scores = lists.terms @ w[:2] + w[2]
        return float(np.mean(np.logaddexp(0, scores) - lists.clicked * scores))

    best = minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-9})
    found = fit(lists, "bce", penalty=0.0)
    assert found.weights == pytest.approx(best.x[:2], abs=1e-4)
    assert found.loss == pytest.approx(best.fun, abs=1e-8)
    share = lists.clicked.mean()
    assert found.before == pytest.approx(-share * np.log(share) - (1 - share) * np.log(1 - share))


@pytest.mark.parametrize("objective", ["ranknet", "bce"])
def test_the_readers_own_weights_are_found_again(objective: str) -> None:
    found = fit(drawn(3, (1.0, 0.5, 0.0), lists=3000), objective, penalty=1e-4)  # type: ignore[arg-type]
    assert found.weights[0] == pytest.approx(1.0, abs=0.1)
    assert found.weights[1] == pytest.approx(0.5, abs=0.1)
    assert found.weights[2] == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("objective", ["ranknet", "bce"])
def test_a_term_that_would_count_against_documents_is_left_out(objective: str) -> None:
    found = fit(drawn(4, (1.0, -0.8)), objective)  # type: ignore[arg-type]
    alone = drawn(4, (1.0, -0.8))
    without = fit(Lists(alone.terms[:, :1], alone.lists, alone.clicked, alone.weights), objective)  # type: ignore[arg-type]
    assert found.weights[1] == 0
    assert found.weights[0] == pytest.approx(without.weights[0])


@pytest.mark.parametrize("objective", ["ranknet", "bce"])
def test_clicks_without_an_error_give_finite_weights(objective: str) -> None:
    terms = np.array([[1.0], [0.0], [1.0], [0.0]])
    lists = Lists(terms, np.array([0, 0, 1, 1]), terms[:, 0] > 0, np.ones(4))
    found = fit(lists, objective)  # type: ignore[arg-type]
    assert 0 < found.weights[0] < 1e3
    assert found.loss < found.before


@given(st.integers(0, 1000), st.floats(0.01, 100), st.permutations(range(60)))
@settings(deadline=None, max_examples=25)
def test_neither_the_order_of_rows_nor_a_terms_unit_matters(seed: int, unit: float, order: list[int]) -> None:
    lists = drawn(seed, (1.0, 0.5), lists=10, shown=6)
    if not lists.clicked.any() or lists.clicked.all():
        return
    other = lists.of(np.array(order))
    other = Lists(other.terms * np.array([1.0, unit]), other.lists, other.clicked, other.weights)
    for objective in ("ranknet", "bce"):
        try:
            first = fit(lists, objective)  # type: ignore[arg-type]
        except NothingToLearn:
            continue
        second = fit(other, objective)  # type: ignore[arg-type]
        assert second.weights * np.array([1.0, unit]) == pytest.approx(first.weights, rel=1e-4, abs=1e-6)


def test_lists_with_many_pairs_weigh_no_more_than_others() -> None:
    small = Lists(np.array([[1.0, 0.0], [0.0, 1.0]]), np.zeros(2, int), np.array([True, False]), np.ones(2))
    terms = np.concatenate([small.terms, np.array([[0.0, 1.0]] + [[1.0, 0.0]] * 50)])
    lists = np.array([0, 0] + [1] * 51)
    clicked = np.array([True, False, True] + [False] * 50)
    found = fit(Lists(terms, lists, clicked, np.ones(len(terms))), penalty=0.01)
    assert found.weights == pytest.approx(np.zeros(2), abs=1e-6)  # one list says the one, one the other


@pytest.mark.parametrize(
    ("clicked", "terms"),
    [
        (np.zeros(4, bool), np.eye(4)),
        (np.ones(4, bool), np.eye(4)),
        (np.array([True, False, True, False]), np.ones((4, 2))),
    ],
)
@pytest.mark.parametrize("objective", ["ranknet", "bce"])
def test_where_there_is_nothing_to_learn_it_says_so(
    clicked: np.ndarray, terms: np.ndarray, objective: str
) -> None:
    with pytest.raises(NothingToLearn):
        fit(Lists(terms, np.array([0, 0, 1, 1]), clicked, np.ones(4)), objective)  # type: ignore[arg-type]
