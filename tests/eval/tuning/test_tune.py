from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from eval.errors import InvalidEvaluation
from eval.tuning import Gate, Parameter, Stage, Tuning, decisions, held_out, trials_table, tune
from eval.tuning.folds import collection_folds, query_folds
from eval.tuning.stages import Values
from eval.tuning.trial import TrialBook

ALPHA = Stage("meaning", (Parameter("alpha", tuple(n / 20 for n in range(21))),), {"alpha": 0.0})
WEIGHT = Stage("title", (Parameter("weight", (0.0, 0.5, 1.0, 2.0)),), {"weight": 0.0})
DEPTH = Stage("depth", (Parameter("depth", (50, 100, 200)),), aim="thrift")
QUICK = Gate(rounds=1000)
Known = Callable[..., Any]
Noise = Callable[[int], Callable[[Values, int], float]]


def hill(alpha: object, top: float) -> float:
    return 0.6 - 0.4 * abs(float(alpha) - top)  # type: ignore[arg-type]


def text(tuning: Tuning) -> str:
    return "\n".join([*decisions(tuning), *held_out(tuning)])


def test_a_known_optimum_is_found_and_kept(known: Known, noise: Noise) -> None:
    shake = noise(1)
    trials = known(lambda v, q, _: hill(v["alpha"], 0.25) + 0.1 * shake({}, q), {"alpha": 0.55}, a=60)
    tuning = tune(trials, [ALPHA], gate=QUICK)
    assert tuning.changes == {"alpha": 0.25}
    assert all(pick == {"alpha": 0.25} for pick in tuning.stages[0].by_fold)
    assert tuning.held_out.difference == pytest.approx(0.4 * 0.3)
    assert tuning.stages[0].intervals["alpha"] == (0.25, 0.25)
    assert "changed from alpha 0.55 to alpha 0.25" in text(tuning)


def test_stages_build_on_what_passed_before(known: Known) -> None:
    def worth(values: Values, query: int, collection: str) -> float:
        # The best weight depends on alpha: only with the right alpha does weight 2 pay.
        good = abs(float(values["alpha"]) - 0.2) < 0.01
        return hill(values["alpha"], 0.2) + (
            0.05 * float(values["weight"]) if good else -0.05 * float(values["weight"])
        )

    tuning = tune(known(worth, {"alpha": 0.55, "weight": 0.5}, a=30), [ALPHA, WEIGHT], gate=QUICK)
    assert tuning.changes == {"alpha": 0.2, "weight": 2.0}


def test_pure_noise_leaves_the_values_in_use_at_the_nominal_rate(known: Known, noise: Noise) -> None:
    changed = 0
    for seed in range(120):
        shake = noise(seed)
        trials = known(
            lambda v, q, _, shake=shake: 0.5 + 0.1 * shake(v, q), {"alpha": 0.55, "weight": 0.5}, a=40
        )
        changed += bool(tune(trials, [ALPHA, WEIGHT], gate=Gate(rounds=100)).changes)
    assert changed <= 9  # 5% of 120 is 6; at exactly that rate more than 9 come in 1 of 12 such tests


def test_a_real_gain_among_noise_mostly_passes(known: Known, noise: Noise) -> None:
    passed = 0
    for seed in range(30):
        shake = noise(seed)
        trials = known(
            lambda v, q, _, shake=shake: hill(v["alpha"], 0.2) + 0.15 * shake(v, q), {"alpha": 0.55}, a=150
        )
        passed += bool(tune(trials, [ALPHA], gate=Gate(rounds=200)).changes)
    assert passed >= 29


def test_what_is_reported_was_measured_on_queries_that_did_not_choose(known: Known, noise: Noise) -> None:
    """With noise alone, the best of twenty on its own queries looks better than it is; held out it must not."""
    flattered, honest = [], []
    for seed in range(60):
        shake = noise(seed)
        trials = known(lambda v, q, _, shake=shake: 0.5 + 0.2 * shake(v, q), {"alpha": 0.55}, a=30)
        tuning = tune(trials, [ALPHA], gate=Gate(rounds=100))
        verdict = tuning.stages[0].verdict
        if verdict is not None:
            flattered.append(max(mean for _, mean in tuning.trials) - 0.5)
            honest.append(verdict.in_use.mean - 0.5)
    spread = np.std(honest) / np.sqrt(len(honest))
    assert np.mean(flattered) > 6 * spread
    assert abs(np.mean(honest)) < 3 * spread


def test_held_out_figures_follow_from_the_folds_own_values(known: Known, noise: Noise) -> None:
    shake = noise(5)
    trials = known(lambda v, q, _: hill(v["alpha"], 0.3) + 0.3 * shake(v, q), {"alpha": 0.55}, a=50, b=20)
    tuning = tune(trials, [ALPHA], gate=QUICK, seed=3)
    numbers = query_folds(trials.queries, 5, 3)
    outcome = tuning.stages[0]
    values = np.array([trials.values(outcome.by_fold[fold])[at] for at, fold in enumerate(numbers)])
    assert outcome.verdict is not None
    plain = (values[:50].mean() + values[50:].mean()) / 2
    assert outcome.verdict.in_use.mean == pytest.approx(plain)
    for part, rows in zip(outcome.verdict.collections, (slice(0, 50), slice(50, 70)), strict=True):
        assert part.mean == pytest.approx(values[rows].mean())


