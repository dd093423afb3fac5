"""How events go into the file of readers; each function inside its caller's transaction."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np

from engine.event import KINDS, Event, microseconds
from engine.personal.admission import DAY, is_flood, may_flood
from engine.personal.history import Recorded

_CODES = {kind: code for code, kind in enumerate(KINDS)}
_FIRST, _LAST = -(1 << 62), 1 << 62
_HEX = frozenset("0123456789abcdef")


def stored_identity(identity: str) -> str | bytes:
    """Return an identity as the file keeps it: 32 hexadecimal digits as 16 bytes, anything else as it is."""
    return bytes.fromhex(identity) if len(identity) == 32 and _HEX.issuperset(identity) else identity


def stored_kind(kind: str) -> int | str:
    """Return a kind as the file keeps it."""
    return _CODES.get(kind, kind)


def next_change(connection: sqlite3.Connection) -> int:
    """Return the number of this change, which no other has or will have."""
    connection.execute("UPDATE store SET changes = changes + 1")
    number: int = connection.execute("SELECT changes FROM store").fetchone()[0]
    return number


def reader_number(connection: sqlite3.Connection, user_id: str) -> int:
    """Return the number of a reader, 0 of somebody unknown."""
    row = connection.execute("SELECT number FROM readers WHERE user_id = ?", (user_id,)).fetchone()
    return row[0] if row else 0


def known_reader(connection: sqlite3.Connection, user_id: str, change: int) -> int:
    """Return the number of a reader, who is new unless there is one of that name."""
    number = reader_number(connection, user_id)
    if number:
        return number
    added = connection.execute(
        "INSERT INTO readers (user_id, version, removed, events, flooding, salt) VALUES (?, ?, 0, 0, 0, ?)",
        (user_id, change, os.urandom(8)),
    )
    return added.lastrowid or 0


def record(connection: sqlite3.Connection, events: Iterable[Event]) -> Recorded:
    """Add events that are not there yet; the first of two with one identity stays.

    An identity is one reader's: what another reader's events are called makes no difference to what is kept, or
    erasing one would leave a trace in the other.
    """
    own: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        own[event.user_id].append(event)
    change = next_change(connection)
    documents = _Documents(connection)
    added = 0
    flooding = []
    for user_id, met in own.items():
        number = known_reader(connection, user_id, change)
        new = [event for event in met if _insert(connection, number, documents, event, change)]
        [(total, flood)] = connection.execute(
            "SELECT events, flooding FROM readers WHERE number = ?", (number,)
        )
        if new:
            total += len(new)
            flood = flood or _floods(connection, number, new, total)
            connection.execute(
                "UPDATE readers SET version = ?, events = ?, flooding = ? WHERE number = ?",
                (change, total, int(flood), number),
            )
        added += len(new)
        if flood:
            flooding.append(user_id)
    documents.count()
    return Recorded(added, sum(map(len, own.values())) - added, 0, tuple(sorted(flooding)))


def _insert(
    connection: sqlite3.Connection, reader: int, documents: _Documents, event: Event, change: int
) -> bool:
    document = documents.number(event.doc_id)
    row = (
        reader,
        stored_identity(event.identity),
        document,
        stored_kind(event.kind),
        microseconds(event.at),
        event.weight,
        change,
    )
    added = connection.execute("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", row).rowcount > 0
    if added:
        documents.uses[document] += 1
    return added


class _Documents:
    """The numbers of documents met in one change, and how many events more have them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._numbers: dict[str, int] = {}
        self.uses: Counter[int] = Counter()

    def number(self, doc_id: str) -> int:
        """Return a document's number; it is new unless there is one of that id."""
        number = self._numbers.get(doc_id)
        if number is None:
            execute = self._connection.execute
            row = execute("SELECT number FROM documents WHERE doc_id = ?", (doc_id,)).fetchone()
            if row is None:
                number = (
                    execute("INSERT INTO documents (doc_id, uses) VALUES (?, 0)", (doc_id,)).lastrowid or 0
                )
            else:
                number = int(row[0])
            self._numbers[doc_id] = number
        return number

    def count(self) -> None:
        """Write down the uses, and drop documents that turned out to have none."""
        self._connection.executemany(
            "UPDATE documents SET uses = uses + ? WHERE number = ?",
            [(uses, number) for number, uses in self.uses.items()],
        )
        unused = [(number,) for number in self._numbers.values() if not self.uses[number]]
        self._connection.executemany("DELETE FROM documents WHERE number = ? AND uses = 0", unused)


def _floods(connection: sqlite3.Connection, reader: int, new: Iterable[Event], total: int) -> bool:
    """Whether events that were just added make a flood; only hours and days that they are in are looked at."""
    if not may_flood(total):
        return False
    ticks = [tick for event in new if (tick := microseconds(event.at)) is not None]
    first, last = (min(ticks) - DAY, max(ticks) + DAY) if ticks else (_LAST, _LAST)
    return floods_between(connection, reader, first, last)


def floods_between(
    connection: sqlite3.Connection, reader: int, first: int = _FIRST, last: int = _LAST
) -> bool:
    """Whether a reader's events between two times, and those without one, are a flood."""
    times = connection.execute(
        "SELECT at FROM events WHERE reader = ? AND at BETWEEN ? AND ?", (reader, first, last)
    ).fetchall()
    [untimed] = connection.execute(
        "SELECT count(*) FROM events WHERE reader = ? AND at IS NULL", (reader,)
    ).fetchone()
    return is_flood(np.array([time for (time,) in times], dtype=np.int64), untimed)


def touch(connection: sqlite3.Connection, reader: int, change: int) -> None:
    """Say that a reader's history is another one now."""
    connection.execute("UPDATE readers SET version = ? WHERE number = ?", (change, reader))
