"""Learning what readers share: `learn`, from the beginning or from where it stood.

Only documents whose readers changed are gone over, and those that lost something. What comes of it is the same, bit
for bit, as from the beginning. Readers who flood are left out by `ReaderStore.reads`: a
script that reads a thousand documents in an hour changes nobody's list.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from engine.errors import ReaderStoreBusy
from engine.personal.coreading import CoReading, Reads, nearest, reads_of
from engine.personal.together import NUMBERS, VALUES, State, make_tables, state, there
from indexer.protocol import Numbers

if TYPE_CHECKING:
    from engine.personal.store import ReaderStore

Tell: TypeAlias = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and how much there is."""

_TRIES = 5
_TOLD = 1000  # readers between two words of progress


@dataclass(frozen=True, slots=True)
class Learnt:
    """What was learnt.

    Args:
        at: When, in seconds since 1970.
        readers: Whose reading it rests on.
        reads: How many documents they read, each counted once for each reader.
        documents: How many documents those are.
        with_neighbours: How many of these were read together with others.
        floods: Readers left out because they have more events than a person makes.
        refreshed: Documents that were gone over, this time.
        seconds: How long it took.
        settings: How it was counted.
    """

    at: float
    readers: int
    reads: int
    documents: int
    with_neighbours: int
    floods: int
    refreshed: int
    seconds: float
    settings: CoReading

    def to_json(self) -> dict[str, object]:
        """Return all of it as plain values for JSON."""
        return asdict(self)


def learnt(store: ReaderStore) -> Learnt | None:
    """Return what was learnt last; None before anything was.

    Raises:
        ReaderStoreError: the file cannot be read.
    """
    if not store.exists:
        return None
    with store.read() as connection:
        return _last(state(connection)) if there(connection) else None


def learn(
    store: ReaderStore, settings: CoReading | None = None, *, anew: bool = False, tell: Tell | None = None
) -> Learnt:
    """Learn which documents the same readers read, or bring what was learnt up to date.

    It may be stopped at any time: all is written at the end, in one transaction.

    Args:
        store: The readers.
        settings: How much common readers prove. With others than last time, everything is gone over.
        anew: Go over everything in any case.
        tell: Is told how far it is.

    Raises:
        ReaderStoreBusy: readers were being erased, or it was learnt elsewhere, all the while.
        ReaderStoreError: the file cannot be read or written.
    """
    settings = settings or CoReading()
    began = time.monotonic()
    if not store.exists:
        return Learnt(time.time(), 0, 0, 0, 0, 0, 0, 0.0, settings)
    with store.write() as connection:
        make_tables(connection)
    for _ in range(_TRIES):
        done = _learn_once(store, settings, anew, tell or _silent, began)
        if done is not None:
            return done
    raise ReaderStoreBusy(
        f"{store.path}: something was erased, or learnt by another process, each of the {_TRIES} times that it was "
        "learnt from; learn again later"
    )


def _learn_once(
    store: ReaderStore, settings: CoReading, anew: bool, tell: Tell, began: float
) -> Learnt | None:
    """Learn; return None, with nothing written, where what it rests on was taken back meanwhile."""
    with store.read() as connection:
        before = state(connection)
        last = _last(before)
        fresh = anew or last is None or last.settings != settings
        [changes] = connection.execute("SELECT changes FROM store").fetchone()
        [in_all] = connection.execute("SELECT count(*) FROM readers").fetchone()
        changed = np.zeros(0, dtype=np.int64) if fresh else _changed(connection, before.changes)
    reads = reads_of(_counted(store.reads(), in_all, tell), settings.most)
    with store.read() as connection:
        known = dict(connection.execute("SELECT doc_id, number FROM documents"))
        numbers = np.array([known.get(doc_id, -1) for doc_id in reads.doc_ids], dtype=np.int64)
        rows = np.arange(len(numbers)) if fresh else _touched(connection, reads, numbers, changed)
    counts = reads.counts
    found = nearest(reads, rows, settings, lambda done: tell("documents", done, len(rows)))
    made = [
        (
            int(numbers[row]),
            int(counts[row]),
            numbers[others].astype(NUMBERS).tobytes(),
            values.astype(VALUES).tobytes(),
        )
        for row, others, values in found
    ]
    floods = len(store.floods())
    with store.write() as connection:
        if state(connection) != before:
            return None
        if fresh:
            connection.execute("DELETE FROM together")
        else:
            gone = np.setdiff1d(_kept(connection), numbers).tolist()
            connection.executemany("DELETE FROM together WHERE document = ?", [(one,) for one in gone])
        connection.executemany("INSERT OR REPLACE INTO together VALUES (?, ?, ?, ?)", made)
        [linked] = connection.execute("SELECT count(*) FROM together WHERE length(near) > 0").fetchone()
        done = Learnt(
            at=time.time(),
            readers=len(reads.weights),
            reads=len(reads.read),
            documents=len(reads.doc_ids),
            with_neighbours=linked,
            floods=floods,
            refreshed=len(rows),
            seconds=round(time.monotonic() - began, 3),
            settings=settings,
        )
        connection.execute(
            "UPDATE learnt SET changes = ?, times = times + 1, facts = ?",
            (changes, json.dumps(done.to_json())),
        )
    return done


def _last(row: State) -> Learnt | None:
    if not row.facts:
        return None
    facts = json.loads(row.facts)
    return Learnt(**{**facts, "settings": CoReading(**facts["settings"])})


def _changed(connection: sqlite3.Connection, since: int) -> Numbers:
    """Return all that changed readers ever did anything with, so both what they liked and what they like now."""
    rows = connection.execute(
        "SELECT DISTINCT e.document FROM readers r JOIN events e ON e.reader = r.number WHERE r.version > ?",
        (since,),
    )
    return np.array([number for (number,) in rows], dtype=np.int64)


def _kept(connection: sqlite3.Connection) -> Numbers:
    return np.array(
        [number for (number,) in connection.execute("SELECT document FROM together")], dtype=np.int64
    )


def _touched(connection: sqlite3.Connection, reads: Reads, numbers: Numbers, changed: Numbers) -> Numbers:
    """Return the documents whose lists may be other ones now, ascending.

    A document's list depends on its own readers alone: who they are, and what else they read. So it is another one
    where one of them changed, or was erased, which dropped the list; or where it lost an entry that was dropped, and
    then it shares a reader with the document of that entry.
    """
    missing = np.isin(numbers, np.setdiff1d(numbers, _kept(connection)))
    sizes = np.diff(reads.starts)
    reader = np.repeat(np.arange(len(sizes)), sizes)
    concerned = np.bincount(reader, missing[reads.read], minlength=len(sizes)) > 0
    touched = missing | np.isin(numbers, changed)
    touched[reads.read[concerned[reader]]] = True
    return np.flatnonzero(touched)


def _counted(
    readers: Iterable[tuple[str, tuple[str, ...]]], in_all: int, tell: Tell
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for done, reader in enumerate(readers, 1):
        if done % _TOLD == 0:
            tell("readers", done, in_all)
        yield reader


def _silent(doing: str, done: int, total: int) -> None:
    """Tell nobody."""
