"""When a request is sent again: what may be, as often as may be, never sooner than the service asked for."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.service.client.errors import Busy, NoAnswer, ServiceProblem, TooMany, problem_from
from engine.service.client.patience import Patience

ERRORS = [
    ServiceProblem(500, "unexpected", ""),
    problem_from(401, {}, None),
    problem_from(403, {}, None),
    problem_from(404, {}, None),
    problem_from(422, {}, None),
    NoAnswer(0, "timed-out", ""),
    NoAnswer(0, "unexpected", ""),
]


@given(
    attempt=st.integers(0, 8),
    after=st.none() | st.integers(0, 100),
    longest=st.floats(0, 60),
    retries=st.integers(0, 6),
    seed=st.integers(0, 1000),
)
def test_waits_are_bounded_and_never_too_short(
    attempt: int, after: int | None, longest: float, retries: int, seed: int
) -> None:
    patience = Patience(retries, longest, chance=random.Random(seed))
    wait = patience.wait(attempt, TooMany(429, "rate-limited", "", retry_after=after), True)
    if attempt >= retries or (after is not None and after > longest):
        assert wait is None
    else:
        assert wait is not None
        assert (after or 0) <= wait <= longest


@pytest.mark.parametrize("problem", [TooMany(429, "", ""), Busy(503, "", ""), NoAnswer(0, "unreachable", "")])
def test_only_what_may_be_sent_twice(problem: ServiceProblem) -> None:
    assert Patience().wait(0, problem, True) is not None
    assert Patience().wait(0, problem, False) is None


@pytest.mark.parametrize("problem", ERRORS)
def test_what_will_not_change_is_not_asked_again(problem: ServiceProblem) -> None:
    assert Patience().wait(0, problem, True) is None


def test_those_refused_together_do_not_come_back_together() -> None:
    waits = [Patience(chance=random.Random(seed)).wait(0, Busy(503, "", ""), True) for seed in range(50)]
    assert len(set(waits)) == 50
