from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.tuning import Parameter
from eval.tuning.lattice import climb, thriftiest
from eval.tuning.stages import Values

ALPHA = Parameter("alpha", tuple(n / 20 for n in range(21)))
WEIGHT = Parameter("weight", (0.0, 0.25, 0.5, 1.0, 2.0, 4.0))
KIND = Parameter("kind", ("max", "mean", "sum"))


@settings(deadline=None, max_examples=200)
@given(peak=st.sampled_from(ALPHA.choices), start=st.sampled_from(ALPHA.choices), left=st.floats(0.1, 9))
def test_the_top_of_any_hill_is_found_in_few_trials(peak: float, start: float, left: float) -> None:
    asked: list[float] = []

    def score(values: Values) -> float:
        alpha = float(values["alpha"])
        asked.append(alpha)
        return -abs(alpha - peak) * (left if alpha < peak else 1.0)

    assert climb({"alpha": start}, [ALPHA], score, 30).best == {"alpha": peak}
    assert len(asked) == len(set(asked)) <= 16


@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_the_best_of_the_whole_grid_is_found_where_parameters_do_not_touch_each_other(
    data: st.DataObject,
) -> None:
    peaks = {p.name: data.draw(st.integers(0, len(p.choices) - 1)) for p in (ALPHA, WEIGHT, KIND)}

    def score(values: Values) -> float:
        return -sum(abs(p.choices.index(values[p.name]) - peaks[p.name]) for p in (ALPHA, WEIGHT, KIND))

    grid = [
        dict(zip(("alpha", "weight", "kind"), choice, strict=True))
        for choice in itertools.product(ALPHA.choices, WEIGHT.choices, KIND.choices)
    ]
    start = data.draw(st.sampled_from(grid))
    assert climb(start, [ALPHA, WEIGHT, KIND], score, 100).best == max(grid, key=score)


@settings(deadline=None, max_examples=100)
@given(trials=st.integers(1, 40), seed=st.integers(0, 1000))
def test_no_more_trials_than_allowed_and_never_worse_than_the_start(trials: int, seed: int) -> None:
    known: dict[tuple[object, ...], float] = {}

    def score(values: Values) -> float:
        key = tuple(sorted(values.items()))
        assert key not in known
        known[key] = hash((seed, key)) % 97
        return known[key]

    start = {"alpha": 0.55, "weight": 0.5}
    found = climb(start, [ALPHA, WEIGHT], score, trials)
    assert len(known) == len(found.tried) <= trials
    assert found.tried[0] == start
    assert known[tuple(sorted(found.best.items()))] == max(known.values())


def test_what_is_no_better_does_not_replace_what_is_there() -> None:
    assert climb({"alpha": 0.35, "kind": "sum"}, [ALPHA, KIND], lambda _: 0.5, 100).best == {
        "alpha": 0.35,
        "kind": "sum",
    }


def test_a_value_in_use_between_the_choices_is_one_of_them() -> None:
    assert ALPHA.including(0.42).choices.index(0.42) == 9
    assert climb({"alpha": 0.42}, [ALPHA], lambda values: -abs(float(values["alpha"]) - 0.42), 30).best == {
        "alpha": 0.42
    }


@pytest.mark.parametrize(("slack", "depth"), [(0.0, 100), (0.02, 50), (-1.0, 200)])
def test_thrift_takes_the_first_choice_that_costs_little(slack: float, depth: int) -> None:
    lost = {50: 0.01, 100: 0.0, 200: 0.0, 400: 0.0}
    found = thriftiest(
        {"depth": 200},
        [Parameter("depth", (50, 100, 200, 400))],
        lambda v: 0.5 - lost[int(v["depth"])],
        slack,
        10,
    )
    assert found.best == {"depth": depth}
