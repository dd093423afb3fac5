from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.tuning.repeated_choice import FoldChoice, choice_p_value
from indexer.encoder import HashingEncoder
from indexer.encoding import Encoder

QUERIES = 9


def folds_of(seed: int, shift: float, tried: int) -> list[FoldChoice]:
    generator = np.random.default_rng(seed)
    number = np.arange(QUERIES) % 3
    differences = generator.normal(shift, 1.0, size=(QUERIES, tried)).round(1)
    differences[:, 0] = 0.0
    return [
        FoldChoice(number == fold, np.where(number == fold, 0.0, 1.5), differences[:, : tried - fold])
        for fold in range(3)
    ]


def gain(signs: Sequence[float], folds: list[FoldChoice]) -> float:
    """Choose and count the gain, query by query, over its standard error."""
    total = squares = 0.0
    for fold in folds:
        settings_tried = range(fold.differences.shape[1])
        training = [
            sum(signs[q] * fold.training[q] * fold.differences[q, s] for q in range(QUERIES))
            for s in settings_tried
        ]
        chosen = max(settings_tried, key=lambda s: (training[s], -s))
        if training[chosen] > 1e-9:
            squares += sum(fold.differences[q, chosen] ** 2 for q in range(QUERIES) if fold.held_out[q])
            total += sum(signs[q] * fold.differences[q, chosen] for q in range(QUERIES) if fold.held_out[q])
    return total / math.sqrt(squares) if squares else 0.0


def exact(folds: list[FoldChoice]) -> float:
    seen = gain([1.0] * QUERIES, folds)
    level = [
        replace(fold, differences=fold.differences - np.minimum(fold.differences.mean(axis=0), 0.0))
        for fold in folds
    ]
    flips = list(itertools.product((1.0, -1.0), repeat=QUERIES))
    return sum(gain(signs, level) >= seen - 1e-9 for signs in flips) / len(flips)


@settings(deadline=None, max_examples=12)
@given(seed=st.integers(0, 10_000), shift=st.sampled_from([-0.5, 0.0, 0.5]), tried=st.integers(3, 5))
def test_it_agrees_with_all_flips_counted_one_by_one(seed: int, shift: float, tried: int) -> None:
    folds = folds_of(seed, shift, tried)
    assert choice_p_value(folds, np.ones(QUERIES), rounds=20_000) == pytest.approx(exact(folds), abs=0.015)


def test_a_gain_on_every_query_is_as_rare_as_can_be() -> None:
    fold = np.arange(40) % 2
    differences = np.stack([np.zeros(40), np.full(40, 0.1), np.full(40, -5.0)], axis=1)
    folds = [FoldChoice(fold == n, np.where(fold == n, 0.0, 2.0), differences) for n in range(2)]
    assert choice_p_value(folds, np.ones(40), rounds=999) == 1 / 1000


def test_nothing_to_choose_is_no_gain() -> None:
    folds = [
        FoldChoice(np.array([n == 0, n == 1]), np.array([n != 0, n != 1]) * 2.0, np.zeros((2, 1)))
        for n in range(2)
    ]
    assert choice_p_value(folds, np.ones(2), rounds=99) == 1.0


def test_the_encoder_that_remembers_is_an_encoder() -> None:
    from eval.tuning.memoising import MemoisingEncoder

    inner = HashingEncoder(16)
    outer = MemoisingEncoder(inner)
    assert isinstance(outer, Encoder)
    assert outer.encode_passages(["a b", "c"]).tolist() == inner.encode_passages(["a b", "c"]).tolist()
    assert outer.encode_query("a b") is outer.encode_query("a b")
    assert outer.encode_query("a b").tolist() == inner.encode_query("a b").tolist()
    assert outer.token_offsets(["a b"])[0].tolist() == [[0, 1], [2, 3]]
    assert (outer.readable("a"), outer.fingerprint) == (1.0, inner.fingerprint)
