"""An engine whose readers are on Elasticsearch: what a search asks of the server, and what it does without it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from reader_places import Name, Names

from engine import Event, PersonalSettings, Query, SearchEngine
from engine.errors import InvalidProfileChange, ReaderStoreError, SearchError
from engine.personal.elastic import access, layout, lists
from engine.personal.learned import Learned
from engine.personal.learning import learn
from engine.personal.opening import open_readers
from engine.personal.store import ReaderStore
from indexer.document import Document
from indexer.elastic.settings import ElasticSettings
from indexer.elastic.wire.connection import Cluster
from indexer.encoder import HashingEncoder
from indexer.errors import IndexUnavailable
from indexer.index import Index
from indexer.protocol import IndexReader

TOPICS = ("harbour tide", "orchard apple", "copper mine", "violin string")


@dataclass
class Beside:
    """An index whose passages are here, and whose readers are on a server."""

    index: Index
    cluster: Cluster
    name: str

    def reader(self) -> IndexReader:
        return self.index.reader()


@pytest.fixture
def index(tmp_path: Path) -> Index:
    made = Index.create(tmp_path / "index", encoder=HashingEncoder(64))
    with made.writer() as writer:
        for number in range(40):
            topic = TOPICS[number % 4]
            writer.add(Document(f"d{number:02}", f"A note of {topic} {topic} part{number} word{number % 7}."))
    return made


@pytest.fixture
def place(names: Names) -> Name:
    return names.fresh()


@pytest.fixture
def engine(index: Index, place: Name) -> Iterator[SearchEngine]:
    with SearchEngine(Beside(index, place.cluster, place.name), HashingEncoder(64)) as made:
        yield made


def events() -> list[Event]:
    return [
        Event(f"r{reader}", f"d{number:02}", "read")
        for reader in range(8)
        for number in range(reader % 4, 24, 4)
        if (number + reader) % 3
    ]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the server is asked."""
    made: list[str] = []
    request = Cluster.request

    def told(self: Cluster, method: str, path: str, **more: Any) -> Any:
        made.append(f"{method} {path}")
        return request(self, method, path, **more)

    monkeypatch.setattr(Cluster, "request", told)
    return made


def test_lists_and_recommendations_are_those_of_readers_in_a_file(engine: SearchEngine, index: Index) -> None:
    with SearchEngine(index, HashingEncoder(64)) as beside:
        assert isinstance(beside.readers, ReaderStore)
        for one in (engine, beside):
            one.record(events())
            one.readers.declare("r1", "violin string")
            one.readers.mute("r2", "d02")
            learn(one.readers)
        for user in ("r0", "r1", "r2", "nobody"):
            query = Query("note", user_id=user)
            hits, expected = (one.search(query, k=40).hits for one in (engine, beside))
            assert [(hit.doc_id, hit.score, hit.ledger) for hit in hits] == [
                (hit.doc_id, hit.score, hit.ledger) for hit in expected
            ]
            assert engine.recommend(user).items == beside.recommend(user).items


def test_a_search_asks_the_server_once_and_one_for_everyone_never(
    engine: SearchEngine, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "WEIGHTS_HOLD", 3600.0)
    monkeypatch.setattr(access, "LOOK_AGAIN", 3600.0)
    engine.search("note")
    engine.search(Query("note", user_id="r1", strength=0))
    assert asked == []
    engine.search(Query("note", user_id="r1"))
    engine.search(Query("note", user_id="r1"))
    assert len(asked) == 1  # whether there are readers
    engine.record(events())
    engine.search(Query("note", user_id="r1"))
    asked.clear()
    first = engine.search(Query("note", user_id="r1"))
    assert len(asked) == 1
    engine.search("note")
    assert len(asked) == 1
    engine.record([Event("r1", "d30", "like")])
    assert engine.search(Query("note", user_id="r1")).hits != first.hits


def test_weights_that_another_process_learnt_are_heeded(
    engine: SearchEngine, place: Name, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "WEIGHTS_HOLD", 0.0)
    engine.record(events())
    query = Query("note", user_id="r1")

    def interest() -> float:
        hit = next(hit for hit in engine.search(query, k=40).hits if hit.doc_id == "d25")
        return next(term.value for term in hit.ledger.terms if term.name == "interest")

    before = interest()
    with place.open() as other:
        assert other.learned() is None
        other.keep_learned(Learned(2 * PersonalSettings().weight, 0.0, {"lists": 3}))
    assert interest() == pytest.approx(2 * before, abs=1e-6)
    assert engine.readers.learned() == Learned(2 * PersonalSettings().weight, 0.0, {"lists": 3})
    learn(engine.readers)
    engine.readers.forget_document("r1", "d01")
    assert engine.readers.learned() is not None  # what else is written there leaves them alone


