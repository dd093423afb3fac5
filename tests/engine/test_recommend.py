"""Recommendations, against a slow plain version of their values, and what they must never hold."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import SearchEngine
from engine.errors import InvalidQuery
from engine.event import Event
from engine.everyone import newest
from engine.personal.learning import learn
from engine.personal.together import neighbours
from engine.personal.worth import TOGETHER
from indexer.document import Document
from indexer.encoder import HashingEncoder
from indexer.filters import Range
from indexer.index import Index

ENCODER = HashingEncoder(32)
WORDS = (
    "whale harbour mast anchor tide keel violin sonata cello fugue oboe chord loam seed graft bulb".split()
)
NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
COUNT = 40


def corpus() -> list[Document]:
    chance = random.Random(3)
    made = []
    for n in range(COUNT):
        topic = WORDS[5 * (n % 3) : 5 * (n % 3) + 5]
        text = " ".join(chance.choices(topic, k=8) + chance.choices(WORDS, k=3))
        metadata = {"year": 1990 + n % 10, "published": date(2020, 1, 1) + timedelta(days=37 * n % 500)}
        made.append(Document(f"d{n:02}", text, f"Title {n}", metadata if n % 8 else {"year": 1990}))
    return made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recommend") / "index"
    index = Index.create(path, encoder=ENCODER)
    with index.writer() as writer:
        for document in corpus():
            writer.add(document)
        writer.commit()
    index.close()
    return path


@pytest.fixture
def engine(made: Path, tmp_path: Path) -> Iterator[SearchEngine]:
    """An engine with readers of its own; the index is shared."""
    name = "t" + str(abs(hash(tmp_path)))
    with SearchEngine.open(made, encoder=ENCODER, tenant=name) as opened:
        yield opened


def others(engine: SearchEngine) -> None:
    """Some readers besides, each mostly of one topic, learnt from."""
    chance = random.Random(5)
    events = []
    for n in range(30):
        own = [3 * chance.randrange(13) + n % 3 for _ in range(4)] + [chance.randrange(COUNT)]
        events += [Event(f"other{n}", f"d{one:02}") for one in own]
    engine.record(events)
    learn(engine.readers)


def plain(engine: SearchEngine, user_id: str, dislikes: float) -> dict[str, float]:
    """The value of every document, one pair after the other."""
    interests = engine.interests(user_id)
    assert interests is not None
    reader = engine._current().reader
    names = [f"d{n:02}" for n in range(COUNT)]
    vectors = dict(zip(names, reader.document_vectors(reader.find_all(names)), strict=True))
    centre = reader.document_centre()

    def near(one: np.ndarray, other: np.ndarray) -> float:
        return max(0.0, float((one - centre).astype(np.float64) @ (other - centre).astype(np.float64)))

    values = {}
    for name in names:
        value = 0.0
        points = interests.points
        for row, past in enumerate(points.names):
            if past == name and points.kinds[row]:
                continue
            shared = 0.0
            if points.kinds[row]:
                shared = float(neighbours(engine.readers, [past]).likeness([name])[0, 0])
            value += points.weights[row] * (near(points.vectors[row], vectors[name]) ** 2 + TOGETHER * shared)
        against = [near(vector, vectors[name]) for vector in interests.disliked.vectors]
        values[name] = value - dislikes * max(against, default=0.0) ** 2
    return values


histories = st.lists(
    st.tuples(st.integers(0, COUNT - 1), st.sampled_from(["read", "like", "click", "dislike", "hide"])),
    min_size=1,
    max_size=8,
)


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories, again=st.booleans())
def test_agrees_with_the_plain_version(
    engine: SearchEngine, history: list[tuple[int, str]], again: bool
) -> None:
    if not list(engine.readers.readers()):
        others(engine)
    engine.forget("ann")
    engine.record([Event("ann", f"d{n:02}", kind, NOON) for n, kind in history])
    learn(engine.readers)
    found = engine.recommend("ann", COUNT, diversity=0.0, include_read=again)
    own = [item for item in found if item.origin == "interests"]
    interests = engine.interests("ann")
    assert interests is not None
    if interests.evidence <= 0:
        assert own == []
        assert "Nothing is known" in found.notices[0]
        return
    values = plain(engine, "ann", engine._readership.settings.dislikes)
    gone = interests.hidden.union(interests.disliked.names, () if again else interests.met)
    expected = {name: value for name, value in values.items() if name not in gone and value > 1e-5}
    best = max((value for name, value in values.items() if name not in gone), default=0.0)
    got = {item.doc_id: item.score for item in own}
    assert set(expected) <= set(got)
    for name, score in got.items():
        assert score == pytest.approx(values[name] / best, abs=2e-3)
    assert [item.score for item in own] == sorted(got.values(), reverse=True)
    assert [item.rank for item in found] == list(range(1, len(found) + 1))


def test_each_says_what_it_rests_on(engine: SearchEngine) -> None:
    others(engine)
    engine.record([Event("ann", "d00", "like", NOON), Event("ann", "d04", "read", NOON)])
    engine.readers.declare("ann", "oboe chord")
    found = engine.recommend("ann", 8)
    assert len(found) == 8
    assert found.notices == ()
    assert sum(found.shares.values()) == 8
    names = {"d00": "Title 0", "d04": "Title 4", "": "oboe chord"}
    sources = set()
    for item in found:
        assert 1 <= len(item.because) <= 3
        for one in item.because:
            assert one.title == names[one.doc_id]
            assert one.value > 0
            sources.add(one.source)
        assert item.reason.startswith("because you ")
    assert sources == {"near", "together", "declared"}
    again = engine.recommend("ann", 8)
    assert again == found
    assert again.to_json()["items"] == found.to_json()["items"]


def test_what_was_read_or_hidden_does_not_come(engine: SearchEngine) -> None:
    met = {f"d{n:02}" for n in range(0, 12, 3)}
    engine.record([Event("ann", name, "read", NOON) for name in met] + [Event("ann", "d15", "hide", NOON)])
    assert not {item.doc_id for item in engine.recommend("ann", COUNT)} & {*met, "d15"}
    back = {item.doc_id for item in engine.recommend("ann", COUNT, include_read=True)}
    assert met <= back
    assert "d15" not in back


@pytest.mark.parametrize("user", ["ann", "nobody"])
def test_filters_hold_for_all_of_the_list(engine: SearchEngine, user: str) -> None:
    others(engine)
    engine.record([Event("ann", "d00", "like", NOON)])
    found = engine.recommend(user, COUNT, filters={"year": {"gte": 1995}})
    assert len(found)
    assert all(int(str(item.metadata["year"])) >= 1995 for item in found)
    with pytest.raises(InvalidQuery, match="yaer"):
        engine.recommend(user, filters={"yaer": 1995})


def test_muted_interests_propose_nothing(engine: SearchEngine) -> None:
    engine.record([Event("ann", "d00", "like", NOON), Event("ann", "d01", "like", NOON)])
    before = engine.recommend("ann", 10, diversity=0.0)
    assert {one.doc_id for item in before for one in item.because} == {"d00", "d01"}
    interests = engine.interests("ann")
    assert interests is not None
    muted = interests.likes[0]
    engine.readers.mute("ann", muted.name)
    after = engine.recommend("ann", 10, diversity=0.0)
    assert not {one.doc_id for item in after for one in item.because} & set(muted.documents)


def test_what_is_like_something_disliked_sinks(engine: SearchEngine) -> None:
    engine.record([Event("ann", "d00", "like", NOON), Event("ann", "d03", "like", NOON)])
    before = [item.doc_id for item in engine.recommend("ann", COUNT, diversity=0.0)]
    disliked = before[0]
    reader = engine._current().reader
    engine.record([Event("ann", disliked, "dislike", NOON)])
    after = [
        item.doc_id for item in engine.recommend("ann", COUNT, diversity=0.0) if item.origin == "interests"
    ]
    [like] = reader.document_vectors(reader.find_all([disliked]))
    left = [name for name in before if name in after]
    nearest = max(left, key=lambda name: float(reader.document_vectors(reader.find_all([name]))[0] @ like))
    assert disliked not in after
    assert after.index(nearest) >= left.index(nearest)
    assert after != left


def test_diversity_makes_lists_less_alike(engine: SearchEngine) -> None:
    engine.record([Event("ann", f"d{n:02}", "like", NOON) for n in (0, 1, 3)])
    reader = engine._current().reader

    def alike(diversity: float) -> float:
        names = [item.doc_id for item in engine.recommend("ann", 8, diversity=diversity)]
        vectors = reader.document_vectors(reader.find_all(names))
        return float((vectors @ vectors.T)[np.triu_indices(len(names), 1)].mean())

    assert alike(0.8) < alike(0.3) < alike(0.0) or alike(0.8) < alike(0.0)
    for wrong in (-0.1, 1.5, True, "much"):
        with pytest.raises(InvalidQuery, match="diversity"):
            engine.recommend("ann", diversity=wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidQuery, match="k is"):
        engine.recommend("ann", -1)
    assert engine.recommend("ann", 0).items == ()


def test_somebody_unknown_gets_what_most_read_and_then_what_is_new(engine: SearchEngine) -> None:
    nothing = engine.recommend("nobody", 5)
    assert [item.origin for item in nothing] == ["recent"] * 5
    dated = {
        document.doc_id: document.metadata["published"]
        for document in corpus()
        if "published" in document.metadata
    }
    latest = sorted(dated, key=lambda name: (-dated[name].toordinal(), name))  # type: ignore[union-attr]
    assert [item.doc_id for item in nothing] == latest[:5]
    assert [item.dated for item in nothing] == [dated[name] for name in latest[:5]]
    both = [Event(who, name) for who in "ab" for name in ("d07", "d02", "gone")]
    engine.record([*both, Event("c", "d07"), Event("c", "d03")])
    learn(engine.readers)
    found = engine.recommend("nobody", 5)
    # d03 has one reader: to say so would tell others what that one reads.
    assert [(item.doc_id, item.readers) for item in found][:2] == [("d07", 3), ("d02", 2)]
    assert all(item.origin == "recent" for item in list(found)[2:])
    assert [item.doc_id for item in found][2:] == [name for name in latest if name not in ("d07", "d02")][:3]
    assert "Nothing is known of what 'nobody' likes." in found.notices
    assert engine.readers.version("nobody") == 0  # asking leaves no trace


@pytest.mark.parametrize("wanted", [1, 7, 100])
def test_the_newest_are_found_whatever_the_window(made: Path, wanted: int) -> None:
    dated = [
        (document.metadata["published"], document.doc_id, document.metadata["year"])
        for document in corpus()
        if "published" in document.metadata
    ]
    kept = [one for one in dated if int(str(one[2])) >= 1994 and one[1] != "d09"]
    latest = sorted(kept, key=lambda one: (-one[0].toordinal(), one[1]))[:wanted]  # type: ignore[union-attr]
    with Index.open(made, encoder=ENCODER) as index:
        reader = index.reader()
        numbers, dates = newest(reader, wanted, {"d09"}, Range("year", gte=1994), "published")
        assert reader.doc_ids(numbers) == [name for _, name, _ in latest]
        assert dates == [day for day, _, _ in latest]


def test_a_flood_changes_nobodys_recommendations(engine: SearchEngine) -> None:
    others(engine)
    engine.record([Event("ann", "d00", "like", NOON)])
    learn(engine.readers)
    before = engine.recommend("ann", 10), engine.recommend("nobody", 10)
    engine.record(
        [Event("script", f"d{n % COUNT:02}", "like", NOON + timedelta(seconds=n), 9.0) for n in range(1500)]
    )
    assert learn(engine.readers).floods == 1
    assert (engine.recommend("ann", 10), engine.recommend("nobody", 10)) == before
