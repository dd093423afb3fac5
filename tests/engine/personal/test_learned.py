"""Weights learnt from clicks: the terms they rest on, the file they are kept in, and the searches that heed them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Event, PersonalSettings, Query, SearchEngine
from engine.errors import ReaderStoreError
from engine.personal.clicked import read_together, terms_of
from engine.personal.coreading import CoReading
from engine.personal.learned import (
    Learned,
    LearnedWeights,
    as_learned,
    over,
    read_learned,
    write_learned,
)
from engine.personal.learning import learn
from engine.personal.together import neighbours
from indexer.document import Document
from indexer.encoder import HashingEncoder
from indexer.index import Index

WEIGHTS = st.floats(0, 50).map(lambda value: round(value, 3))
TOPICS = ("harbour tide", "orchard apple", "copper mine", "violin string")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[SearchEngine]:
    """Forty documents of four subjects, and readers of each."""
    index = Index.create(tmp_path / "index", encoder=HashingEncoder(64))
    with index.writer() as writer:
        for number in range(40):
            topic = TOPICS[number % 4]
            writer.add(Document(f"d{number:02}", f"A note of {topic} {topic} part{number} word{number % 7}."))
    with SearchEngine(index, HashingEncoder(64)) as made:
        made.record(
            Event(f"r{reader}", f"d{number:02}", "read")
            for reader in range(8)
            for number in range(reader % 4, 24, 4)
            if (number + reader) % 3
        )
        yield made


def test_the_terms_are_those_that_a_search_adds_up(engine: SearchEngine) -> None:
    learn(engine.readers)
    shown = [f"d{number:02}" for number in range(40)]
    for user in ("r0", "r1", "r2"):
        query = Query("note", user_id=user)
        found = {hit.doc_id: hit for hit in engine.search(query, k=40).hits}
        terms = terms_of(engine, query, shown, lambda doc_ids: neighbours(engine.readers, doc_ids))
        settings = engine._readership.settings
        assert terms.places
        assert np.abs(terms.values[:, 2]).max() > 0
        for place, (score, near, together) in zip(terms.places, terms.values.tolist(), strict=True):
            hit = found[shown[place]]
            interest = next(term.value for term in hit.ledger.terms if term.name == "interest")
            assert interest == pytest.approx(
                settings.weight * (near + settings.together * together), abs=1e-5
            )
            assert hit.score - interest == pytest.approx(score, abs=1e-6)
        met = engine.readers.history(user).doc_ids
        assert terms.met == len(set(met) & set(shown))
        assert not {shown[place] for place in terms.places} & set(met)


def test_what_came_after_the_query_does_not_count(engine: SearchEngine) -> None:
    from datetime import UTC, datetime

    then = datetime(2024, 1, 1, tzinfo=UTC)
    engine.record([Event("new", "d00", at=then), Event("new", "d04", at=then + timedelta(days=2))])
    shown = ["d00", "d04", "d08"]

    def places(at: datetime) -> tuple[int, ...]:
        query = Query("note", user_id="new", at=at)
        return terms_of(engine, query, shown, lambda doc_ids: neighbours(engine.readers, doc_ids)).places

    assert places(then) == ()  # nothing is known of them yet
    assert places(then + timedelta(days=1)) == (1, 2)
    assert places(then + timedelta(days=3)) == (2,)


def test_what_is_learnt_in_memory_is_what_the_store_learns(engine: SearchEngine) -> None:
    learn(engine.readers)
    wanted = [f"d{number:02}" for number in range(30)]
    kept = neighbours(engine.readers, wanted).likeness(wanted)
    assert kept.any()
    found = read_together(engine.readers.reads(), CoReading())(wanted)
    assert found.likeness(wanted) == pytest.approx(kept)
    assert read_together([], CoReading())(wanted).likeness(wanted).sum() == 0


@given(score=st.floats(0.001, 50), near=WEIGHTS, together=WEIGHTS, seed=st.integers(0, 99))
@settings(deadline=None, max_examples=100)
def test_weights_become_settings_of_the_same_order(
    score: float, near: float, together: float, seed: int
) -> None:
    learned = as_learned(score, near, together)
    assert learned is not None
    if max(near, together) / score >= 100 or (near > 0 and together / near >= 100) or near == 0:
        assert 0 <= learned.weight <= 100
        assert 0 <= learned.together <= 100
        return
    terms = np.random.default_rng(seed).random((20, 3))
    want = terms @ np.array([score, near, together])
    got = terms[:, 0] + learned.weight * (terms[:, 1] + learned.together * terms[:, 2])
    assert got * score == pytest.approx(want)


def test_clicks_that_follow_no_score_give_no_weights() -> None:
    assert as_learned(0.0, 1.0, 1.0) is None
    only_together = as_learned(1.0, 0.0, 2.0)
    assert only_together is not None
    assert only_together.weight * only_together.together == pytest.approx(2.0)


def test_searches_heed_the_file_as_soon_as_it_is_there(engine: SearchEngine) -> None:
    query = Query("note", user_id="r1")

    def interest() -> float:
        hit = next(hit for hit in engine.search(query, k=40).hits if hit.doc_id == "d25")
        return next(term.value for term in hit.ledger.terms if term.name == "interest")

    before, path = interest(), Path(engine.readers.weights_place)
    assert before != 0
    assert engine.readers.learned() is None
    engine.readers.keep_learned(Learned(15.0, 0.0, {"lists": 3}))
    assert interest() == pytest.approx(2 * before, abs=1e-6)
    assert read_learned(path) == engine.readers.learned() == Learned(15.0, 0.0, {"lists": 3})
    path.unlink()
    assert interest() == before


def test_settings_can_say_that_it_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "default.weights.json"
    write_learned(Learned(1.0, 2.0), path)
    learned = LearnedWeights(path).in_use()
    assert over(PersonalSettings(), learned) == PersonalSettings(weight=1.0, together=2.0)
    assert over(PersonalSettings(learned=False), learned) == PersonalSettings(learned=False)


@pytest.mark.parametrize(
    "content",
    [
        "not json",
        "[]",
        "{}",
        json.dumps({"format": 2, "weight": 1, "together": 1}),
        json.dumps({"format": 1, "weight": -1, "together": 1}),
        json.dumps({"format": 1, "weight": True, "together": 1}),
        json.dumps({"format": 1, "weight": "1", "together": 1}),
    ],
)
def test_a_damaged_file_is_an_error_when_read_and_no_harm_in_a_search(
    content: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "default.weights.json"
    path.write_text(content)
    with pytest.raises(ReaderStoreError, match="delete it, and learn again"):
        read_learned(path)
    assert LearnedWeights(path).in_use() is None
    assert "delete it" in caplog.text
    assert read_learned(tmp_path / "absent.json") is None
