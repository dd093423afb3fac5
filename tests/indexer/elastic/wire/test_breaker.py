"""The circuit breaker against a plain model, and from many threads."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.elastic.wire.breaker import COOL_DOWN, FAILURES, LONGEST_COOL_DOWN, SLOW, Breaker
from indexer.errors import IndexUnavailable


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _passes(breaker: Breaker) -> bool:
    try:
        breaker.check()
    except IndexUnavailable:
        return False
    return True


def test_it_opens_after_failures_in_a_row_and_says_when_it_tries_again() -> None:
    time = Time()
    breaker = Breaker("the cluster", clock=time)
    for _ in range(FAILURES - 1):
        breaker.failed("connection refused")
    assert _passes(breaker)
    breaker.failed("connection refused")
    with pytest.raises(
        IndexUnavailable, match=r"the cluster .*connection refused.* next trial is in 2\.0 s"
    ) as told:
        breaker.check()
    assert told.value.retry_after == COOL_DOWN


def test_an_answer_in_between_starts_the_count_again() -> None:
    breaker = Breaker("c", clock=Time())
    for _ in range(3 * FAILURES):
        for _ in range(FAILURES - 1):
            breaker.failed("x")
        breaker.succeeded()
    assert not breaker.is_open


def test_one_trial_at_a_time_and_longer_waits_when_it_fails() -> None:
    time = Time()
    breaker = Breaker("c", clock=time)
    for _ in range(FAILURES):
        breaker.failed("x")
    wait = COOL_DOWN
    for _ in range(8):
        time.now += wait - 0.01
        assert not _passes(breaker)
        time.now += 0.01
        assert _passes(breaker)
        assert not _passes(breaker)
        breaker.failed("x")
        wait = min(2 * wait, LONGEST_COOL_DOWN)
    time.now += wait
    assert _passes(breaker)
    breaker.succeeded()
    assert all(_passes(breaker) for _ in range(10))


def test_a_trial_that_never_reports_is_given_up() -> None:
    time = Time()
    breaker = Breaker("c", clock=time)
    for _ in range(FAILURES):
        breaker.failed("x")
    time.now += COOL_DOWN
    assert _passes(breaker)
    time.now += COOL_DOWN
    assert _passes(breaker)


def test_callers_under_way_when_it_opens_do_not_lengthen_the_wait() -> None:
    time = Time()
    breaker = Breaker("c", clock=time)
    for _ in range(50):
        breaker.failed("x")
    time.now += COOL_DOWN
    assert _passes(breaker)


def test_failures_that_kept_the_caller_waiting_count_more() -> None:
    breaker = Breaker("c", clock=Time())
    needed = -(-FAILURES // SLOW)
    for _ in range(needed - 1):
        breaker.failed("no answer in time", slow=True)
    assert not breaker.is_open
    breaker.failed("no answer in time", slow=True)
    assert breaker.is_open


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(["ok", "fail"]) | st.floats(0.1, 40.0), max_size=60))
def test_it_does_as_a_plain_model_of_it(steps: list[str | float]) -> None:
    time = Time()
    breaker = Breaker("c", clock=time)
    failures, opened, wait = 0, None, COOL_DOWN
    for step in steps:
        if isinstance(step, float):
            time.now += step
            continue
        passes = _passes(breaker)
        assert passes == (opened is None or time.now >= opened + wait)
        if not passes:
            continue
        if step == "ok":
            breaker.succeeded()
            failures, opened, wait = 0, None, COOL_DOWN
        else:
            breaker.failed("x")
            failures += 1
            if opened is not None:
                opened, wait = time.now, min(2 * wait, LONGEST_COOL_DOWN)
            elif failures == FAILURES:
                opened = time.now


def test_of_many_threads_one_makes_the_trial() -> None:
    time = Time()
    breaker = Breaker("c", clock=time)
    for _ in range(FAILURES):
        breaker.failed("x")
    time.now += COOL_DOWN
    start = threading.Barrier(16)
    passed: list[bool] = []

    def call() -> None:
        start.wait()
        passed.append(_passes(breaker))

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(passed) == [False] * 15 + [True]
