"""Click models find the truth that simulated readers click by, and say where there is none to find."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from eval.errors import InvalidEvaluation
from eval.online import (
    Impression,
    by_document,
    by_place,
    dependent_clicks,
    examination,
    examination_from_moves,
    relevance,
)
from eval.online.intervals import rate_interval, sign_p_value
from eval.online.simulation import cascade_reader, position_reader, simulate

LOOKED = (1.0, 0.7, 0.5, 0.35, 0.25)
DOCS = "abcde"
QUERIES = [f"q{number}" for number in range(20)]


def truth(seed: int) -> dict[tuple[str, str], float]:
    choose = random.Random(seed)
    return {(query, doc): choose.uniform(0.05, 0.9) for query in QUERIES for doc in DOCS}


def shuffled(count: int, seed: int) -> list[tuple[str, Sequence[str]]]:
    choose = random.Random(seed)
    return [(choose.choice(QUERIES), choose.sample(DOCS, len(DOCS))) for _ in range(count)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_em_finds_examination_and_relevance(seed: int) -> None:
    worth = truth(seed)
    log = simulate(shuffled(12_000, seed), position_reader(LOOKED, worth, seed))
    found = examination(log)
    assert found.values == pytest.approx(LOOKED, abs=0.04)
    assert found.groups == ((0, 1, 2, 3, 4),)
    assert found.warnings == ()
    estimates = relevance(log, found)
    errors = [abs(estimates[pair].value - value) for pair, value in worth.items()]
    assert np.mean(errors) < 0.04
    inside = [estimates[pair].low <= value <= estimates[pair].high for pair, value in worth.items()]
    assert np.mean(inside) > 0.88
    raw = by_document(log)
    assert np.mean(errors) < 0.4 * np.mean([abs(raw[pair].value - value) for pair, value in worth.items()])


@pytest.mark.parametrize("seed", range(4))
def test_em_reaches_a_maximum_of_the_likelihood(seed: int) -> None:
    log = simulate(shuffled(1500, seed), position_reader(LOOKED, truth(seed), seed))
    found = examination(log)
    shown: dict[tuple[str, str, int], list[int]] = {}
    for seen in log:
        for place, doc in enumerate(seen.shown):
            cell = shown.setdefault((seen.query_id, doc, place), [0, 0])
            cell[0] += 1
            cell[1] += place in seen.clicks

    def likelihood(looked: Sequence[float]) -> float:
        """The log-likelihood with each document's relevance the best for it, found on a grid."""
        pairs: dict[tuple[str, str], list[tuple[float, int, int]]] = {}
        for (query, doc, place), (times, clicks) in shown.items():
            pairs.setdefault((query, doc), []).append((looked[place], times, clicks))
        grid = np.linspace(0.0005, 0.9995, 800)
        total = 0.0
        for cells in pairs.values():
            values = np.zeros_like(grid)
            for weight, times, clicks in cells:
                chance = np.clip(weight * grid, 1e-12, 1 - 1e-12)
                values += clicks * np.log(chance) + (times - clicks) * np.log1p(-chance)
            total += float(values.max())
        return total

    best = likelihood(found.values)
    for place in range(1, 5):
        for factor in (0.93, 1.07):
            other = list(found.values)
            other[place] *= factor
            assert likelihood(other) < best + 0.05


@pytest.mark.parametrize("seed", range(5))
def test_moves_are_right_also_where_each_document_was_shown_seldom(seed: int) -> None:
    choose = random.Random(seed)
    worth: dict[tuple[str, str], float] = {}
    lists = []
    for number in range(2500):  # every query twice, once with each neighbour pair swapped
        query, docs = f"q{number}", list("abcd")
        worth |= {(query, doc): choose.uniform(0.05, 0.6) for doc in docs}
        lists += [(query, docs), (query, [docs[1], docs[0], docs[3], docs[2]]), (query, docs[::-1])]
    log = simulate(lists, position_reader(LOOKED, worth, seed))
    found = examination_from_moves(log)
    assert found.values == pytest.approx(LOOKED[:4], abs=0.06)


def test_intervals_of_moves_hold_the_truth() -> None:
    inside = []
    for seed in range(40):
        log = simulate(shuffled(600, seed), position_reader(LOOKED, truth(seed), seed + 100))
        found = examination_from_moves(log, level=0.9)
        inside += [
            low <= true <= high for low, true, high in zip(found.low, LOOKED, found.high, strict=True)
        ][1:]
    assert 0.8 < np.mean(inside) <= 1.0


