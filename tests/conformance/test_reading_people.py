"""Readers on both backends: what they did, what comes of it in a list, recommendations, wishes, forgetting."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from engine import Event, PersonalSettings, Query, SearchEngine, SearchSettings

from .conftest import SHARDS, Backend, fill
from .corpus import documents
from .test_searching import NEAR, Pair, same_hit

NOW = datetime(2024, 11, 23, tzinfo=UTC)
ASKED = SearchSettings(depth=10_000)
READERS = ("ann", "bob", "eve")


def events() -> list[Event]:
    """What readers did; one of them met a document that is gone, another disliked some."""
    made = [Event("ann", f"d{n:02}", "read", NOW - timedelta(days=n)) for n in range(0, 12, 2)]
    made += [Event("bob", f"d{n:02}", "like", NOW - timedelta(days=3 * n)) for n in range(20, 47)]
    made += [Event("bob", "d01", "dislike"), Event("bob", "d02", "hide"), Event("bob", "中文-3", "save", NOW)]
    made += [Event("eve", "d33", "save", NOW), Event("eve", "gone", "save", NOW)]
    for n in range(12):  # so that something is read together
        made += [Event(f"other{n}", f"d{(n + step) % 16:02}", "read", NOW) for step in range(5)]
    return made


@pytest.fixture(scope="module")
def readers(both: tuple[Backend, Backend]) -> Iterator[Pair]:
    from engine.personal.learning import learn

    engines = []
    with pytest.MonkeyPatch.context() as patch:
        # Ages are counted to the last full year, so that no test runs over the end of a tick.
        patch.setattr("engine.personal.profiles.TICK", 365 * 86400.0)
        for backend in both:
            index = backend.create(shards=SHARDS)
            fill(index, documents())
            index.close()
            engine = backend.engine(index.place, tenant="conformance")
            engine.record(events())
            engine.readers.declare("eve", "turbine blade cooling")
            learn(engine.readers)
            engines.append(engine)
        yield Pair(*engines)
    for engine in engines:
        engine.close()


@pytest.mark.parametrize("user", READERS)
@pytest.mark.parametrize("text", ["turbine blade cooling", "flow", "涡轮 turbine"])
@pytest.mark.parametrize("strength", [1.0, 4.0])
def test_the_same_list_for_the_same_reader(readers: Pair, user: str, text: str, strength: float) -> None:
    query = Query(text, user_id=user, strength=strength, at=NOW + timedelta(days=1))
    one = readers.local.search(query, k=12, settings=ASKED)
    other = readers.elastic.search(query, k=12, settings=ASKED)
    assert (one.found, one.notices) == (other.found, other.notices)
    twins = {hit.doc_id: hit for hit in one.hits}
    for mine, hit in zip(one.hits, other.hits, strict=True):
        assert hit.score == pytest.approx(mine.score, abs=NEAR)
        assert math.isclose(hit.ledger.total, hit.score, abs_tol=1e-6)
        if hit.doc_id in twins:
            same_hit(twins[hit.doc_id], hit)
            because = [(one.doc_id, one.source, one.kind, one.at) for one in hit.ledger.because]
            assert because == [
                (one.doc_id, one.source, one.kind, one.at) for one in twins[hit.doc_id].ledger.because
            ]
    everyone = readers.elastic.search(text, k=12, settings=ASKED)
    assert [hit.score for hit in everyone.hits] != [hit.score for hit in other.hits]


@pytest.mark.parametrize("user", READERS)
def test_interests_are_the_same(readers: Pair, user: str) -> None:
    one, other = readers.local.interests(user), readers.elastic.interests(user)
    assert one is not None
    assert other is not None
    assert [(like.name, like.documents, like.muted) for like in one.likes] == [
        (like.name, like.documents, like.muted) for like in other.likes
    ]
    assert [like.weight for like in one.likes] == pytest.approx(
        [like.weight for like in other.likes], abs=NEAR
    )
    assert (one.met, one.hidden) == (other.met, other.hidden)


@pytest.mark.parametrize("user", [*READERS, "stranger"])
@pytest.mark.parametrize("include_read", [False, True])
def test_recommendations_are_the_same(readers: Pair, user: str, include_read: bool) -> None:
    one = readers.local.recommend(user, 10, include_read=include_read)
    other = readers.elastic.recommend(user, 10, include_read=include_read)
    assert one.notices == other.notices
    assert [item.doc_id for item in one.items] == [item.doc_id for item in other.items]
    assert [item.score for item in one.items] == pytest.approx([item.score for item in other.items], abs=NEAR)
    assert [(item.origin, item.interest, item.readers) for item in one.items] == [
        (item.origin, item.interest, item.readers) for item in other.items
    ]
    assert one.items


def test_nobody_in_particular_gets_everyones_list(readers: Pair) -> None:
    plain = readers.elastic.search("turbine", settings=ASKED)
    for query in (Query("turbine", user_id="stranger"), Query("turbine", user_id="ann", strength=0)):
        assert [(hit.doc_id, hit.score) for hit in readers.elastic.search(query, settings=ASKED).hits] == [
            (hit.doc_id, hit.score) for hit in plain.hits
        ]


@pytest.fixture(scope="module")
def shared(backend: Backend) -> str:
    """The place of a small index; tests open it with a tenant of their own."""
    index = backend.create()
    fill(index, documents()[:30])
    index.close()
    return index.place


@pytest.fixture
def engine(backend: Backend, shared: str, request: pytest.FixtureRequest) -> Iterator[SearchEngine]:
    tenant = f"t{abs(hash(request.node.name)) % 10**9}"
    with backend.engine(shared, tenant=tenant) as opened:
        yield opened


def kept(engine: SearchEngine, user_id: str) -> list[Event]:
    """Return the events of a reader."""
    return [event for event in engine.readers.events() if event.user_id == user_id]


def test_events_are_kept_once_and_given_back(engine: SearchEngine) -> None:
    mine = [
        Event("ann", "d01", "read", NOW),
        Event("ann", "d02", "like", NOW - timedelta(days=3), 2.5, "id-1"),
        Event("ann", "gone", "save"),
        Event("bob", "d01", "mulled over", NOW + timedelta(microseconds=123_456)),
        Event("读者", "d03", "click", NOW),
    ]
    first = engine.record(mine)
    assert first.added == len(mine)
    again = engine.record(mine)
    assert again.added == 0
    assert sorted(kept(engine, "ann"), key=str) == sorted(mine[:3], key=str)
    assert kept(engine, "读者") == mine[4:]


def test_a_forgotten_reader_is_gone_everywhere(engine: SearchEngine) -> None:
    engine.record([Event("ann", f"d{n:02}", "read", NOW) for n in range(5)])
    engine.record([Event("bob", f"d{n:02}", "read", NOW) for n in range(5)])
    engine.readers.declare("ann", "turbines")
    assert engine.interests("ann") is not None
    engine.forget("ann")
    assert engine.interests("ann") is None
    assert kept(engine, "ann") == []
    assert len(kept(engine, "bob")) == 5
    everyone = engine.search("turbine", settings=ASKED)
    mine = engine.search(Query("turbine", user_id="ann"), settings=ASKED)
    assert [hit.score for hit in mine.hits] == [hit.score for hit in everyone.hits]


def test_tenants_share_nothing_but_the_index(backend: Backend, shared: str) -> None:
    with backend.engine(shared, tenant="one") as one, backend.engine(shared, tenant="other") as other:
        one.record([Event("ann", f"d{n:02}", "like", NOW) for n in range(4)])
        other.record([Event("bob", "d01", "like", NOW)])
        assert one.interests("ann") is not None
        assert other.interests("ann") is None
        assert kept(other, "ann") == []


def test_documents_that_were_met_can_be_hidden(backend: Backend, shared: str) -> None:
    settings = PersonalSettings(read="hide")
    with backend.engine(shared, tenant="hiding", personal=settings) as engine:
        engine.record([Event("ann", f"d{n:02}", "like", NOW) for n in range(6)])
        found = engine.search(Query("turbine flow", user_id="ann"), k=100, settings=ASKED)
        assert not {hit.doc_id for hit in found.hits} & {f"d{n:02}" for n in range(6)}
        assert found.hits
