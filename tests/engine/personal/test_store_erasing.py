"""Forgetting: no byte is left in any file, whoever else has it open, and at whatever point the process is killed."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
from forgetting import (
    DECLARED,
    TARGET,
    bytes_of,
    events,
    fill,
    process,
    run_add,
    run_forget,
    run_open,
    run_reading,
    traces,
)

from engine.errors import ReaderStoreBusy, ReaderStoreError
from engine.event import Event
from engine.personal import erasing
from engine.personal.history import Forgotten
from engine.personal.store import ReaderStore

KILLS = 25
STALE = [(61, 60, 25, 37), (46, 60, 25, 37)]
"""Events of which SQLite 3.40 leaves copies behind when their rows are deleted, also with secure_delete."""


@pytest.fixture(scope="module")
def context() -> Iterator[ForkServerContext]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["engine.personal.store", "forgetting"])
    return context


def answers(store: ReaderStore) -> dict[str, Any]:
    """Return all that a store says, but for the numbers of changes, which never come back."""
    return {
        "readers": list(store.readers()),
        "events": list(store.events()),
        "reads": list(store.reads()),
        "floods": store.floods(),
        "exports": [store.export(user_id) for user_id in store.readers()],
        "target": (store.version(TARGET), store.export(TARGET)),
    }


def never_seen(folder: Path, shape: tuple[int, ...]) -> dict[str, Any]:
    """Return the answers of a store that has all events but the target's."""
    with ReaderStore.open(folder) as store:
        store.add([event for event in events(*shape[:3]) if event.user_id != TARGET])
        return answers(store) | {"readers": sorted(store.readers())}


@pytest.mark.parametrize("shape", [(0,), *STALE])
def test_no_byte_is_left_and_nobody_else_lost_anything(tmp_path: Path, shape: tuple[int, ...]) -> None:
    for name in ("with", "without"):
        (tmp_path / name).mkdir()
    erased = fill(tmp_path / "with", *shape)
    with ReaderStore.open(tmp_path / "with") as store:
        only = {event.doc_id for event in erased if event.doc_id.startswith("only-")}
        assert traces(tmp_path / "with", erased) >= {TARGET[:10], DECLARED[:10]}
        forgotten = store.forget(TARGET)
        assert forgotten == Forgotten(1, len(erased), 1, 1, forgotten.documents)
        assert forgotten.documents >= len(only)
        assert traces(tmp_path / "with", erased) == set()
        found = answers(store)
    expected = never_seen(tmp_path / "without", shape)
    # In which order readers came is known; the other store met them in another.
    assert sorted(found.pop("readers")) == expected.pop("readers")
    assert sorted(found.pop("exports"), key=str) == sorted(expected.pop("exports"), key=str)
    for name in ("events", "reads"):
        assert sorted(found.pop(name), key=str) == sorted(expected.pop(name), key=str)
    assert found == expected
    assert traces(tmp_path / "with", erased) == set()


def test_the_next_to_open_finishes(tmp_path: Path) -> None:
    erased = fill(tmp_path, *STALE[0])
    with ReaderStore.open(tmp_path) as store, store.write() as connection:
        erasing.begin(connection, [TARGET])
    with ReaderStore.open(tmp_path) as store:
        assert traces(tmp_path, erased) == set()
        assert store.version(TARGET) == 0


def test_without_room_to_write_the_file_anew_nobody_is_met_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    erased = fill(tmp_path, *STALE[0])

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(erasing, "cut_log", full)
        with ReaderStore.open(tmp_path) as store:
            with pytest.raises(ReaderStoreError, match="the disk is full"):
                store.forget(TARGET)
            assert store.version(TARGET) == 0
        with ReaderStore.open(tmp_path) as store:  # it goes on without
            assert len(store.history("reader-1")) == 25
        with ReaderStore.open(tmp_path) as store, store.write() as connection:
            erasing.begin(connection, ["reader-1"])
        patch.setattr(erasing, "_delete", full)
        with pytest.raises(ReaderStoreError, match="the disk is full"):
            ReaderStore.open(tmp_path)
    with ReaderStore.open(tmp_path) as store:
        assert traces(tmp_path, erased) == set()
        assert store.version("reader-1") == 0


