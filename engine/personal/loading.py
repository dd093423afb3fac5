"""How histories and events come out of the file of readers; each function inside its caller's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from itertools import groupby

from engine.event import KINDS, Event, content_identity, moment
from engine.personal.history import NOBODY, UNTIMED, Declared, History, Row, history_of
from engine.personal.reading import event_order, liked
from engine.personal.recent import Recent


def history(connection: sqlite3.Connection, recent: Recent, user_id: str) -> History:
    """Return the history of a reader as the connection sees it; what was read lately is not read again."""
    reader = connection.execute(
        "SELECT number, version, removed, flooding FROM readers WHERE user_id = ?", (user_id,)
    ).fetchone()
    if reader is None:
        recent.drop(user_id)
        return NOBODY
    number, version, removed, flooding = reader
    rows = recent.rows(user_id, number, version, removed, lambda since: rows_of(connection, number, since))
    return history_of(
        version, rows, declared_by(connection, number), muted_by(connection, number), flooding=bool(flooding)
    )


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
    return sorted(events, key=event_order)


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
    for reader, own in groupby(rows, key=lambda row: row[0]):
        doc_ids = liked(((doc_id, _kind(kind), weight) for _, doc_id, kind, weight in own), kinds)
        if doc_ids:
            yield reader, doc_ids
