"""What is made of a generation is made once, by one thread, and not too often."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.per_generation import LONG, SHARE, PerGeneration
from indexer.protocol import IndexReader


class Numbered:
    """Stands for a reader of a generation."""

    def __init__(self, generation: int) -> None:
        self.generation = generation


def reader(generation: int) -> IndexReader:
    return Numbered(generation)  # type: ignore[return-value]


def test_one_thread_makes_and_the_others_wait() -> None:
    made: list[int] = []
    started, go_on = threading.Event(), threading.Event()

    def make(of: IndexReader) -> str:
        made.append(of.generation)
        if of.generation == 2:
            started.set()
            assert go_on.wait(30)
        return f"made of {of.generation}"

    kept = PerGeneration(make)
    assert kept.at_hand(reader(1)) == kept.of(reader(1)) == "made of 1"
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(kept.of(reader(2)))) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert started.wait(30)
    assert kept.at_hand(reader(2)) == "made of 1"  # what is there, while the new one is being made
    go_on.set()
    for thread in threads:
        thread.join()
    assert found == ["made of 2"] * 3
    assert kept.at_hand(reader(2)) == "made of 2"
    assert made == [1, 2]
    assert kept.of(reader(1)) == "made of 1"  # a search under way
    assert kept.of(reader(2)) == "made of 2"
    assert made == [1, 2, 1]


class Clock:
    """A clock that only goes on when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@given(took=st.sampled_from([0.0, LONG, 1.5, 10.0]), share=st.floats(0, 50), prepared=st.booleans())
@settings(deadline=None, max_examples=60)
def test_what_takes_long_is_not_made_for_every_generation(took: float, share: float, prepared: bool) -> None:
    clock = Clock()

    def make(of: IndexReader) -> int:
        clock.now += took
        return of.generation

    kept = PerGeneration(make, clock)
    assert kept.renew(reader(1))
    assert not kept.renew(reader(1))
    clock.now += share * took
    often = took <= LONG
    gone = clock.now - 100.0 - took  # as the clock counts it
    if prepared:
        assert kept.renew(reader(2)) is (often or gone >= SHARE * took)
    else:
        assert kept.at_hand(reader(2)) == (2 if often or gone >= 2 * SHARE * took else 1)
    assert kept.of(reader(2)) == 2
    assert kept.at_hand(reader(2)) == 2


def test_what_cannot_be_made_is_tried_again() -> None:
    faults = [OSError("gone"), None]

    def make(of: IndexReader) -> int:
        fault = faults.pop(0)
        if fault is not None:
            raise fault
        return of.generation

    kept = PerGeneration(make)
    with pytest.raises(OSError, match="gone"):
        kept.of(reader(1))
    assert kept.of(reader(1)) == 1