def test_several_are_forgotten_at_once_and_strangers_are_no_fault(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    with ReaderStore.open(tmp_path) as store:
        forgotten = store.forget(TARGET, "reader-1", "nobody")
        assert (forgotten.readers, forgotten.events) == (2, 24)
        assert store.forget(TARGET) == Forgotten()
        assert b"reader-1\x00" not in bytes_of(tmp_path)
        assert {"reader-1", TARGET}.isdisjoint(store.readers())


def test_a_reader_who_comes_back_is_somebody_new(tmp_path: Path) -> None:
    fill(tmp_path, 2)
    with ReaderStore.open(tmp_path) as store:
        before, name = store.version(TARGET), store.pseudonym(TARGET)
        store.forget(TARGET)
        assert store.version(TARGET) == 0
        stranger = store.pseudonym(TARGET)
        store.add([Event(TARGET, "shared-1")])
        assert store.version(TARGET) > before
        assert store.history(TARGET).doc_ids == ("shared-1",)
        assert len({name, stranger, store.pseudonym(TARGET)}) == 3


def test_another_process_has_the_file_open(tmp_path: Path, context: ForkServerContext) -> None:
    erased = fill(tmp_path, 3)
    opened, enough = context.Event(), context.Event()
    with process(context, run_open, tmp_path, opened, enough):
        assert opened.wait(60)
        with ReaderStore.open(tmp_path) as store:
            store.forget(TARGET)
            assert traces(tmp_path, erased) == set()
    assert traces(tmp_path, erased) == set()
    with ReaderStore.open(tmp_path) as store:
        assert store.history("afterwards").doc_ids == ("shared-1",)


def test_another_process_reads_all_the_while(tmp_path: Path, context: ForkServerContext) -> None:
    erased = fill(tmp_path, 4)
    reading, enough = context.Event(), context.Event()
    with process(context, run_reading, tmp_path, reading, enough):
        assert reading.wait(60)
        with ReaderStore.open(tmp_path, wait=0.05) as store:
            with pytest.raises(ReaderStoreBusy, match="in no answer any more, but another process"):
                store.forget(TARGET)
            assert store.version(TARGET) == 0
            assert TARGET not in {event.user_id for event in store.events()}
        with ReaderStore.open(
            tmp_path, wait=0.05
        ) as store:  # it cannot be finished yet, and is no reason to fail
            store.add([Event("reader-1", "new")])
    with ReaderStore.open(tmp_path) as store:
        assert traces(tmp_path, erased) == set()
        assert "new" in store.history("reader-1").doc_ids


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory, context: ForkServerContext) -> int:
    """How many points there are at which forgetting can be killed."""
    folder = tmp_path_factory.mktemp("calls")
    fill(folder, 5, readers=20)
    counted = context.Value("q", 0)
    with process(context, run_forget, folder, folder / "log", 0, counted):
        pass
    assert counted.value > 300
    return int(counted.value)


def test_killed_anywhere_it_never_began_or_is_finished_by_the_next_to_open(
    tmp_path: Path, context: ForkServerContext, calls: int
) -> None:
    chance = random.Random(calls)
    began: list[bool] = []
    finished = 0
    points = sorted({1, calls, *(chance.randrange(1, calls + 1) for _ in range(KILLS - 2))})
    whole = tmp_path / "whole"
    whole.mkdir()
    erased = fill(whole, 5, readers=20)
    for limit in points:
        folder = tmp_path / str(limit)
        shutil.copytree(whole, folder)
        with process(context, run_forget, folder, folder / "log", limit, None) as child:
            pass
        assert child.exitcode == -signal.SIGKILL
        before = bool(traces(folder, erased))
        with ReaderStore.open(folder) as store:
            left = traces(folder, erased)
            version, history = store.version(TARGET), store.history(TARGET)
        began.append(version == 0)
        finished += before and version == 0
        if version:
            assert (len(history), len(history.declared)) == (len(erased), 1)
        else:
            assert (left, len(history)) == (set(), 0)
            assert traces(folder, erased) == set()
    # Once its first step is on the disk there is no way back.
    assert began == sorted(began)
    assert not began[0]
    assert sum(began) > KILLS // 2
    assert finished > 2  # by the one who opened it


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, context: ForkServerContext) -> None:
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        log = folder / "log"
        child = context.Process(target=run_add, args=(folder, log, 6))
        child.start()
        while child.is_alive() and (not log.exists() or log.read_bytes().count(b"\n") < 20 * (number + 1)):
            child.join(0.01)
        child.kill()
        child.join(60)
        acknowledged = log.read_text().split()
        with ReaderStore.open(folder) as store:
            kept = {event.event_id for event in store.events()}
        wanted = [event.event_id for event in events(6)[: len(acknowledged)]]
        assert kept.issuperset(wanted)
        assert len(kept) - len(wanted) in (0, 1)
