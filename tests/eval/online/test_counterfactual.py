"""Counterfactual estimates against what simulated readers would really have done."""

from __future__ import annotations

import itertools
import math
import random
from statistics import mean

import numpy as np
import pytest

from eval.errors import InvalidEvaluation
from eval.online import Estimate, Impression, clipping, places_estimate, rankings_estimate
from eval.run import Run, in_given_order

DOCS = "abcd"
ORDERS = list(itertools.permutations(DOCS, 3))
WORTH = {"a": 0.8, "b": 0.5, "c": 0.3, "d": 0.1}
LOOKED = (1.0, 0.6, 0.3)


def chances(steepness: float) -> dict[tuple[str, ...], float]:
    """A policy: Plackett-Luce over four documents, as the chance of each list of three."""
    strength = {doc: math.exp(steepness * (3 - at)) for at, doc in enumerate(DOCS)}
    policy = {}
    for order in ORDERS:
        chance, left = 1.0, dict(strength)
        for doc in order:
            chance *= left.pop(doc) / (strength[doc] + sum(left.values()))
        policy[order] = chance
    return policy


def at_places(policy: dict[tuple[str, ...], float], order: tuple[str, ...]) -> tuple[float, ...]:
    return tuple(
        sum(chance for other, chance in policy.items() if other[place] == doc)
        for place, doc in enumerate(order)
    )


def value(policy: dict[tuple[str, ...], float]) -> float:
    return sum(
        chance * sum(LOOKED[place] * WORTH[doc] for place, doc in enumerate(order))
        for order, chance in policy.items()
    )


def logged(
    count: int, seed: int, log: dict[tuple[str, ...], float], target: dict[tuple[str, ...], float]
) -> list[Impression]:
    choose = random.Random(seed)
    marginal = {order: (at_places(log, order), at_places(target, order)) for order in ORDERS}
    seen = []
    for order in choose.choices(ORDERS, weights=[log[order] for order in ORDERS], k=count):
        clicks = tuple(p for p, doc in enumerate(order) if choose.random() < LOOKED[p] * WORTH[doc])
        seen.append(
            Impression(
                "q", order, clicks, propensity=log[order], target=target[order],
                propensities=marginal[order][0], targets=marginal[order][1],
            )
        )  # fmt: skip
    return seen


def one_run(order: str = "abcd") -> Run:
    return Run("best", {"q": in_given_order((doc, 1.0 / at) for at, doc in enumerate(order, 1))})


LOG, TARGET = chances(0.2), chances(0.8)


@pytest.mark.parametrize("estimate", [rankings_estimate, places_estimate])
def test_the_truth_is_found_and_the_intervals_hold_it(estimate: object) -> None:
    truth, baseline = value(TARGET), value(LOG)
    found: list[Estimate] = [estimate(logged(400, seed, LOG, TARGET)) for seed in range(150)]  # type: ignore[operator]
    assert mean(f.ips for f in found) == pytest.approx(truth, abs=0.02)
    assert mean(f.snips for f in found) == pytest.approx(truth, abs=0.02)
    assert mean(f.logged for f in found) == pytest.approx(baseline, abs=0.01)
    assert mean(f.gain for f in found) == pytest.approx(truth - baseline, abs=0.02)
    for holds in (
        [f.ips_interval[0] <= truth <= f.ips_interval[1] for f in found],
        [f.snips_interval[0] <= truth <= f.snips_interval[1] for f in found],
        [f.gain_interval[0] <= truth - baseline <= f.gain_interval[1] for f in found],
        [f.mean_weight_interval[0] <= 1 <= f.mean_weight_interval[1] for f in found],
    ):
        assert 0.88 <= mean(holds) <= 1.0


def test_a_run_is_judged_from_a_log_of_chance() -> None:
    even = {order: 1 / len(ORDERS) for order in ORDERS}
    truth = sum(LOOKED[place] * WORTH[doc] for place, doc in enumerate("abc"))
    log = logged(6000, 3, even, even)
    by_list, by_place = rankings_estimate(log, one_run()), places_estimate(log, one_run())
    for found in (by_list, by_place):
        assert found.ips_interval[0] < truth < found.ips_interval[1]
        assert found.snips_interval[0] < truth < found.snips_interval[1]
        assert found.warnings == ()
    assert by_place.effective == pytest.approx(6000 / 4, rel=0.1)
    assert by_list.effective == pytest.approx(6000 / 24, rel=0.2)
    widths = [high - low for low, high in (by_list.snips_interval, by_place.snips_interval)]
    assert widths[1] < widths[0]


