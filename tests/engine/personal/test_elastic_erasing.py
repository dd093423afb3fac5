"""Erasing on a real Elasticsearch: no byte is left on its disk, and wherever it is stopped it is finished."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from elasticsearch_server import call
from forgetting import DECLARED, TARGET, events
from reader_places import Name, Names

from engine.errors import ReaderStoreBusy, ReaderStoreError
from engine.event import Event
from engine.personal.elastic import expunging
from engine.personal.elastic.access import Held, ReaderIndex, Write
from engine.personal.history import Forgotten
from engine.personal.learning import learn
from engine.personal.readers import Readers
from engine.personal.together import most_read, neighbours

MANY = [Event(TARGET, f"only-{TARGET}-9", event_id=f"a piece of many events {n:05}") for n in range(900)]
OTHER = "somebody-else-who-goes"


def fill(store: Readers, seed: int) -> list[Event]:
    """Add events of many readers, in many changes; return those of the target, some of which are in pieces."""
    made = events(seed, readers=20)
    for start in range(0, len(made), 61):
        store.add(made[start : start + 61])
    store.add(MANY)
    store.declare(TARGET, DECLARED)
    store.mute(TARGET, DECLARED)
    store.add(
        [Event(OTHER, f"only-{OTHER}-{n}", event_id=f"an event of somebody else {n}") for n in range(9)]
    )
    return [*(event for event in made if event.user_id == TARGET), *MANY, *_of(store, OTHER)]


def _of(store: Readers, user_id: str) -> list[Event]:
    return [event for event in store.events() if event.user_id == user_id]


def traces(names: Names, index: str, erased: list[Event]) -> set[str]:
    """Return pieces of ten characters of what should be gone, as far as the server's files of an index hold them.

    Of a server whose files are not on this machine nothing is found.
    """
    uuid = next(iter(call(names.url, "GET", f"/{index}/_settings").values()))["settings"]["index"]["uuid"]
    nodes = call(names.url, "GET", "/_nodes/settings")["nodes"].values()
    found = b""
    for node in nodes:
        path = node["settings"]["path"]
        folders = path.get("data") or str(Path(path["home"], "data"))
        for folder in [folders] if isinstance(folders, str) else folders:
            found += b"".join(_bytes(one) for one in Path(folder).rglob("*") if uuid in str(one))
    texts = {TARGET, OTHER, DECLARED, *(event.event_id for event in erased)}
    texts |= {event.doc_id for event in erased if event.doc_id.startswith("only-")}
    pieces = {text[at : at + 10] for text in texts for at in range(len(text) - 9)}
    return {piece for piece in pieces if piece.encode() in found}


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.is_file() else b""
    except FileNotFoundError:  # merged away meanwhile
        return b""


def answers(store: Readers) -> dict[str, Any]:
    """All that a store says, but for versions and orders that rest on when readers came."""
    documents = [doc_id for doc_id, _ in most_read(store, 1000)]
    near = neighbours(store, documents)
    return {
        "readers": sorted(store.readers()),
        "events": sorted(store.events(), key=repr),
        "reads": sorted(store.reads()),
        "exports": sorted(json.dumps(store.export(user_id)) for user_id in store.readers()),
        "likeness": (sorted(documents), near.likeness(sorted(documents))[:, :].sum()),
        "strangers": [(store.version(one), store.export(one)) for one in (TARGET, OTHER)],
    }


def test_no_byte_is_left_and_nobody_else_lost_anything(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    place, beside = names.fresh(), names.fresh()
    with place.open() as store:
        erased = fill(store, 3)
        learn(store)
        index = f"{place.name}-readers-default"
        call(names.url, "POST", f"/{index}/_flush")
        there = traces(names, index, erased)
        assert there == set() or len(there) > 100
        with monkeypatch.context() as patch:
            patch.setattr(expunging, "LEASES_WAIT", 0.0)  # the server has not let go of anything yet
            with pytest.raises(ReaderStoreBusy, match="in no answer any more, but not off the disk yet"):
                store.forget(OTHER)
            assert store.version(OTHER) == 0
        gone = store.forget(TARGET)  # which takes along whoever is waiting
        assert place.open_marks() == []
        assert gone == Forgotten(1, 12 + len(MANY), 1, 1, gone.documents)
        assert gone.documents == len(
            {one.doc_id for one in erased if one.doc_id.startswith(f"only-{TARGET}")}
        )
        assert traces(names, index, erased) == set()
        segments = call(names.url, "GET", f"/{index}/_segments")["indices"][index]["shards"]["0"]
        assert sum(one["num_docs"] for copy in segments for one in copy["segments"].values()) > 20
        learn(store)
        found = answers(store)
    with beside.open() as never:
        never.add(event for event in events(3, readers=20) if event.user_id != TARGET)
        learn(never)
        assert found == answers(never)


@contextmanager
def stopped(monkeypatch: pytest.MonkeyPatch, number: int, *, after: bool) -> Iterator[None]:
    """End this process, as it were, at a write of this number: before or after it reaches the server."""
    count = 0
    write = ReaderIndex.write

    def counted(self: ReaderIndex, writes: list[Write], *, refresh: bool = False) -> list[Held | None]:
        nonlocal count
        if threading.current_thread() is not threading.main_thread():  # whoever renews a lease
            if count >= number:
                raise ReaderStoreError("stopped")
            return write(self, writes, refresh=refresh)
        count += bool(writes)
        if count == number and after:
            write(self, writes, refresh=refresh)
        if count >= number:
            raise KeyboardInterrupt
        return write(self, writes, refresh=refresh)

    with monkeypatch.context() as patch:
        patch.setattr(ReaderIndex, "write", counted)
        yield


def test_wherever_it_is_stopped_the_next_to_open_finishes(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.personal.elastic.erasing.expunge", lambda index: None)
    monkeypatch.setattr(
        "engine.personal.elastic.lease.SILENT", 0.3
    )  # a lease of who was stopped is not renewed
    monkeypatch.setattr("engine.personal.elastic.lease.RENEWED", 0.05)
    place = names.fresh()
    began: list[bool] = []
    point = -1
    while True:
        point += 2
        with place.open() as store:
            store.add(
                [Event(user, doc_id) for user in ("a", "b", "c") for doc_id in ("d1", "d2", f"own-{user}")]
            )
            learn(store)
            assert neighbours(store, ["d1"]).doc_ids
        with stopped(monkeypatch, point, after=point % 4 == 3):
            try:
                _forget(place, "a")
            except KeyboardInterrupt:
                pass
            else:
                break
        with place.open() as store:
            began.append(store.version("a") == 0)
            assert set(store.readers()) == ({"b", "c"} if began[-1] else {"a", "b", "c"})
        with place.open() as store:
            assert place.open_marks() == []
            if began[-1]:
                assert _found(names, place, "own-a") == 0
                learn(store)
                assert "own-a" not in dict(most_read(store, 100))
    # Once the mark is there, there is no way back.
    assert began == sorted(began)
    assert not began[0]
    assert sum(began) > 4


def _forget(place: Name, user_id: str) -> None:
    with place.open() as store:
        store.forget(user_id)


def _found(names: Names, place: Name, doc_id: str) -> int:
    index = f"{place.name}-readers-default"
    call(names.url, "POST", f"/{index}/_refresh")
    query = {"bool": {"should": [{"term": {field: doc_id}} for field in ("documents", "document", "near")]}}
    found = call(names.url, "POST", f"/{index}/_search", {"query": query, "size": 0})
    return int(found["hits"]["total"]["value"])


def test_several_are_forgotten_at_once_and_strangers_are_no_fault(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.personal.elastic.erasing.expunge", lambda index: None)
    with names.fresh().open() as store:
        assert store.forget("nobody") == Forgotten()
        store.add([Event(user, doc_id) for user in "abc" for doc_id in ("d1", f"own-{user}")])
        before, name = store.version("a"), store.pseudonym("a")
        assert store.forget("a", "b", "nobody") == Forgotten(2, 4, 0, 0, 2)
        assert store.forget("a") == Forgotten()
        stranger = store.pseudonym("a")
        assert list(store.readers()) == ["c"]
        store.add([Event("a", "d7")])
        assert store.version("a") > before
        assert store.history("a").doc_ids == ("d7",)
        assert len({name, stranger, store.pseudonym("a")}) == 3
        assert store.forget("c", "a").documents == 3
