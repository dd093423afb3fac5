"""Medoids: near the best there is, the same at every run, and each document with the nearest."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.personal.medoids import LEAST_GAIN, medoids


def unit(count: int, dim: int, seed: int) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def worth(vectors: np.ndarray, weights: np.ndarray, chosen: list[int], unrelated: float) -> float:
    """Σ weight · likeness to the nearest medoid, document by document."""
    total = 0.0
    for row, weight in zip(vectors, weights / weights.sum(), strict=True):
        total += weight * max(
            min(max((float(row @ vectors[at]) - unrelated) / (1 - unrelated), 0.0), 1.0) for at in chosen
        )
    return total


cases = given(
    count=st.integers(1, 9),
    most=st.integers(1, 4),
    seed=st.integers(0, 10_000),
    unrelated=st.sampled_from([0.0, 0.3]),
)


@cases
@settings(deadline=None, max_examples=60)
def test_they_are_worth_nearly_as_much_as_the_best_set_of_that_size(
    count: int, most: int, seed: int, unrelated: float
) -> None:
    vectors = unit(count, 4, seed)
    weights = np.random.default_rng(seed + 1).uniform(0.1, 3.0, count)
    rows, belongs = medoids(vectors, weights, most, unrelated)
    assert 1 <= len(rows) <= min(most, count)
    assert len(set(rows.tolist())) == len(rows)
    best = max(
        worth(vectors, weights, list(some), unrelated) for some in combinations(range(count), len(rows))
    )
    assert worth(vectors, weights, rows.tolist(), unrelated) >= (1 - 1 / np.e) * best - 1e-6
    for document in range(count):
        cosines = vectors[rows] @ vectors[document]
        if cosines.max() > unrelated:
            assert cosines[belongs[document]] >= cosines.max() - 1e-5
    assert belongs[rows].tolist() == list(range(len(rows)))
    few = np.ceil(np.sqrt(round(weights.sum() ** 2 / np.square(weights).sum(), 6)))
    assert len(rows) <= few
    if len(rows) < min(most, few):  # one more would not have been worth it
        have = worth(vectors, weights, rows.tolist(), unrelated)
        more = [worth(vectors, weights, [*rows.tolist(), at], unrelated) for at in range(count)]
        assert max(more) - have < LEAST_GAIN + 1e-5


@cases
@settings(deadline=None, max_examples=30)
def test_forced_ones_are_there_and_come_first(count: int, most: int, seed: int, unrelated: float) -> None:
    vectors = unit(count, 4, seed)
    forced = sorted({seed % count, (seed // 7) % count})
    rows, belongs = medoids(vectors, np.ones(count), most, unrelated, forced)
    assert rows[: len(forced)].tolist() == forced
    assert len(rows) <= len(forced) + most
    assert belongs.max() < len(rows)


def test_two_subjects_become_two_interests() -> None:
    near = np.array([[1, 0.1], [1, 0.0], [1, -0.1], [0.1, 1], [0.0, 1]], dtype=np.float32)
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    rows, belongs = medoids(near, np.ones(5), 5)
    assert len(rows) == 2
    assert belongs.tolist() == [0, 0, 0, 1, 1]


def test_equals_are_chosen_in_their_order() -> None:
    same = np.tile(unit(1, 3, 1), (4, 1))
    assert medoids(same, np.ones(4), 3)[0].tolist() == [0]
    assert medoids(np.zeros((0, 3), np.float32), np.zeros(0), 3)[0].tolist() == []