def test_each_fold_searches_without_its_own_queries(known: Known) -> None:
    """Leaving one of three collections out, its own taste does not reach the values that it is judged with."""
    tops = {"a": 0.2, "b": 0.2, "c": 0.9}
    trials = known(lambda v, _, c: hill(v["alpha"], tops[c]), {"alpha": 0.55}, a=10, b=10, c=10)
    tuning = tune(trials, [ALPHA], folds=collection_folds(trials.queries), gate=QUICK)
    assert tuning.stages[0].by_fold[2] == {"alpha": 0.2}


def test_a_gain_that_harms_one_collection_does_not_pass(known: Known) -> None:
    tops = {"a": 0.2, "b": 0.2, "c": 0.6}
    trials = known(lambda v, _, c: hill(v["alpha"], tops[c]), {"alpha": 0.55}, a=30, b=30, c=30)
    tuning = tune(trials, [ALPHA], gate=QUICK)
    assert tuning.changes == {}
    assert tuning.stages[0].kept == {"alpha": 0.55}
    assert "it harms c: " in text(tuning)
    assert "Nothing is changed." in text(tuning)


def test_a_stage_that_is_better_left_out_is_switched_off(known: Known) -> None:
    trials = known(lambda v, _, __: 0.5 - 0.1 * float(v["weight"]), {"weight": 0.5}, a=20)
    assert tune(trials, [WEIGHT], gate=QUICK).changes == {"weight": 0.0}


def test_thrift_needs_no_gain_but_proof_that_it_costs_little(known: Known, noise: Noise) -> None:
    shake = noise(2)

    def worth(loss: float) -> Callable[[Values, int, str], float]:
        return lambda v, q, _: 0.5 + loss * shake(v, q) * (v["depth"] != 200)

    cheap = tune(known(worth(0.0), {"depth": 200}, a=40), [DEPTH], gate=QUICK)
    assert cheap.changes == {"depth": 50}
    assert (
        cheap.stages[0].intervals == {}
    )  # all depths are worth the same: an interval of the best says nothing
    unsure = tune(known(worth(0.2), {"depth": 200}, a=40), [DEPTH], gate=Gate(margin=0.02, rounds=1000))
    assert unsure.changes == {}


def test_the_same_twice_and_every_setting_once(known: Known, noise: Noise) -> None:
    shake = noise(7)

    def once() -> tuple[str, list[Values]]:
        trials = known(lambda v, q, _: 0.3 * shake(v, q), {"alpha": 0.55, "weight": 0.5}, a=30)
        return json.dumps(tune(trials, [ALPHA, WEIGHT], gate=QUICK).to_json()), trials.asked

    (first, asked), (second, _) = once(), once()
    assert first == second
    keys = [tuple(sorted(setting.items())) for setting in asked]
    assert len(keys) == len(set(keys))


def test_the_table_has_every_trial(known: Known) -> None:
    trials = known(lambda v, _, __: hill(v["alpha"], 0.2), {"alpha": 0.55}, a=10)
    tuning = tune(trials, [ALPHA], gate=QUICK, most_trials=7)
    assert len(tuning.trials) == len(trials.asked)
    assert len(list(trials_table(tuning))) == len(trials.asked) + 2


def test_collections_weigh_the_same_whatever_their_size(known: Known) -> None:
    trials = known(lambda _, __, c: 1.0 if c == "small" else 0.0, {"alpha": 0.5}, small=3, large=97)
    book = TrialBook(trials)
    assert book.mean({"alpha": 0.5}) == pytest.approx(0.5)
    only_large = np.array([query.collection == "large" for query in trials.queries])
    assert book.mean({"alpha": 0.5}, only_large) == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"folds": np.zeros(10, dtype=int)}, "two different"),
        ({"folds": np.arange(3)}, "each query"),
        ({"folds": 20}, "too few"),
        ({"most_trials": 1}, "at least 2 trials"),
    ],
)
def test_what_cannot_be_tuned_is_refused(known: Known, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidEvaluation, match=message):
        tune(known(lambda *_: 0.5, {"alpha": 0.5}, a=10), [ALPHA], **arguments)


def test_no_queries_no_stages_no_numbers(known: Known) -> None:
    with pytest.raises(InvalidEvaluation, match="no judged query"):
        tune(known(lambda *_: 0.5, {"alpha": 0.5}), [ALPHA])
    with pytest.raises(InvalidEvaluation, match="no stage"):
        tune(known(lambda *_: 0.5, {"alpha": 0.5}, a=10), [])
    with pytest.raises(InvalidEvaluation, match="finite"):
        tune(known(lambda *_: float("nan"), {"alpha": 0.5}, a=10), [ALPHA])


@pytest.mark.parametrize(
    "values", [{"margin": -0.1}, {"margin": float("nan")}, {"level": 0.5}, {"level": 0.0}, {"rounds": 9}]
)
def test_a_gate_out_of_range_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidEvaluation):
        Gate(**values)
