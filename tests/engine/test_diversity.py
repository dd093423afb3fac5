"""Maximal marginal relevance against its definition."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.diversity import diversify


def plain_mmr(scores: list[float], vectors: np.ndarray, ids: list[str], diversity: float) -> list[int]:
    chosen: list[int] = []
    while len(chosen) < len(scores):
        values = {}
        for i in range(len(scores)):
            if i not in chosen:
                like = max([0.0, *(float(vectors[i] @ vectors[j]) for j in chosen)])
                values[i] = (1 - diversity) * scores[i] - diversity * like
        chosen.append(min(values, key=lambda i: (-round(values[i], 9), ids[i])))
    return chosen


@given(
    count=st.integers(1, 9), seed=st.integers(0, 10_000), diversity=st.sampled_from([0.1, 0.3, 0.5, 0.9, 1.0])
)
@settings(deadline=None, max_examples=80)
def test_agrees_with_the_definition(count: int, seed: int, diversity: float) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = rng.random(count)
    ids = [f"d{i}" for i in rng.permutation(count)]
    order, penalties = diversify(scores, vectors, ids, diversity)
    assert order == plain_mmr(scores.tolist(), vectors, ids, diversity)
    values = [(1 - diversity) * scores[i] + penalty for i, penalty in zip(order, penalties, strict=True)]
    assert all(one >= two - 1e-9 for one, two in pairwise(values))
    assert penalties[0] == 0
    assert all(penalty <= 0 for penalty in penalties)


def test_a_copy_of_the_first_comes_after_something_else() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    order, penalties = diversify(np.array([1.0, 0.99, 0.5]), vectors, ["a", "b", "c"], 0.5)
    assert order == [0, 2, 1]
    assert penalties == pytest.approx([0, 0, -0.5])
