"""Near-same texts agree with comparing every pair; normal forms ignore what they should."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reranker.data.wording import near_same, normal, text_hash, words

sentences = st.lists(st.sampled_from("a b c d e f g".split()), max_size=8).map(" ".join)


@settings(max_examples=150)
@given(st.lists(sentences, max_size=12), st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_near_same_is_every_pair_alike(texts: list[str], likeness: float) -> None:
    sets = [set(words(text)) for text in texts]
    plain = {
        (one, other)
        for one, other in combinations(range(len(texts)), 2)
        if sets[one] | sets[other]
        and len(sets[one] & sets[other]) >= likeness * len(sets[one] | sets[other]) - 1e-9
    }
    found = list(near_same(texts, likeness))
    assert len(found) == len(set(found))
    assert set(found) == plain


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("What is BM25?", "what  is bm25", True),
        ("ｆｕｌｌ width", "full WIDTH!", True),
        ("colour", "color", False),
        ("", "?!", True),
        ("北京 大学。", "北京 大学", True),
    ],
)
def test_normal_forms(one: str, other: str, same: bool) -> None:
    assert (normal(one) == normal(other)) == same
    assert (text_hash(one) == text_hash(other)) == same


def test_chinese_is_compared_by_pairs() -> None:
    assert words("信息检索") == ["信息", "息检", "检索"]
    assert list(near_same(["北京大学在哪里", "北京大学在哪里呢", "上海的天气"])) == [(0, 1)]


@given(st.text())
def test_any_text_has_a_hash(text: str) -> None:
    assert text_hash(text + "\ud800") == text_hash(text + "\ud800")
