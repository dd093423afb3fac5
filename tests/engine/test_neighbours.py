"""Neighbours against a loop."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.neighbours import neighbourhood


def plain_means(scores: list[float], vectors: np.ndarray, nearest: int) -> list[float | None]:
    means: list[float | None] = []
    for one in range(len(scores)):
        likes = [(float(vectors[one] @ vectors[two]), two) for two in range(len(scores)) if two != one]
        chosen = sorted(likes, key=lambda pair: (-pair[0], pair[1]))[:nearest]
        weights = sum(max(like, 0.0) for like, _ in chosen)
        total = sum(max(like, 0.0) * scores[two] for like, two in chosen)
        means.append(total / weights if weights > 1e-9 else None)
    return means


@given(count=st.integers(1, 12), seed=st.integers(0, 10_000), nearest=st.integers(1, 6))
@settings(deadline=None, max_examples=100)
def test_agrees_with_a_loop(count: int, seed: int, nearest: int) -> None:
    rng = np.random.default_rng(seed)
    # Corners of a cube: sums are exact, equals are frequent, some have no vector.
    vectors = rng.choice([-0.5, 0.5], size=(count, 4)).astype(np.float32)
    vectors[rng.random(count) < 0.2] = 0.0
    scores = rng.random(count)
    found = neighbourhood(scores, vectors, nearest)
    for mean, expected in zip(found, plain_means(scores.tolist(), vectors, nearest), strict=True):
        assert np.isnan(mean) if expected is None else abs(mean - expected) < 1e-9


@given(seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=30)
def test_a_mean_lies_between_the_scores(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(9, 5)).astype(np.float32)
    scores = rng.random(9)
    found = neighbourhood(scores, vectors)
    assert np.nanmin(found) >= scores.min() - 1e-9
    assert np.nanmax(found) <= scores.max() + 1e-9


def test_a_document_alone_has_no_neighbours() -> None:
    assert np.isnan(neighbourhood(np.array([1.0]), np.ones((1, 3), dtype=np.float32))).all()
