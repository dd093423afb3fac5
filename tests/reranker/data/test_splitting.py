"""Splits: nothing is lost, and what belongs together stays on one side."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reranker.data.example import Example
from reranker.data.judged import JudgedDocument, JudgedQuery
from reranker.data.splitting import split_queries
from reranker.data.wording import near_same
from reranker.errors import TrainingDataError
from reranker.pairs import PassageText

asked = st.lists(
    st.sampled_from("alpha beta gamma delta epsilon zeta eta theta".split()), min_size=1, max_size=4
)
answers = st.lists(st.integers(0, 30), min_size=1, max_size=2)


def judged(queries: list[tuple[list[str], list[int]]]) -> list[JudgedQuery]:
    return [
        JudgedQuery(f"q{n}", " ".join(text), tuple(JudgedDocument(f"d{d}", 1.0) for d in documents))
        for n, (text, documents) in enumerate(queries)
    ]


@settings(max_examples=80)
@given(st.lists(st.tuples(asked, answers), min_size=3, max_size=25), st.floats(0.05, 0.6), st.integers(0, 3))
def test_groups_stay_together(queries: list, share: float, seed: int) -> None:
    items = judged(queries)
    try:
        parts = split_queries(items, share, seed=seed)
    except TrainingDataError:
        alike = list(near_same([item.query for item in items]))
        assert len(alike) >= len(items) // 2  # some group holds more than half
        return
    assert sorted(parts.train + parts.dev, key=items.index) == items
    assert list(parts.train) == [item for item in items if item in parts.train]
    assert 0 < len(parts.dev) <= len(items) / 2
    assert split_queries(items, share, seed=seed) == parts
    for one in parts.dev:
        for other in parts.train:
            assert not list(near_same([one.query, other.query]))
            if parts.documents_apart:
                assert not {d.doc_id for d in one.positives} & {d.doc_id for d in other.positives}


def test_sizes_and_seeds() -> None:
    chance = random.Random(0)
    items = judged([([f"w{n}", f"v{chance.random()}"], [n]) for n in range(1000)])
    parts = split_queries(items, 0.1)
    assert parts.documents_apart
    assert len(parts.dev) == 100
    assert split_queries(items, 0.1, seed=1).dev != parts.dev
    assert len(split_queries(items, 0.5, most=40).dev) == 40


def test_where_documents_tie_all_together_only_queries_are_kept_apart() -> None:
    items = judged([([f"w{n}"], [n, n + 1]) for n in range(40)])
    parts = split_queries(items, 0.25)
    assert not parts.documents_apart
    assert len(parts.dev) == 10


def test_examples_are_told_apart_by_their_texts() -> None:
    items = [
        Example(f"q{n}", f"query w{n}", (PassageText(f"text {n // 2}"), PassageText("all")), (1.0, 0.0))
        for n in range(40)
    ]
    parts = split_queries(items, 0.2)
    assert parts.documents_apart
    assert {int(e.query_id[1:]) // 2 for e in parts.dev}.isdisjoint(
        int(e.query_id[1:]) // 2 for e in parts.train
    )


def test_refuses() -> None:
    with pytest.raises(TrainingDataError, match="share"):
        split_queries(judged([(["a"], [1])]), 1.0)
    with pytest.raises(TrainingDataError, match="dev queries of their own"):
        split_queries(judged([(["a"], [1]), (["A"], [2]), (["a!"], [3])]), 0.3)