def test_snips_and_ips_by_the_definition() -> None:
    log = [
        Impression("q", ("a", "b"), (0,), propensity=0.5, target=0.1, propensities=(0.5, 0.5), targets=(1.0, 0.2)),
        Impression("q", ("b", "a"), (0, 1), propensity=0.25, target=0.5, propensities=(0.5, 0.25), targets=(0.0, 0.5)),
        Impression("q", ("a", "b"), (), propensity=0.5, target=0.1, propensities=(0.5, 0.5), targets=(1.0, 0.2)),
    ]  # fmt: skip
    whole = rankings_estimate(log)
    assert whole.ips == pytest.approx((0.2 * 1 + 2 * 2) / 3)
    assert whole.snips == pytest.approx((0.2 * 1 + 2 * 2) / 2.4)
    assert whole.effective == pytest.approx(2.4**2 / (0.04 + 4 + 0.04))
    assert whole.mean_weight == pytest.approx(0.8)
    places = places_estimate(log)
    assert places.ips == pytest.approx((2 * 1 + 2 * 1) / 3)
    assert places.snips == pytest.approx(2 / 4 + 2 / (0.4 + 2 + 0.4))
    dcg = rankings_estimate(log, reward="dcg")
    assert dcg.ips == pytest.approx((0.2 + 2 * (1 + 1 / math.log2(3))) / 3)
    clipped = rankings_estimate(log, clip=1.0)
    assert (clipped.ips, clipped.clipped) == (pytest.approx((0.2 + 2) / 3), pytest.approx(1 / 3))


def test_the_same_policy_gets_what_it_got() -> None:
    log = logged(300, 5, LOG, LOG)
    for found in (rankings_estimate(log), places_estimate(log)):
        assert found.ips == found.snips == pytest.approx(found.logged)
        assert (found.effective, found.gain) == (pytest.approx(300), pytest.approx(0, abs=1e-12))
        assert found.gain_interval == (pytest.approx(0, abs=1e-9), pytest.approx(0, abs=1e-9))


def test_clipping_is_shown_loosest_first_and_only_lowers_weights() -> None:
    log = logged(500, 2, LOG, TARGET)
    found = clipping(lambda clip: rankings_estimate(log, clip=clip), [1.0, math.inf, 2.0])
    assert [f.clip for f in found] == [math.inf, 2.0, 1.0]
    assert [f.ips for f in found] == sorted((f.ips for f in found), reverse=True)
    assert found[0].clipped == 0 < found[1].clipped < found[2].clipped
    assert found[0].effective < found[2].effective


def test_impressions_of_one_reader_are_one_witness() -> None:
    log = logged(200, 4, LOG, TARGET)
    apart = [seen.__class__(**fields(seen) | {"user_id": f"u{at}"}) for at, seen in enumerate(log)]
    copied = [seen for seen in apart for _ in range(5)]
    once, often = rankings_estimate(apart), rankings_estimate(copied)
    assert (often.records, often.readers) == (1000, 200)
    assert often.snips_interval == pytest.approx(once.snips_interval)
    assert np.isinf(
        rankings_estimate([seen.__class__(**fields(seen) | {"user_id": "u"}) for seen in log]).ips_interval[1]
    )


def fields(seen: Impression) -> dict[str, object]:
    return {name: getattr(seen, name) for name in seen.__dataclass_fields__}


def test_what_should_not_be_believed_says_so() -> None:
    steep = chances(2.5)
    log = logged(2000, 6, steep, chances(-1.0))
    found = rankings_estimate(log)
    assert any("too few" in said for said in found.warnings)
    assert any("heaviest hundredth" in said for said in found.warnings)
    wrong = [
        seen.__class__(**fields(seen) | {"target": (seen.target or 0) / 2})
        for seen in logged(900, 1, LOG, TARGET)
    ]
    assert any("1 was expected" in said and "too low" in said for said in rankings_estimate(wrong).warnings)
    log = [
        Impression("q", ("a", "b"), (0,), propensity=0.5),
        Impression("p", ("b", "a"), (0,), propensity=0.5),
    ]
    run = Run("r", {"q": {"a": 2.0, "b": 1.0}, "p": {"a": 2.0, "b": 1.0}})
    assert rankings_estimate(log, run).unsupported == 0.5
    assert any("50.0% of the queries" in said for said in rankings_estimate(log, run).warnings)
    nothing = rankings_estimate(log, Run("r", {"q": {"x": 1.0}, "p": {"x": 1.0}}))
    assert (nothing.ips, nothing.effective) == (0.0, 0.0)
    assert math.isnan(nothing.snips)


def test_what_is_missing_is_named() -> None:
    bare = [Impression("q", ("a",), line=3)]
    with pytest.raises(InvalidEvaluation, match="line 3: the impression has no propensity:"):
        rankings_estimate(bare)
    with pytest.raises(InvalidEvaluation, match="line 3: the impression has no propensities:"):
        places_estimate(bare)
    known = [Impression("q", ("a",), propensity=0.5, propensities=(0.5,), line=4)]
    with pytest.raises(InvalidEvaluation, match="no target:"):
        rankings_estimate(known)
    with pytest.raises(InvalidEvaluation, match="no targets:"):
        places_estimate(known)
    with pytest.raises(InvalidEvaluation, match="run 'other' has no query 'q'"):
        rankings_estimate(known, Run("other", {}))
    with pytest.raises(InvalidEvaluation, match="no impression"):
        rankings_estimate([])
    with pytest.raises(InvalidEvaluation, match="clip is above 0"):
        rankings_estimate(known, one_run(), clip=0)