def test_without_the_server_it_is_everyones_list_and_says_so(
    engine: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.record(events())
    everyone = engine.search("note", k=40)

    def gone(*_: Any, **more: Any) -> Any:
        raise IndexUnavailable("the cluster does not answer")

    monkeypatch.setattr(Cluster, "request", gone)
    found = engine.search(Query("note", user_id="r1"), k=40)
    assert [hit.doc_id for hit in found.hits] == [hit.doc_id for hit in everyone.hits]
    assert any("everyone's list" in notice for notice in found.notices)
    with pytest.raises(SearchError, match="does not answer") as caught:
        engine.record(events())
    assert caught.value.status == 503


def test_names_of_tenants_and_of_readers() -> None:
    assert layout.index_of("books", "default") == "books-readers-default"
    assert layout.index_of("books", "North") == "books-readers-.north" != layout.index_of("books", "north")
    assert len(layout.index_of("b" * 80, "T" * 64)) <= 255
    with pytest.raises(InvalidProfileChange, match="name is 1 to 64 letters"):
        layout.index_of("books", "a.b")
    ids = {layout.reader_id(user) for user in ("ann", "Ann", "读者", "x" * 1024)}
    assert len(ids) == 4
    assert all(len(one) == 32 for one in ids)


def test_something_else_is_refused(names: Names, place: Name) -> None:
    index = f"{place.name}-readers-default"
    place.cluster.request("PUT", f"/{index}", body={"mappings": {"_meta": {"quire_format": "1"}}})
    with pytest.raises(ReaderStoreError, match="none of Quire's readers"):
        place.open()
    for meta, says in (
        ({"quire_readers": "9", "tenant": "default"}, "has format 9; this version of Quire reads format 1"),
        ({"quire_readers": "1", "tenant": "other"}, "readers of tenant 'other', not of 'default'"),
    ):
        place.cluster.request("PUT", f"/{index}/_mapping", body={"_meta": meta})
        with pytest.raises(ReaderStoreError, match=says):
            place.open()


def test_an_index_that_is_removed_meanwhile_is_made_again_as_it_should_be(place: Name) -> None:
    with place.open() as store:
        store.add([Event("ann", "d1")])
        place.cluster.request("DELETE", f"/{place.name}-readers-default")
        assert store.version("ann") == 0
        assert store.history("ann").doc_ids == ()
        store.add([Event("ann", "d2")])
        assert store.history("ann").doc_ids == ("d2",)
    with place.open() as other:
        assert other.history("ann").doc_ids == ("d2",)


def test_readers_are_opened_by_the_place_of_the_index(names: Names, place: Name, tmp_path: Path) -> None:
    address = str(replace(place.cluster.address, name=place.name))
    with open_readers(address, elastic=ElasticSettings(replicas=0)) as store:
        store.add([Event("ann", "d1")])
        assert place.name in store.place
        assert store.place == store.weights_place
    with place.open() as same:
        assert list(same.readers()) == ["ann"]
    with open_readers(tmp_path) as file:
        assert isinstance(file, ReaderStore)
        assert file.place == str(file.path)


def test_an_answer_that_got_lost_counts_no_event_twice(place: Name, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server did what it was asked, and its answer did not arrive: the request is repeated, and conflicts."""
    with place.open() as store:
        store.add([Event("ann", "d1")])
        write = access.ReaderIndex.write

        def twice(self: Any, writes: Any, *, refresh: bool = False) -> Any:
            write(self, writes, refresh=refresh)
            return write(self, writes, refresh=refresh)

        monkeypatch.setattr(access.ReaderIndex, "write", twice)
        assert store.add([Event("ann", "d2"), Event("bob", "d2")]).added == 2
        assert store.add([Event("ann", "d2")]).duplicates == 1
        store.declare("ann", "sea")
        assert store.mute("ann", "sea")
        assert len(store.history("ann")) == 2
