"""Interests of a past: what holds of them whatever it was."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.event import Event
from engine.personal.interests import HEAVIEST, Interests, Stated, interests_of
from engine.personal.settings import PersonalSettings
from engine.personal.weighing import weigh
from indexer.encoder import HashingEncoder
from indexer.encoding import Vectors

from .making import history, said

NOW = datetime(2024, 11, 23, 12, tzinfo=UTC)
DIM = 16
DOCS = [f"d{n:02}" for n in range(20)]
ENCODER = HashingEncoder(DIM)


def vectors_of(doc_ids: Sequence[str]) -> Vectors:
    """Documents of four subjects; d19 has no vector, and x is not in the index."""
    made = np.zeros((len(doc_ids), DIM), dtype=np.float32)
    for row, doc_id in enumerate(doc_ids):
        if doc_id in DOCS[:-1]:
            number = int(doc_id[1:])
            made[row] = np.random.default_rng(number).normal(scale=0.05, size=DIM)
            made[row, number % 4] += 1.0
            made[row] /= np.linalg.norm(made[row])
    return made


def stated(*texts: str) -> list[Stated]:
    return [Stated(text, 1.0, float("nan"), ENCODER.encode_query(text)) for text in texts]


def made_of(
    events: Sequence[Event],
    declared: Sequence[Stated] = (),
    muted: Sequence[str] = (),
    asked: PersonalSettings | None = None,
) -> Interests:
    asked = asked or PersonalSettings()
    weighed = weigh(history(events), asked, NOW.timestamp())
    return interests_of(weighed, declared, frozenset(muted), vectors_of, asked)


EVENTS = st.lists(
    st.tuples(
        st.sampled_from([*DOCS, "x"]),
        st.sampled_from(["read", "click", "like", "save", "dislike", "hide", "print"]),
        st.one_of(st.none(), st.sampled_from([0, 5, 60, 10_000, 400_000])),
    ),
    max_size=40,
).map(
    lambda rows: [
        Event("u", doc, kind, None if ago is None else NOW - timedelta(minutes=ago))
        for doc, kind, ago in rows
    ]
)
ASKED = st.sampled_from(
    [
        PersonalSettings(),
        PersonalSettings(interests="mean"),
        PersonalSettings(most_interests=2, session_share=0.6),
    ]
)
NAMES = st.lists(st.sampled_from([*DOCS[:6], "wing flutter"]), max_size=3)


@given(
    events=EVENTS,
    asked=ASKED,
    muted=NAMES,
    words=st.sampled_from([(), ("wing flutter",), ("jet", "wing flutter")]),
)
@settings(deadline=None, max_examples=80)
def test_what_holds_of_all_interests(
    events: list[Event], asked: PersonalSettings, muted: list[str], words: tuple[str, ...]
) -> None:
    found = made_of(events, stated(*words), muted, asked)
    weights = [one.weight for one in found.likes]
    assert sum(weights) == pytest.approx(1.0 if found.evidence > 0 else 0.0)
    assert weights == sorted(weights, reverse=True)
    assert found.met == {event.doc_id for event in events}
    for one in found.likes:
        assert one.muted == (one.name in muted)
        assert one.weight == 0 if one.muted else one.weight > 0
        assert 0 <= one.session <= one.weight + 1e-9
        if one.declared:
            assert one.documents == ()
            assert one.name in words
        else:
            assert one.name in one.documents  # a medoid is one of its documents, and the reader met it
            assert set(one.documents) <= found.met
    # Every document that counts, has a vector and is in the index belongs to exactly one interest.
    liked = weigh(history(events), asked, NOW.timestamp())
    counting = {doc for doc, weight in zip(liked.doc_ids, liked.weights, strict=True) if weight > 0}
    members = [doc for one in found.likes for doc in one.documents]
    assert sorted(members) == sorted(counting & set(DOCS[:-1]))
    disliked = {doc for doc, weight in zip(liked.doc_ids, liked.weights, strict=True) if weight < 0}
    assert set(found.disliked.names) == disliked & set(DOCS[:-1])
    for number, name in enumerate(found.points.names):
        one = found.likes[found.points.interest[number]]
        assert name in one.documents or (one.declared and name == one.name)
        if one.muted:
            assert found.points.weights[number] == 0


@given(events=EVENTS, asked=ASKED, muted=NAMES, seed=st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_the_order_of_events_does_not_matter(
    events: list[Event], asked: PersonalSettings, muted: list[str], seed: int
) -> None:
    mixed = list(events)
    random.Random(seed).shuffle(mixed)
    assert said(made_of(events, (), muted, asked)) == said(made_of(mixed, (), muted, asked))


def test_subjects_become_interests_named_by_a_document() -> None:
    events = [Event("u", DOCS[n], "read", NOW - timedelta(days=n)) for n in (0, 4, 8, 1, 5, 2)]
    found = made_of(events)
    assert [{int(doc[1:]) % 4 for doc in one.documents} for one in found.likes] == [{0}, {1}, {2}]
    assert found.likes[0].at == NOW.timestamp()


def test_the_mean_is_the_weighted_mean() -> None:
    events = [Event("u", DOCS[0], "like"), Event("u", DOCS[1], "read"), Event("u", DOCS[2], "dislike")]
    found = made_of(events, asked=PersonalSettings(interests="mean"))
    [one] = found.likes
    both = vectors_of(DOCS[:2]).astype(np.float64)
    mean = 2 * both[0] + both[1]
    np.testing.assert_allclose(one.vector, mean / np.linalg.norm(mean), atol=1e-6)
    assert one.name == DOCS[0]
    assert found.disliked.names == (DOCS[2],)


def test_a_muted_interest_stays_muted_while_more_is_read() -> None:
    few = [Event("u", DOCS[n]) for n in (0, 4, 1)]
    first = made_of(few)
    name = next(one.name for one in first.likes if DOCS[0] in one.documents)
    more = [*few, *(Event("u", DOCS[n], "save") for n in (8, 12, 16))]
    found = made_of(more, muted=[name])
    [off] = [one for one in found.likes if one.muted]
    assert off.name == name
    assert {DOCS[0], DOCS[4], DOCS[8]} <= set(off.documents)
    assert sum(one.weight for one in found.likes) == pytest.approx(1.0)


def test_declared_interests_count_without_a_history() -> None:
    found = made_of([], stated("wing flutter", "jet noise"))
    assert [(one.name, one.weight, one.declared) for one in found.likes] == [
        ("jet noise", 0.5, True),
        ("wing flutter", 0.5, True),
    ]
    assert found.evidence > 0


def test_words_that_the_encoder_cannot_read_are_shown_and_weigh_nothing() -> None:
    found = made_of([Event("u", DOCS[0])], [Stated("……", 1.0, 0.0, None)])
    assert [(one.name, one.weight) for one in found.likes] == [(DOCS[0], 1.0), ("……", 0.0)]
    assert len(found.points.names) == 1


def test_the_session_weighs_more_while_it_lasts() -> None:
    old = [Event("u", DOCS[n], "read", NOW - timedelta(days=30)) for n in (0, 4, 8, 12)]
    found = made_of([*old, Event("u", DOCS[1], "read", NOW - timedelta(minutes=5))])
    now = next(one for one in found.likes if DOCS[1] in one.documents)
    assert now.session == pytest.approx(PersonalSettings().session_share)
    without = made_of([*old, Event("u", DOCS[1], "read", NOW - timedelta(days=30))])
    later = next(one for one in without.likes if DOCS[1] in one.documents)
    assert later.session == 0
    assert now.weight > later.weight


def test_of_a_long_history_the_heaviest_count() -> None:
    rng = np.random.default_rng(1)
    base = rng.normal(size=(400, DIM)).astype(np.float32)
    base /= np.linalg.norm(base, axis=1, keepdims=True)
    events = [Event("u", f"n{n:03}", "read", NOW - timedelta(days=n)) for n in range(400)]
    asked = PersonalSettings()
    found = interests_of(
        weigh(history(events), asked, NOW.timestamp()),
        (),
        frozenset(),
        lambda ids: base[[int(one[1:]) for one in ids]],
        asked,
    )
    assert found.points.names == tuple(f"n{n:03}" for n in range(HEAVIEST))
    assert len(found.met) == 400
    assert len(found.likes) <= asked.most_interests
