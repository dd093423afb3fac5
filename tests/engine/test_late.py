"""How much each token of a query weighs, and the best passage of each document."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.late import late_interaction, token_weights
from engine.snapshot import Snapshot
from indexer.document import Document
from indexer.index import Index

from .conftest import ENCODER, WORDS
from .late_reader import LateIndex, WordEncoder


@pytest.fixture
def snapshot(make_index: Callable[..., Index]) -> Snapshot:
    documents = [
        Document(f"d{n}", f"turbine w{n}" + " blade" * (n < 3) + " of the" * (n < 9)) for n in range(10)
    ]
    return Snapshot(make_index(*documents).reader())


def idf(frequency: int, total: int = 10) -> float:
    return math.log1p((total - frequency + 0.5) / (frequency + 0.5))


def weights(snapshot: Snapshot, text: str, *pieces: str) -> list[float]:
    spans, at = [], 0
    for piece in pieces:
        at = text.index(piece, at)
        spans.append((at, at + len(piece)))
    return token_weights(text, np.array(spans, dtype=np.int32).reshape(-1, 2), snapshot).tolist()


def test_a_token_weighs_what_its_word_does(snapshot: Snapshot) -> None:
    found = weights(snapshot, "Turbines, blade nowhere", "Turb", "ines", "blade", "no", "where")
    assert found == pytest.approx([idf(10), idf(10), idf(3), idf(0), idf(0)], rel=1e-5)


def test_grammar_and_signs_weigh_a_tenth_of_the_least(snapshot: Snapshot) -> None:
    found = weights(snapshot, "the blade of w1 ?", "the", "blade", "of", "w1", "?")
    assert found == pytest.approx([idf(3) / 10, idf(3), idf(3) / 10, idf(1), idf(3) / 10], rel=1e-5)


def test_a_token_of_several_words_weighs_their_mean(snapshot: Snapshot) -> None:
    (found,) = weights(snapshot, "turbine blade", "turbine blade")
    assert found == pytest.approx((idf(10) + idf(3)) / 2, rel=1e-5)


@pytest.mark.parametrize("text", ["of the", "?!", "🚀"])
def test_where_nothing_is_left_all_weigh_the_same(snapshot: Snapshot, text: str) -> None:
    assert weights(snapshot, text, *text.split()) == [1.0] * len(text.split())
    assert weights(snapshot, text) == []


@given(text=st.text(alphabet="turbine blade of机器.-'U", max_size=40), cut=st.integers(1, 6))
@settings(deadline=None, max_examples=60)
def test_agrees_with_looking_at_every_word(index: Index, text: str, cut: int) -> None:
    snapshot = Snapshot(index.reader())
    spans = [(at, min(at + cut, len(text))) for at in range(0, len(text), cut)]
    found = token_weights(text, np.array(spans, dtype=np.int32).reshape(-1, 2), snapshot)
    expected = []
    for start, end in spans:
        met = [
            idf(snapshot.frequencies([word.term])[word.term], snapshot.reader.passage_count)
            for word in snapshot.reader.analyser.tokens(text)
            if word.start < end and word.end > start and not snapshot.reader.analyser.is_stopword(word.term)
        ]
        expected.append(sum(met) / len(met) if met else math.nan)
    known = [weight for weight in expected if weight == weight]
    least = min(known) / 10 if known else 1.0
    assert found.tolist() == pytest.approx([w if w == w else least for w in expected], rel=1e-5)


def test_the_best_passage_counts(index: Index) -> None:
    snapshot = Snapshot(LateIndex(index).reader())
    reader = snapshot.reader
    tokens = WordEncoder(ENCODER.dim).encode_query_tokens(" ".join(WORDS[:2]))
    passages = [reader.passages_of(number)[:3] for number in range(20)]
    found = late_interaction(snapshot, " ".join(WORDS[:2]), tokens, passages)
    said = token_weights(" ".join(WORDS[:2]), tokens.spans, snapshot)
    for best, numbers in zip(found, passages, strict=True):
        each = [reader.late_scores(tokens.vectors, said, np.array([number]))[0] for number in numbers]
        known = [float(score) for score in each if score == score]
        assert best == pytest.approx(max(known)) if known else math.isnan(best)
    nobody = late_interaction(snapshot, "x", tokens, [np.array([7]), np.array([14, 21])])
    assert np.isnan(nobody).all()
