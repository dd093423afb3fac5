"""Rates: the one number agrees with a plain bucket that counts its tokens, whatever is asked when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.service.access.rates import Rates


@dataclass
class PlainBucket:
    """A bucket of tokens as one would describe it: filled up as time passes, in exact numbers."""

    size: Fraction
    a_second: Fraction
    tokens: Fraction
    at: Fraction

    def take(self, now: Fraction) -> Fraction:
        """Take a token; the seconds to wait for one if there is none."""
        self.tokens = min(self.size, self.tokens + (now - self.at) * self.a_second)
        self.at = now
        if self.tokens >= 1:
            self.tokens -= 1
            return Fraction(0)
        return (1 - self.tokens) / self.a_second


@settings(max_examples=200)
@given(
    burst=st.integers(1, 40),
    per_minute=st.integers(1, 6000),
    workers=st.integers(1, 8),
    pauses=st.lists(st.integers(0, 4000), max_size=120),
    up=st.integers(0, 10**8),
)
@example(burst=1, per_minute=1, workers=1, pauses=[0, 60_000, 59_999, 1], up=10**8)
@example(burst=60, per_minute=600, workers=4, pauses=[0] * 30 + [400, 399, 1] * 5, up=0)
def test_it_is_a_bucket(burst: int, per_minute: int, workers: int, pauses: list[int], up: int) -> None:
    now = [0.0]
    rates = Rates(burst, workers, clock=lambda: now[0])
    size = max(Fraction(1), Fraction(min(burst, per_minute), workers))
    moment = Fraction(up)
    plain = PlainBucket(size, Fraction(per_minute, 60 * workers), size, moment)
    for pause in pauses:
        moment += Fraction(pause, 1000)
        now[0] = float(moment)
        saved = (plain.tokens, plain.at)
        expected, found = plain.take(moment), rates.take("ann", per_minute)
        assert found == pytest.approx(float(expected), abs=2e-6)
        assert not (found and not expected), "rounding is to the good of who asks"
        if expected and not found:
            plain.tokens, plain.at = saved
            plain.take(moment + Fraction(2, 10**6))


@given(st.lists(st.floats(0, 5), max_size=300), st.integers(1, 20), st.integers(30, 600))
def test_never_more_than_burst_and_rate_allow(pauses: list[float], burst: int, per_minute: int) -> None:
    now = [0.0]
    rates = Rates(burst, clock=lambda: now[0])
    let: list[float] = []
    for pause in pauses:
        now[0] += pause
        if rates.take("ann", per_minute) == 0:
            let.append(now[0])
    for first in range(len(let)):
        for last in range(first, len(let)):
            assert last - first + 1 <= burst + (let[last] - let[first]) * per_minute / 60 + 1e-6


def test_waiting_as_long_as_told_is_enough(rates_and_clock: tuple[Rates, Callable[[float], None]]) -> None:
    rates, wait = rates_and_clock
    for per_minute in (1, 7, 60, 601, 99_999):
        who = str(per_minute)
        while not (seconds := rates.take(who, per_minute)):
            pass
        wait(seconds * 0.99)
        assert rates.take(who, per_minute) > 0
        wait(rates.take(who, per_minute))
        assert rates.take(who, per_minute) == 0
        assert rates.take(who, per_minute) > 0, "one token, not two"


@pytest.fixture
def rates_and_clock() -> tuple[Rates, Callable[[float], None]]:
    """Rates with a burst of 5, and what lets time pass."""
    now = [1e6]

    def wait(seconds: float) -> None:
        now[0] += seconds

    return Rates(5, clock=lambda: now[0]), wait


def test_being_refused_costs_nothing(rates_and_clock: tuple[Rates, Callable[[float], None]]) -> None:
    rates, wait = rates_and_clock
    for _ in range(5):
        assert rates.take("ann", 60) == 0
    assert {round(rates.take("ann", 60), 6) for _ in range(1000)} == {1.0}
    wait(1.0)
    assert rates.take("ann", 60) == 0


def test_nobody_takes_from_anothers_bucket(rates_and_clock: tuple[Rates, Callable[[float], None]]) -> None:
    rates, _ = rates_and_clock
    while not rates.take("ann", 60):
        pass
    assert rates.take("bob", 60) == 0


def test_workers_together_let_through_what_one_would() -> None:
    now = [0.0]
    for workers in (1, 2, 4):
        each = [Rates(20, workers, clock=lambda: now[0]) for _ in range(workers)]
        now[0] += 1000
        let = sum(rates.take("ann", 60) == 0 for rates in each for _ in range(100))
        assert let == 20
        now[0] += 60
        let = sum(rates.take("ann", 1200) == 0 for rates in each for _ in range(100))
        assert let == 20


def test_memory_is_bounded_and_the_longest_silent_is_forgotten() -> None:
    now = [0.0]
    rates = Rates(2, clock=lambda: now[0], most_known=3)
    for who in "abcabcaxy":
        rates.take(who, 60)
    assert len(rates) == 3
    assert rates.take("a", 60) > 0, "was refused, and is not forgotten for it"
    assert rates.take("b", 60) == 0, "was forgotten"
    lately = Rates(2, clock=lambda: now[0], most_known=2)
    assert [lately.take(who, 60) for who in "abac"] == [0, 0, 0, 0]
    assert lately.take("a", 60) > 0, "has asked after b"
    for number in range(10_000):
        rates.take(str(number), 1)
    assert len(rates) == 3
