"""Examples: what they refuse, that records lead back to them, that fingerprints change with anything."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reranker.data.example import Example, TrainingData, fingerprint
from reranker.errors import TrainingDataError
from reranker.pairs import PassageText

numbers = st.floats(-1e6, 1e6)
texts = st.text(max_size=20)
passages = st.builds(PassageText, texts, texts, st.lists(texts, max_size=2).map(tuple))


@st.composite
def examples(draw: st.DrawFn) -> Example:
    held = draw(st.lists(passages, min_size=1, max_size=5))
    size = len(held)
    per = st.lists(numbers, min_size=size, max_size=size).map(tuple)
    positive = st.lists(st.floats(0, 1e6), min_size=size, max_size=size).map(tuple)
    return Example(
        draw(texts),
        draw(texts),
        tuple(held),
        draw(per),
        draw(st.none() | positive),
        draw(st.none() | per),
        draw(texts),
    )


@settings(max_examples=60)
@given(examples())
def test_record_leads_back(example: Example) -> None:
    again = Example.from_json(json.loads(json.dumps(example.to_json())))
    assert again == example
    assert fingerprint([again]) == fingerprint([example])


@settings(max_examples=40)
@given(st.lists(examples(), max_size=4), st.lists(examples(), max_size=4))
def test_fingerprint_is_of_content_order_and_part(one: list[Example], other: list[Example]) -> None:
    same = [example.to_json() for example in one] == [example.to_json() for example in other]
    assert (fingerprint(one) == fingerprint(other)) == same
    moved = fingerprint(one, other) == fingerprint([*one, *other], [])
    assert moved == (not other)


def test_whole_and_broken_numbers_are_the_same_grades() -> None:
    example = Example("1", "q", (PassageText("a"), PassageText("b")), (1, 0))
    assert fingerprint([example]) == fingerprint([replace(example, grades=(1.0, 0.0))])


@pytest.mark.parametrize(
    "change",
    [
        {"passages": ()},
        {"grades": (1.0,)},
        {"grades": (1.0, float("nan"))},
        {"weights": (1.0, -0.5)},
        {"weights": (float("inf"), 1.0)},
        {"prior": (0.5,)},
        {"prior": (0.5, float("nan"))},
    ],
)
def test_refuses(change: dict[str, object]) -> None:
    good = Example("q7", "query", (PassageText("a"), PassageText("b")), (1.0, 0.0))
    with pytest.raises(TrainingDataError, match="q7"):
        replace(good, **change)


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"query_id": 1, "query": "q", "passages": 3, "grades": [1]},
        {"query_id": 1, "query": "q", "passages": [{"title": "no text"}], "grades": [1]},
        {"query_id": 1, "query": "q", "passages": ["a"], "grades": ["high"]},
        {"query_id": 1, "query": "q", "passages": [{"text": "a", "headings": "x"}], "grades": [1]},
        {"query_id": 1, "query": "q", "passages": [7], "grades": [1]},
    ],
)
def test_refuses_records(record: dict[str, object]) -> None:
    with pytest.raises(TrainingDataError, match="expected query_id, query, passages"):
        Example.from_json(record)


def test_data_know_their_fingerprint() -> None:
    example = Example("1", "q", (PassageText("a"),), (1.0,))
    assert TrainingData.of([example], []).fingerprint != TrainingData.of([], [example]).fingerprint
