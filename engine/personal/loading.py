"""How histories and events come out of the file of readers; each function inside its caller's transaction."""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from engine.event import KINDS, Event, content_identity, moment
from engine.personal.history import NOBODY, UNTIMED, Declared, History, Row, history_of
from engine.personal.recording import stored_kind

LIKING = ("read", "click", "dwell", "like", "save")
DISLIKING = ("dislike", "hide")
_KEPT_ROWS = 100_000


@dataclass(slots=True)
class Recent:
    """Histories read lately, so that after one event more only that one is read; at most 100,000 events in all."""

    _kept: OrderedDict[str, tuple[int, int, list[Row]]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def history(self, connection: sqlite3.Connection, user_id: str) -> History:
        """Return the history of a reader as the connection sees it."""
        reader = connection.execute(
            "SELECT number, version, removed, flooding FROM readers WHERE user_id = ?", (user_id,)
        ).fetchone()
        if reader is None:
            self.drop(user_id)
            return NOBODY
        number, version, removed, flooding = reader
        rows = self._rows(connection, user_id, number, version, removed)
        return history_of(
            version,
            rows,
            declared_by(connection, number),
            muted_by(connection, number),
            flooding=bool(flooding),
        )

    def _rows(
        self, connection: sqlite3.Connection, user_id: str, number: int, version: int, removed: int
    ) -> list[Row]:
        with self._lock:
            known = self._kept.get(user_id)
        if known and known[0] == number and removed <= known[1] <= version:
            new = rows_of(connection, number, known[1]) if known[1] < version else []
            rows = sorted(known[2] + new) if new else known[2]
        else:
            rows = sorted(rows_of(connection, number))
        with self._lock:
            self._kept[user_id] = (number, version, rows)
            self._kept.move_to_end(user_id)
            in_all = sum(len(rows) for _, _, rows in self._kept.values())
            while in_all > _KEPT_ROWS and self._kept:
                in_all -= len(self._kept.popitem(last=False)[1][2])
        return rows

    def drop(self, user_id: str) -> None:
        """Keep nothing of a reader in memory."""
        with self._lock:
            self._kept.pop(user_id, None)


def rows_of(connection: sqlite3.Connection, number: int, since: int = 0) -> list[Row]:
    """Return a reader's events, unsorted; only those that changes after `since` added."""
    rows = connection.execute(
        "SELECT ifnull(e.at, ?), d.doc_id, e.kind, e.weight FROM events e JOIN documents d ON d.number = e.document"
        " WHERE e.reader = ? AND e.version > ?",
        (UNTIMED, number, since),
    )
    return [(at, doc_id, _kind(kind), weight) for at, doc_id, kind, weight in rows]


def _kind(stored: int | str) -> str:
    if not isinstance(stored, int):
        return stored
    if not 0 <= stored < len(KINDS):
        raise sqlite3.DatabaseError(f"an event of kind number {stored}, which there is none of")
    return KINDS[stored]


def declared_by(connection: sqlite3.Connection, number: int) -> tuple[Declared, ...]:
    """Return a reader's declared interests, by text."""
    rows = connection.execute(
        "SELECT text, at, weight FROM declared WHERE reader = ? ORDER BY text", (number,)
    )
    return tuple(
        Declared(text, float("nan") if at is None else at / 1e6, weight) for text, at, weight in rows
    )


def muted_by(connection: sqlite3.Connection, number: int) -> frozenset[str]:
    """Return what a reader turned off."""
    rows = connection.execute("SELECT name FROM muted WHERE reader = ?", (number,))
    return frozenset(name for (name,) in rows)


def readers_after(connection: sqlite3.Connection, number: int, most: int) -> list[tuple[int, str]]:
    """Return the next readers after a number, in the order in which they came: number and user_id."""
    return connection.execute(
        "SELECT number, user_id FROM readers WHERE number > ? ORDER BY number LIMIT ?", (number, most)
    ).fetchall()


def events_of(connection: sqlite3.Connection, number: int, user_id: str) -> list[Event]:
    """Return a reader's events as they were added, sorted as a history is."""
    rows = connection.execute(
        "SELECT e.at, d.doc_id, e.kind, e.weight, e.identity FROM events e JOIN documents d ON d.number = e.document"
        " WHERE e.reader = ? ORDER BY e.at, d.doc_id, e.weight, e.identity",
        (number,),
    )
    events = [
        Event(
            user_id,
            doc_id,
            _kind(kind),
            moment(at),
            weight,
            _event_id(user_id, doc_id, kind, at, weight, identity),
        )
        for at, doc_id, kind, weight, identity in rows
    ]
    return sorted(events, key=_order)


def _order(event: Event) -> tuple[bool, float, str, str, float]:
    at = event.at
    return at is not None, at.timestamp() if at else 0.0, event.doc_id, event.kind, event.weight


def _event_id(
    user_id: str, doc_id: str, kind: int | str, at: int | None, weight: float, identity: str | bytes
) -> str:
    """Return the id that an event came with: nothing where its identity is that of its content."""
    if isinstance(identity, str):
        return identity
    said = identity.hex()
    return "" if said == content_identity(user_id, doc_id, _kind(kind), at, weight) else said


def reads_between(
    connection: sqlite3.Connection, first: int, last: int, kinds: Collection[str]
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield readers whose numbers are in a span, with the documents that they liked, sorted; no flooding readers.

    A document counts that some event of these kinds, of weight over 0, has, unless the reader disliked or hid it too.
    """
    rows = connection.execute(
        "SELECT e.reader, d.doc_id, e.kind, e.weight FROM events e JOIN readers r ON r.number = e.reader"
        " JOIN documents d ON d.number = e.document"
        " WHERE e.reader BETWEEN ? AND ? AND NOT r.flooding ORDER BY e.reader",
        (first, last),
    )
    liking, disliking = {stored_kind(kind) for kind in kinds}, {stored_kind(kind) for kind in DISLIKING}
    for reader, own in groupby(rows, key=lambda row: row[0]):
        liked, disliked = set(), set()
        for _, doc_id, kind, weight in own:
            if kind in disliking:
                disliked.add(doc_id)
            elif kind in liking and weight > 0:
                liked.add(doc_id)
        if liked - disliked:
            yield reader, tuple(sorted(liked - disliked))
