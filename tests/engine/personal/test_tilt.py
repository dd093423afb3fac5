"""What interests add to a list, against the definition worked out one pair at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.event import Event
from engine.fusion import Bounds
from engine.interest_term import Scored
from engine.personal.interests import Interests, Stated, interests_of
from engine.personal.settings import PersonalSettings
from engine.personal.tilt import Tilt, shares_of, tilt_of
from engine.personal.together import Neighbours
from engine.personal.weighing import weigh
from indexer.encoding import Vectors
from indexer.protocol import Candidates, Numbers

from .making import history

DIM = 12
COUNT = 40
NOW = datetime(2024, 11, 23, tzinfo=UTC)
NAMES = [f"d{n:02}" for n in range(COUNT)]
BOUNDS = Bounds(lexical=9.0, dense=0.8, unrelated=0.1, document=7.0)


def vectors() -> Vectors:
    made = np.random.default_rng(5).normal(size=(COUNT, DIM)) + 0.6
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    made[COUNT - 1] = 0.0  # one has none
    return made.astype(np.float32)


VECTORS = vectors()


class Reader:
    """As much of an index as interests ask for; number n is document n."""

    def document_centre(self) -> Vectors:
        return VECTORS[:-1].mean(axis=0)

    def document_vectors(self, documents: Numbers) -> Vectors:
        return VECTORS[documents]

    def doc_ids(self, documents: Numbers) -> list[str]:
        return [NAMES[number] for number in documents]

    def find_all(self, doc_ids: Sequence[str]) -> Numbers:
        return np.array([NAMES.index(one) if one in NAMES else -1 for one in doc_ids], dtype=np.int64)

    def dense(self, vector: Vectors, depth: int, selection: object = None) -> Candidates:
        cosines = VECTORS @ vector
        best = [n for n in np.argsort(-cosines, kind="stable") if n != COUNT - 1][:depth]
        numbers = np.array(best, dtype=np.int64)
        return Candidates(numbers, numbers, cosines[numbers])

    def dense_each(self, vectors: Vectors, depth: int, selection: object = None) -> list[Candidates]:
        return [self.dense(vector, depth, selection) for vector in vectors]


def neighbours(names: Sequence[str], seed: int) -> Neighbours:
    """Readers in common, drawn at random."""
    chance = np.random.default_rng(seed)
    rows, columns, values = [], [], []
    for row, name in enumerate(names):
        for column in chance.permutation(COUNT)[:6].tolist():
            if NAMES[column] != name:
                rows.append(row)
                columns.append(column)
                values.append(chance.uniform(0.01, 0.5))
    return Neighbours(
        tuple(names),
        tuple(NAMES),
        np.array(rows, np.int64),
        np.array(columns, np.int64),
        np.array(values, np.float32),
    )


def inclined(
    events: Sequence[Event],
    asked: PersonalSettings,
    seed: int | None = None,
    words: bool = False,
    muted: str = "",
) -> Tilt:
    stated = [Stated("words", 1.0, float("nan"), VECTORS[7])] if words else []
    interests = interests_of(
        weigh(history(events), asked, NOW.timestamp()),
        stated,
        {muted},
        lambda ids: np.array([VECTORS[NAMES.index(one)] for one in ids], np.float32).reshape(len(ids), DIM),
        asked,
    )
    documents = [
        name for name, kind in zip(interests.points.names, interests.points.kinds, strict=True) if kind
    ]
    near = None if seed is None else neighbours(documents, seed)
    return tilt_of(interests, asked, Reader(), near)  # type: ignore[arg-type]


def listed(seed: int, count: int, outside: int) -> Scored:
    chance = np.random.default_rng(seed)
    numbers = chance.permutation(COUNT)[: count + outside]
    scores = np.sort(chance.uniform(-0.2, 1.2, count))[::-1]
    query = chance.normal(size=DIM)
    return Scored(
        documents=numbers,
        doc_ids=[NAMES[number] for number in numbers],
        scores=np.concatenate([scores, chance.uniform(-0.2, 0.6, outside)]),
        listed=count,
        terms=1 + seed % 4,
        vector=(query / np.linalg.norm(query)).astype(np.float32) if seed % 5 else None,
        alpha=0.55,
        bounds=BOUNDS,
    )


def plain_gate(tilt: Tilt, scored: Scored, interest: list[float]) -> float:
    """Work the gate out by its definition."""
    points = tilt.interests.points
    first = scored.scores[0]
    head = interest[: min(10, scored.listed)]
    agree = 5 * max(sum(head) / len(head), 0.0)
    best = 0.0
    for row, name in enumerate(points.names):
        if points.weights[row] <= 0 or first <= 0:
            continue
        like = 0.0
        if scored.vector is not None:
            cosine = float(points.vectors[row].astype(np.float64) @ scored.vector)
            like = (cosine - BOUNDS.unrelated) / (BOUNDS.dense - BOUNDS.unrelated)
        if not points.kinds[row]:
            best = max(best, like)
        elif name in scored.doc_ids[: scored.listed]:
            best = max(best, scored.scores[scored.doc_ids.index(name)] / first)
        else:
            best = max(best, scored.alpha * like / first)
    return min(math.sqrt(min(best, 1.0) * agree) / {1: 1, 2: 1, 3: 8, 4: 27}[scored.terms], 1.4)


def plain(tilt: Tilt, scored: Scored, asked: PersonalSettings) -> list[float]:
    """Work the term out by its definition, one pair at a time."""
    interests: Interests = tilt.interests
    points, centre = interests.points, VECTORS[:-1].astype(np.float64).mean(axis=0)
    heaviest = max(points.weights, default=0.0)

    def near(one: Vectors, two: Vectors) -> float:
        return (
            float((one.astype(np.float64) - centre) @ (two.astype(np.float64) - centre)) if two.any() else 0.0
        )

    interest, off = [], []
    for doc_id in scored.doc_ids:
        vector = VECTORS[NAMES.index(doc_id)]
        each, shared = [], 0.0
        for row, name in enumerate(points.names):
            share = points.weights[row] / heaviest if heaviest else 0.0
            liken = [
                share * near(points.vectors[row], VECTORS[NAMES.index(one)])
                for one in (scored.doc_ids if name == doc_id else [doc_id])
                if one != name
            ]
            praised = points.kinds[row] in ("like", "save")
            each.append(
                max([0.0, *liken]) if name == doc_id and praised else 0.0 if name == doc_id else liken[0]
            )
            if tilt.shared is not None and points.kinds[row]:
                among = tilt.shared.near
                for at, column, value in zip(among.rows, among.columns, among.values, strict=True):
                    if at == row and among.doc_ids[column] == doc_id:
                        shared += share * float(value)
        interest.append(sum(sorted(each)[-3:]) / 3 + asked.together * min(math.sqrt(shared), 1.5))
        against = [
            0.0 if name == doc_id else near(interests.disliked.vectors[row], vector)
            for row, name in enumerate(interests.disliked.names)
        ]
        off.append(max(max(against, default=0.0) - 0.2, 0.0))
    first = scored.scores[0]
    gate = plain_gate(tilt, scored, interest)
    values = []
    for at, score in enumerate(scored.scores):
        nearness = 1.0
        if tilt.shared is not None and tilt.shared.total and asked.together > 0:
            nearness = math.sqrt(max((score + 0.3) / (first + 0.3), 0.0)) if first > -0.3 else 0.0
        value = gate * interest[at] * nearness - asked.dislikes * off[at]
        values.append(tilt.strength * asked.weight * value)
    return values


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from(["read", "read", "like", "dislike"]),
        st.sampled_from([None, 0, 100, 900]),
    ),
    min_size=1,
    max_size=12,
).map(
    lambda rows: [
        Event("u", doc, kind, None if days is None else NOW - timedelta(days=days, hours=3))
        for doc, kind, days in rows
    ]
)


@given(
    events=EVENTS,
    seed=st.integers(0, 500),
    shared=st.booleans(),
    words=st.booleans(),
    outside=st.integers(0, 5),
    asked=st.sampled_from([PersonalSettings(), PersonalSettings(weight=0.7, together=0.3, dislikes=2.0)]),
)
@settings(deadline=None, max_examples=80)
def test_the_term_is_what_its_definition_says(
    events: list[Event], seed: int, shared: bool, words: bool, outside: int, asked: PersonalSettings
) -> None:
    tilt = inclined(events, asked, seed if shared else None, words)
    scored = listed(seed, 4 + seed % 20, outside)
    found = tilt.term(Reader(), scored)  # type: ignore[arg-type]
    if found is None:
        assert not tilt.interests.points.names
        assert not tilt.interests.disliked.names
        return
    np.testing.assert_allclose(found.values, plain(tilt, scored, asked), atol=2e-4)
    past = {*tilt.interests.points.names, *tilt.interests.disliked.names}
    for place, doc_id in enumerate(scored.doc_ids):
        reasons = found.because(place)
        assert len(reasons) <= 4
        for one in reasons:
            assert (one.doc_id or one.title) in past
            assert (one.doc_id == doc_id) == (one.source == "own")
            assert one.source != "own" or one.kind == "like"
            assert (one.source == "declared") == (one.doc_id == "")
            assert one.value < 0 or one.kind != "dislike"


@given(events=EVENTS, seed=st.integers(0, 500), shared=st.booleans())
@settings(deadline=None, max_examples=30)
def test_strength_scales_it(events: list[Event], seed: int, shared: bool) -> None:
    tilt = inclined(events, PersonalSettings(), seed if shared else None)
    scored = listed(seed, 15, 2)
    one, half = (replace(tilt, strength=value).term(Reader(), scored) for value in (1.0, 0.5))  # type: ignore[arg-type]
    if one is not None and half is not None:
        np.testing.assert_allclose(half.values * 2, one.values, atol=1e-12)


@given(events=EVENTS, seed=st.integers(0, 500))
@settings(deadline=None, max_examples=30)
def test_proposals_are_new_and_the_best_of_what_is_near(events: list[Event], seed: int) -> None:
    asked = PersonalSettings(proposals=7)
    tilt = inclined(events, asked, seed)
    assert tilt.proposed is not None
    names = [NAMES[number] for number in tilt.proposed]
    assert len(set(names)) == len(names) <= 7
    assert not set(names) & tilt.interests.met
    values, _ = tilt.interest(names, VECTORS[tilt.proposed])
    assert values.tolist() == sorted(values, reverse=True)


@given(seed=st.integers(0, 500), kind=st.sampled_from(["like", "save"]))
@settings(deadline=None, max_examples=60)
def test_praise_does_not_lower_what_is_praised(seed: int, kind: str) -> None:
    scored = listed(seed, 20, 0)
    for place in (0, 7, 19):
        tilt = inclined([Event("u", scored.doc_ids[place], kind)], PersonalSettings())
        found = tilt.term(Reader(), scored)  # type: ignore[arg-type]
        if found is None:
            assert not VECTORS[scored.documents[place]].any()  # nothing is known of what it is about
            continue
        assert (found.values[place] >= found.values).all()


def test_what_was_read_is_not_raised_by_that() -> None:
    scored = listed(3, 20, 0)
    found = inclined([Event("u", scored.doc_ids[4], "read")], PersonalSettings()).term(Reader(), scored)  # type: ignore[arg-type]
    assert found is not None
    assert found.values[4] == 0.0


def test_the_mean_is_likeness_to_one_vector() -> None:
    asked = PersonalSettings(interests="mean", weight=2.0)
    events = [Event("u", NAMES[n], kind) for n, kind in ((0, "read"), (1, "like"), (2, "read"))]
    tilt = inclined(events, asked, seed=3)
    scored = listed(3, 20, 0)
    found = tilt.term(Reader(), scored)  # type: ignore[arg-type]
    assert found is not None
    mean = VECTORS[0] + 2 * VECTORS[1] + VECTORS[2]
    mean /= np.linalg.norm(mean)
    np.testing.assert_allclose(found.values, 2.0 * (VECTORS[scored.documents] @ mean), atol=1e-5)


def test_a_past_that_has_nothing_to_do_with_the_list_changes_nothing() -> None:
    tilt = inclined([Event("u", NAMES[3])], PersonalSettings())
    scored = listed(6, 20, 0)
    kept = [at for at, doc_id in enumerate(scored.doc_ids) if doc_id != NAMES[3]]
    away = replace(
        scored,
        documents=scored.documents[kept],
        doc_ids=[scored.doc_ids[at] for at in kept],
        scores=scored.scores[kept],
        listed=len(kept),
        vector=-VECTORS[3],
    )
    found = tilt.term(Reader(), away)  # type: ignore[arg-type]
    assert found is not None
    assert not found.values.any()
    assert all(found.because(place) == () for place in range(len(kept)))


def test_shares_are_beside_the_heaviest() -> None:
    tilt = inclined([Event("u", NAMES[0], "like"), Event("u", NAMES[1], "read")], PersonalSettings())
    assert shares_of(tilt.interests.points).tolist() == pytest.approx([1.0, 0.5])
    off = inclined([Event("u", NAMES[0], "like")], PersonalSettings(), muted=NAMES[0])
    assert shares_of(off.interests.points).tolist() == [0.0]
    assert off.silent
