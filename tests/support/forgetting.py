"""What the children of the tests of the readers' store do; in a module of its own, so that a new process imports it."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import string
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event as Signal
from pathlib import Path
from types import FrameType
from typing import Any

from engine.event import Event
from engine.personal.store import ReaderStore

TARGET = "target-reader-of-the-test"
DECLARED = "zymurgy among quokkas"


def events(seed: int, readers: int = 40, each: int = 12) -> list[Event]:
    """Return events of many readers in any order, with ids of many lengths; some are the target's."""
    chance = random.Random(seed)
    names = [*(f"reader-{number}" for number in range(readers)), TARGET]
    made = [
        Event(
            name,
            f"only-{name}-{chance.randrange(9)}"
            if chance.random() < 0.3
            else f"shared-{chance.randrange(60)}",
            chance.choice(("read", "like", "an odd kind of event")),
            event_id="".join(chance.choices(string.ascii_letters, k=chance.randrange(12, 120))),
        )
        for name in names
        for _ in range(each)
    ]
    chance.shuffle(made)
    return made


def fill(folder: Path, seed: int, readers: int = 40, each: int = 12, batch: int = 61) -> list[Event]:
    """Make a store of these events, in many changes; return those of the target."""
    made = events(seed, readers, each)
    with ReaderStore.open(folder) as store:
        for start in range(0, len(made), batch):
            store.add(made[start : start + batch])
        store.declare(TARGET, DECLARED)
        store.mute(TARGET, DECLARED)
    return [event for event in made if event.user_id == TARGET]


def run_forget(folder: Path, log: Path, limit: int, counted: Any) -> None:
    """Forget the target; kill this process at its n-th call, or its n-th look around within SQLite."""
    calls = 0

    def count(*_: Any) -> int:
        nonlocal calls
        calls += 1
        if calls == limit:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0

    def called(frame: FrameType, event: str, arg: object) -> None:
        if event in ("call", "c_call", "c_return"):
            count()

    connect = sqlite3.connect

    def connected(*args: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*args, **options)
        connection.set_progress_handler(count, 100)  # every so many steps of SQLite's machine, VACUUM's too
        return connection

    sqlite3.connect = connected  # type: ignore[assignment]
    store = ReaderStore.open(folder)
    sys.setprofile(called)
    store.forget(TARGET)
    sys.setprofile(None)
    log.write_text("done")
    if counted is not None:
        counted.value = calls


def run_add(folder: Path, log: Path, seed: int) -> None:
    """Add events one after the other, writing down which were acknowledged, until killed."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    with ReaderStore.open(folder) as store:
        for number, event in enumerate(events(seed)):
            store.add([event])
            os.write(descriptor, f"{number}\n".encode())


def run_reading(folder: Path, reading: Signal, enough: Signal) -> None:
    """Hold one state of the store until told that it is enough."""
    with ReaderStore.open(folder) as store, store.read() as connection:
        connection.execute("SELECT count(*) FROM events").fetchone()
        reading.set()
        enough.wait(60)


def run_open(folder: Path, opened: Signal, enough: Signal) -> None:
    """Keep the store open, having read the target's history, until told that it is enough."""
    with ReaderStore.open(folder) as store:
        store.history(TARGET)
        opened.set()
        enough.wait(60)
        store.add([Event("afterwards", "shared-1")])


@contextmanager
def process(context: Any, function: Any, *arguments: Any) -> Iterator[Any]:
    """Run a child for the length of the block, and wait for its end; the last argument may tell it that it is near."""
    child = context.Process(target=function, args=arguments)
    child.start()
    try:
        yield child
    finally:
        if hasattr(arguments[-1], "set"):
            arguments[-1].set()
        child.join(60)


def bytes_of(folder: Path) -> bytes:
    """Return all bytes of all files, and their names."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return b"\n".join(str(path.relative_to(folder)).encode() + b"\n" + path.read_bytes() for path in files)


def traces(folder: Path, erased: list[Event]) -> set[str]:
    """Return pieces of ten characters of what should be gone, as far as they are found in the folder."""
    found = bytes_of(folder)
    texts = {TARGET, DECLARED, *(event.event_id for event in erased)}
    texts |= {event.doc_id for event in erased if event.doc_id.startswith("only-")}
    pieces = {text[at : at + 10] for text in texts for at in range(len(text) - 9)}
    return {piece for piece in pieces if piece.encode() in found}
