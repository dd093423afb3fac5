"""Examples seen again by a model: what it prefers to the right answer goes, what it is taken in by stays."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reranker.data.example import Example
from reranker.data.rescoring import distilled, rescored
from reranker.errors import InvalidTrainingSettings
from reranker.overlap import OverlapScorer
from reranker.pairs import PassageText

passages = st.lists(st.sampled_from(["a b", "a", "c d", "b d", "a b c d", ""]), min_size=1, max_size=8)


@settings(max_examples=150)
@given(st.data(), passages, st.sampled_from([None, 0.0, 0.3]), st.sampled_from([None, 1, 2]))
def test_agrees_with_a_plain_version(
    data: st.DataObject, texts: list[str], margin: float | None, keep: int | None
) -> None:
    size = len(texts)
    grades = data.draw(st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=size, max_size=size))
    held = tuple(PassageText(text) for text in texts)
    prior = tuple(float(at) for at in range(size))
    example = Example("q", "a b c", held, tuple(grades), weights=prior, prior=prior)
    scores = OverlapScorer().score("a b c", held).tolist()
    found = list(rescored([example], OverlapScorer(), margin=margin, keep=keep))
    rights = [at for at in range(size) if grades[at] > 0]
    if not rights:
        assert not found
        return
    best = max(scores[at] for at in rights)
    wrong = [at for at in range(size) if not grades[at] and (margin is None or scores[at] <= best - margin)]
    while keep is not None and len(wrong) > keep:
        wrong.remove(min(wrong, key=lambda at: (scores[at], -at)))
    kept = sorted(rights + wrong)
    if len({grades[at] for at in kept}) < 2:
        assert not found
        return
    (again,) = found
    assert again.prior == again.weights == tuple(float(at) for at in kept)
    assert again.passages == tuple(held[at] for at in kept)
    assert again.grades == tuple(grades[at] for at in kept)


def test_distilled() -> None:
    example = Example("q", "a b", (PassageText("a b"), PassageText("b"), PassageText("c")), (0.0, 1.0, 2.0))
    (again,) = distilled([example], OverlapScorer())
    assert again.grades == (1.0, 0.5, 0.0)
    assert again.passages == example.passages


def test_refuses() -> None:
    with pytest.raises(InvalidTrainingSettings, match="keep"):
        list(rescored([], OverlapScorer(), keep=0))