def test_places_that_nothing_links_have_no_value() -> None:
    fixed = simulate([("q", "abc")] * 200, position_reader(LOOKED, {("q", "a"): 0.5, ("q", "b"): 0.5}, 1))
    for found in (examination(fixed), examination_from_moves(fixed)):
        assert found.values[0] == 1.0
        assert all(math.isnan(value) for value in found.values[1:])
        assert "place 2, 3" in found.warnings[0]
        assert set(relevance(fixed, found)) == {("q", "a")}
    linked = [Impression("q", ("a", "b", "c"), (0,)), Impression("q", ("b", "a", "c"), (1, 2))]
    assert examination(linked).groups == ((0, 1), (2,))
    apart = [Impression("q", ("a", "b", "c", "d"), (0,)), Impression("p", ("x", "y", "c", "d"), (2, 3))]
    swapped = Impression("p", ("x", "y", "d", "c"), (2,))
    assert examination([*apart, swapped]).groups == ((0,), (1,), (2, 3))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_dependent_click_model_is_found(seed: int) -> None:
    attraction, going_on = truth(seed), (0.8, 0.6, 0.5, 0.3, 0.0)
    log = simulate(shuffled(12_000, seed), cascade_reader(attraction, going_on, seed))
    found = dependent_clicks(log)
    assert found.going_on[:4] == pytest.approx(going_on[:4], abs=0.06)
    assert math.isnan(found.going_on[4])
    assert found.satisfaction[0] == pytest.approx(1 - found.going_on[0])
    errors = [abs(found.attraction[pair] - value) for pair, value in attraction.items()]
    assert np.mean(errors) < 0.04


def test_the_cascade_is_the_case_of_one_click() -> None:
    attraction = {("q", doc): chance for doc, chance in zip("abc", (0.2, 0.5, 0.4), strict=True)}
    log = simulate([("q", "abc")] * 6000, cascade_reader(attraction, (0.0, 0.0, 0.0), 1))
    found = dependent_clicks(log)
    assert max(found.going_on[:2]) < 0.03
    assert {pair: round(value, 1) for pair, value in found.attraction.items()} == attraction


def test_the_fit_is_better_than_the_truth_on_its_own_log() -> None:
    attraction, going_on = truth(7), (0.8, 0.6, 0.5, 0.3, 0.0)
    log = simulate(shuffled(300, 7), cascade_reader(attraction, going_on, 7))

    def likelihood(seen: Impression) -> float:
        """The chance of the clicks, by walking down every way to read the list."""
        chance, looking = 1.0, 1.0
        last = max(seen.clicks, default=-1)
        for place, doc in enumerate(seen.shown):
            draw = attraction[seen.query_id, doc]
            if place > last >= 0:
                break
            chance *= draw if place in seen.clicks else 1 - draw
            if place in seen.clicks and place < last:
                chance *= going_on[place]
        if last >= 0:
            rest = math.prod(1 - attraction[seen.query_id, doc] for doc in seen.shown[last + 1 :])
            looking = going_on[last] * rest + 1 - going_on[last]
        return math.log(chance * looking)

    true = np.mean([likelihood(seen) for seen in log])
    assert true < dependent_clicks(log).log_likelihood < true + 1.0


def test_without_a_click_nothing_is_estimated() -> None:
    silent = [Impression("q", ("a", "b"))]
    for estimate in (examination, examination_from_moves, dependent_clicks):
        with pytest.raises(InvalidEvaluation, match="no click"):
            estimate(silent)


def test_rates_by_place_and_document() -> None:
    log = [
        Impression("q", ("a", "b"), (1,)),
        Impression("q", ("a",), (0,)),
        Impression("p", ("a", "b"), (0, 1)),
    ]
    assert [(rate.shown, rate.clicks, rate.value) for rate in by_place(log)] == [(3, 2, 2 / 3), (2, 2, 1.0)]
    found = by_document(log)
    assert list(found) == [("q", "a"), ("p", "a"), ("p", "b"), ("q", "b")]
    assert (found["q", "a"].shown, found["q", "a"].clicks) == (2, 1)


@given(clicks=st.integers(0, 40), more=st.integers(0, 40), level=st.sampled_from([0.8, 0.95, 0.99]))
@settings(max_examples=60)
def test_the_interval_is_wilsons_where_every_weight_is_one(clicks: int, more: int, level: float) -> None:
    shown = clicks + more
    if shown:
        wilson = binomtest(clicks, shown).proportion_ci(level, "wilson")
        assert rate_interval(clicks, shown, shown, level) == pytest.approx(
            (wilson.low, wilson.high), abs=1e-9
        )
    else:
        assert rate_interval(0, 0, 0, level) == (0.0, 1.0)


@given(wins=st.integers(0, 60), losses=st.integers(0, 60))
@settings(max_examples=60)
def test_the_sign_test_is_the_exact_binomial_one(wins: int, losses: int) -> None:
    expected = binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    assert sign_p_value(wins, losses) == pytest.approx(expected)
