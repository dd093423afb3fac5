"""The greedy choice: against a plain version that tries everything at each step, and against the best of all sets."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.summary.greedy import in_order, objective, select

DIM = 6
MANY = 100


def sentences(
    seed: int, count: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64], NDArray[np.int64]]:
    """Return vectors, target, words and lengths that are the same at every call."""
    chance = np.random.default_rng(seed)
    vectors = chance.normal(size=(count, DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    target = chance.normal(size=DIM).astype(np.float32)
    words = np.where(chance.random(count) < 0.5, 0.0, chance.random(count))
    return vectors, target / np.linalg.norm(target), words, chance.integers(5, 60, count)


def plainly(vectors, target, words, lengths, budget, most, alike):  # type: ignore[no-untyped-def]
    """Take at each step what makes `objective` highest, looking at every set anew."""
    taken: list[int] = []
    while len(taken) < most:
        used = sum(lengths[i] for i in taken) + len(taken)
        free = [
            i
            for i in range(len(vectors))
            if i not in taken
            and used + lengths[i] <= budget
            and all(float(vectors[i] @ vectors[j]) < alike for j in taken)
        ]
        if not free:
            break
        taken.append(max(free, key=lambda i: (round(objective(vectors, target, words, [*taken, i]), 7), -i)))
    return taken


@given(st.integers(0, 10_000), st.integers(0, 12), st.integers(0, 200), st.integers(1, 6))
@settings(deadline=None, max_examples=150)
def test_it_takes_what_a_plain_version_takes(seed: int, count: int, budget: int, most: int) -> None:
    vectors, target, words, lengths = sentences(seed, count)
    steps = select(vectors, target, words, lengths, budget, most)
    assert [step.place for step in steps] == plainly(vectors, target, words, lengths, budget, most, 0.8)
    for number, step in enumerate(steps, start=1):
        taken = [each.place for each in steps[:number]]
        assert step.reached == pytest.approx(objective(vectors, target, words, taken), abs=1e-6)


@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 4))
@settings(deadline=None, max_examples=80)
def test_it_begins_with_the_best_sentence_and_never_beats_the_best_set(
    seed: int, count: int, most: int
) -> None:
    vectors, target, words, lengths = sentences(seed, count)
    steps = select(vectors, target, words, lengths, 10_000, most, alike=9.0)
    sets = [list(found) for size in range(1, most + 1) for found in combinations(range(count), size)]
    values = [objective(vectors, target, words, found) for found in sets]
    assert steps[0].reached == pytest.approx(max(values[:count]), abs=1e-6)
    assert max(step.reached for step in steps) <= max(values) + 1e-6
    if most >= count:  # then both have taken everything
        assert steps[-1].reached == pytest.approx(values[-1], abs=1e-6)


@given(st.integers(0, 10_000), st.integers(0, 12), st.integers(0, 6))
@settings(deadline=None, max_examples=60)
def test_fewer_sentences_are_the_beginning_of_more(seed: int, count: int, most: int) -> None:
    vectors, target, words, lengths = sentences(seed, count)
    more = select(vectors, target, words, lengths, 10_000, most + 1)
    assert select(vectors, target, words, lengths, 10_000, most) == more[:most]


@given(st.integers(0, 10_000), st.integers(0, 12), st.integers(0, 300))
@settings(deadline=None, max_examples=60)
def test_the_budget_holds_and_nothing_more_would_fit(seed: int, count: int, budget: int) -> None:
    vectors, target, words, lengths = sentences(seed, count)
    for steps in (
        select(vectors, target, words, lengths, budget, MANY, alike=9.0),
        in_order(words, lengths, budget, MANY),
    ):
        taken = [step.place for step in steps]
        used = sum(int(lengths[place]) + 1 for place in taken)
        assert used <= budget + 1 or not taken
        assert len(set(taken)) == len(taken)
        assert all(used + lengths[place] > budget for place in range(count) if place not in taken)


def test_what_says_the_same_is_taken_once_and_of_twins_the_first() -> None:
    vectors, target, words, lengths = sentences(1, 4)
    doubled = np.concatenate([vectors, vectors])
    both = np.concatenate([words, words])
    steps = select(doubled, target, both, np.concatenate([lengths, lengths]), 10_000, MANY)
    taken = [step.place for step in steps]
    assert taken
    assert all(place < 4 for place in taken)


def test_the_rest_of_the_target_comes_before_more_of_the_same() -> None:
    vectors = np.array([[1, 0, 0], [0.79, 0, 0.613107], [0, 1, 0]], dtype=np.float32)
    target = np.array([0.8, 0.6, 0.0], dtype=np.float32)
    steps = select(vectors, target, np.zeros(3), np.full(3, 10), 1000, 2)
    assert [step.place for step in steps] == [0, 2]
    assert steps[1].reached == pytest.approx(1.4 / np.sqrt(2), abs=1e-6)


def test_without_vectors_words_come_first_and_then_the_beginning() -> None:
    steps = in_order(np.array([0.0, 0.2, 0.0, 0.5]), np.array([10, 10, 10, 10]), 43, MANY)
    assert [step.place for step in steps] == [3, 1, 0, 2]
    assert steps[1].reached == pytest.approx(0.35)
