"""Readers on Elasticsearch with more events than an entry holds: against the store in a file, step by step."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from reader_places import Names

from engine.event import Event
from engine.personal import admission
from engine.personal.elastic import entry, pieces
from engine.personal.elastic.changing import Entries, Known
from engine.personal.elastic.store import ElasticReaderStore
from engine.personal.readers import Readers
from engine.personal.store import ReaderStore

NOON = datetime(2024, 5, 4, 12, tzinfo=UTC)
USERS = ("ann", "bob", "cem")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry holds five events and a piece seven, so that a test need not add thousands."""
    monkeypatch.setattr("engine.personal.elastic.erasing.expunge", lambda index: None)
    for module in (entry, pieces):
        monkeypatch.setattr(module, "INLINE", 5)
    monkeypatch.setattr("engine.personal.elastic.adding.INLINE", 5)
    monkeypatch.setattr(pieces, "PIECE", 7)
    monkeypatch.setattr("engine.personal.elastic.adding.PIECE", 7)


@pytest.fixture
def store(names: Names) -> Iterator[ElasticReaderStore]:
    with names.fresh().open() as made:
        assert isinstance(made, ElasticReaderStore)
        yield made


def everything(store: Readers) -> dict[str, Any]:
    """All that a store says, but for the numbers of versions."""
    histories = {user: store.history(user) for user in USERS}
    return {
        "histories": [
            (user, one.doc_ids, one.kinds, one.at.tolist().__repr__(), one.weights.tolist(), one.flooding)
            for user, one in histories.items()
        ],
        "said": [(one.declared.__repr__(), sorted(one.muted)) for one in histories.values()],
        "exports": [store.export(user) for user in USERS],
        "readers": list(store.readers()),
        "events": list(store.events()),
        "reads": list(store.reads()),
        "floods": store.floods(),
    }


def step(store: Readers, chance: random.Random) -> object:
    """Do something by chance; return what came of it."""
    user, doc_id = chance.choice(USERS), f"d{chance.randrange(9)}"
    what = chance.choice(
        ["add"] * 5 + ["declare", "undeclare", "mute", "unmute", "forget_document", "forget"]
    )
    if what == "add":
        events = [
            Event(
                chance.choice(USERS),
                f"d{chance.randrange(9)}",
                chance.choice(["read", "like", "hide", "odd"]),
                chance.choice([None, NOON - timedelta(minutes=chance.randrange(400))]),
                chance.choice([0.0, 1.0, 2.0]),
                chance.choice(["", "", f"e{chance.randrange(40)}"]),
            )
            for _ in range(chance.choice([1, 2, 25]))
        ]
        return store.add(events, now=NOON)
    if what in ("declare", "undeclare"):
        return getattr(store, what)(user, chance.choice(["sea", "stars"]))
    if what == "forget":
        return store.forget(user)
    try:
        return getattr(store, what)(user, doc_id)
    except Exception as error:
        return str(error)


@pytest.mark.parametrize("seed", range(2))
def test_it_does_what_the_file_does(
    seed: int, store: ElasticReaderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "HOUR_LIMIT", 12)  # so that some flood, and do not flood any more
    with ReaderStore.open(tmp_path) as file:
        one, other = random.Random(seed), random.Random(seed)
        for number in range(40):
            assert step(store, one) == step(file, other)
            if number % 4 == 3:
                assert everything(store) == everything(file)


def test_after_one_event_more_no_old_piece_is_fetched(
    store: ElasticReaderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add([Event("ann", f"d{n}", at=NOON) for n in range(60)])
    assert len(store.history("ann")) == 60
    monkeypatch.setattr(Entries, "pieces", _none)
    store.add([Event("ann", "new", at=NOON, event_id="new")])
    assert len(store.history("ann")) == 61


def _none(self: Entries, entry: Any, ids: list[str], *, as_is: bool = False) -> dict[str, Any]:
    assert ids == []
    return {}


def test_what_is_on_its_way_into_a_piece_of_somebody_erased_is_refused(
    store: ElasticReaderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever adds is stopped between naming a piece and filling it, while the reader is erased and comes back."""
    store.add([Event("ann", f"old-{n}", at=NOON) for n in range(5)])
    named, erased = threading.Event(), threading.Event()
    put = Entries.put

    def slowly(self: Entries, known: Known | None, after: Any, mark: str) -> Any:
        done = put(self, known, after, mark)
        if mark.endswith("-reserved") and not named.is_set():
            named.set()
            assert erased.wait(30)
        return done

    monkeypatch.setattr(Entries, "put", slowly)
    adding = threading.Thread(target=lambda: store.add([Event("ann", "new", at=NOON)]))
    adding.start()
    assert named.wait(30)
    gone = store.forget("ann")
    erased.set()
    adding.join()
    assert gone.events == 5
    assert store.history("ann").doc_ids == ("new",)
    store._index.refresh()
    assert store._index.count({"term": {"documents": "old-1"}}) == 0
    assert store._index.count({"term": {"kind": "piece"}}) == 0


def test_a_crash_before_a_piece_is_filled_loses_nothing(
    store: ElasticReaderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = [Event("ann", f"old-{n}", at=NOON) for n in range(5)]
    store.add(old)
    put = Entries.put

    def killed(self: Entries, known: Known | None, after: Any, mark: str) -> Any:
        done = put(self, known, after, mark)
        if mark.endswith("-reserved"):
            raise KeyboardInterrupt
        return done

    with monkeypatch.context() as patch:
        patch.setattr(Entries, "put", killed)
        with pytest.raises(KeyboardInterrupt):
            store.add([Event("ann", "new", at=NOON)])
    assert len(store.history("ann")) == 5
    assert store.add([Event("ann", "new", at=NOON), *old]).added == 1
    assert len(store.history("ann")) == 6
    store._index.refresh()
    assert store._index.count({"term": {"kind": "piece"}}) == 1


def test_a_crash_while_a_document_is_forgotten_is_mended(
    store: ElasticReaderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add([Event("ann", f"d{n % 10}", at=NOON, event_id=f"e{n}") for n in range(30)])

    def killed(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Entries, "put", killed)
        with pytest.raises(KeyboardInterrupt):
            store.forget_document("ann", "d3")
    other = ElasticReaderStore(store._index.cluster, store._index.name, "default")
    assert set(other.history("ann").doc_ids) <= {f"d{n}" for n in range(10)}
    other.forget_document("ann", "d3")
    for one in (store, other):
        assert len(one.history("ann")) == 27
        assert "d3" not in one.history("ann").doc_ids
    assert store.export("ann")["events"] == [
        replace(event, user_id="ann").to_record() for event in other.events()
    ]


def test_processes_that_fill_pieces_at_once_lose_nothing(names: Names) -> None:
    place = names.fresh()
    faults: list[BaseException] = []
    with place.open() as one, place.open() as other:

        def work(store: Readers, worker: int) -> None:
            try:
                for number in range(6):
                    store.add(
                        [Event("ann", f"w{worker}-{number}-{n}", at=NOON) for n in range(3)]
                        + [Event("ann", f"both-{number}", at=NOON)]
                    )
            except BaseException as error:
                faults.append(error)
                raise

        threads = [
            threading.Thread(target=work, args=(store, worker))
            for worker, store in enumerate((one, other, one))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not faults
        wanted = {f"w{worker}-{number}-{n}" for worker in range(3) for number in range(6) for n in range(3)}
        wanted |= {f"both-{number}" for number in range(6)}
        for store in (one, other):
            assert sorted(store.history("ann").doc_ids) == sorted(wanted)
        assert len(list(one.events())) == len(wanted)
