"""A reader's entry: one document that holds all that is known of them, but older events if there are many."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.event import Event, content_identity, microseconds, moment
from engine.personal.history import UNTIMED, Declared, Row
from engine.personal.recording import stored_identity

INLINE = 400
"""So many events are kept in the entry at most: a new event rewrites the entry, and nothing else."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An event as it is kept.

    Args:
        at: Microseconds since 1970; None where the log did not say.
        doc_id: The document.
        kind: Its kind.
        weight: Its weight.
        event_id: The log's own name for it; empty where its content is its identity.
        change: The version of the history that added it.
    """

    at: int | None
    doc_id: str
    kind: str
    weight: float
    event_id: str
    change: int

    @classmethod
    def of(cls, event: Event, change: int) -> Kept:
        """Return an event as it is kept."""
        at, identity = microseconds(event.at), event.identity
        content = content_identity(event.user_id, event.doc_id, event.kind, at, event.weight)
        return cls(
            at, event.doc_id, event.kind, event.weight, identity if identity != content else "", change
        )

    def identity(self, user_id: str) -> str:
        """Return what makes it the same event when it is met again."""
        return self.event_id or content_identity(user_id, self.doc_id, self.kind, self.at, self.weight)

    def event(self, user_id: str) -> Event:
        """Return the event."""
        return Event(user_id, self.doc_id, self.kind, moment(self.at), self.weight, self.event_id)

    @property
    def row(self) -> Row:
        """What a history holds of it."""
        return (UNTIMED if self.at is None else self.at, self.doc_id, self.kind, self.weight)

    def order(self, user_id: str) -> tuple[Any, ...]:
        """Return what decides between events that a history does not tell apart: as in the file of readers."""
        stored = stored_identity(self.identity(user_id))
        in_bytes = isinstance(stored, bytes)
        return in_bytes, stored if isinstance(stored, bytes) else stored.encode()


def to_columns(events: Sequence[Kept]) -> dict[str, list[Any]]:
    """Return events as the index keeps them: field by field."""
    return {
        "at": [one.at for one in events],
        "doc": [one.doc_id for one in events],
        "kind": [one.kind for one in events],
        "weight": [one.weight for one in events],
        "id": [one.event_id for one in events],
        "change": [one.change for one in events],
    }


def from_columns(columns: Mapping[str, Sequence[Any]]) -> tuple[Kept, ...]:
    """Return the events that `to_columns` wrote down."""
    rows = zip(*(columns[name] for name in ("at", "doc", "kind", "weight", "id", "change")), strict=True)
    return tuple(
        Kept(at, doc_id, kind, float(weight), event_id, change)
        for at, doc_id, kind, weight, event_id, change in rows
    )


@dataclass(frozen=True, slots=True)
class PieceOf:
    """What an entry says of one of its pieces.

    Args:
        id: The piece's.
        revision: How often events were taken out of it.
        count: How many events it has.
        change: The last version of the history that added one of them.
        first: The earliest time among them, None without any.
        last: The latest.
        untimed: How many have no time.
    """

    id: str
    revision: int
    count: int
    change: int
    first: int | None
    last: int | None
    untimed: int

    @classmethod
    def of(cls, piece_id: str, revision: int, events: Collection[Kept]) -> PieceOf:
        """Return what to say of a piece that holds these events."""
        times = [one.at for one in events if one.at is not None]
        return cls(
            piece_id,
            revision,
            len(events),
            max((one.change for one in events), default=0),
            min(times, default=None),
            max(times, default=None),
            len(events) - len(times),
        )

    def overlaps(self, first: int, last: int) -> bool:
        """Whether some of its events may lie between two times."""
        return self.first is not None and self.last is not None and self.first <= last and first <= self.last


@dataclass(frozen=True, slots=True)
class Entry:
    """All that is kept of one reader.

    Args:
        user_id: Who.
        uid: A number drawn by chance; whoever comes back after being erased has another.
        salt: Of the pseudonym.
        came: When they came: a number that orders readers.
        version: Of the history.
        removed: The last version that took something out of it.
        count: How many events there are, in pieces and here.
        flooding: Whether these are more than a person makes.
        recent: The events that are in no piece.
        declared: Interests in their own words: text to time (microseconds, or None) and weight.
        muted: What they turned off.
        pieces: Where the other events are.
        reserved: Pieces that are being filled; they belong to nobody else.
    """

    user_id: str
    uid: str
    salt: bytes
    came: int
    version: int
    removed: int = 0
    count: int = 0
    flooding: bool = False
    recent: tuple[Kept, ...] = ()
    declared: tuple[tuple[str, int | None, float], ...] = ()
    muted: frozenset[str] = frozenset()
    pieces: tuple[PieceOf, ...] = ()
    reserved: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing is known of the reader any more."""
        return not (self.count or self.declared or self.muted)

    @property
    def interests(self) -> tuple[Declared, ...]:
        """What the reader declared, by text."""
        return tuple(
            Declared(text, float("nan") if at is None else at / 1e6, weight)
            for text, at, weight in sorted(self.declared)
        )

    def changed(self, **values: Any) -> Entry:
        """Return the entry's next version, with these values."""
        return replace(self, version=max(self.version + 1, _now()), **values)

    def lessened(self, **values: Any) -> Entry:
        """Return the entry's next version, out of which something was taken."""
        after = self.changed(**values)
        return replace(after, removed=after.version)

    def to_source(self, mark: str) -> dict[str, Any]:
        """Return the document; `mark` tells who wrote it."""
        return {
            "kind": "reader",
            "mark": mark,
            "reader": self.user_id,
            "uid": self.uid,
            "salt": self.salt.hex(),
            "came": self.came,
            "version": self.version,
            "removed": self.removed,
            "count": self.count,
            "flooding": self.flooding,
            "recent": to_columns(self.recent),
            "said": {"declared": [list(one) for one in self.declared], "muted": sorted(self.muted)},
            "sealed": {
                "pieces": [
                    [one.id, one.revision, one.count, one.change, one.first, one.last, one.untimed]
                    for one in self.pieces
                ],
                "reserved": list(self.reserved),
            },
            "documents": sorted({one.doc_id for one in self.recent}),
        }

    @classmethod
    def from_source(cls, source: Mapping[str, Any]) -> Entry:
        """Return the entry that `to_source` wrote."""
        said, sealed = source["said"], source["sealed"]
        return cls(
            user_id=source["reader"],
            uid=source["uid"],
            salt=bytes.fromhex(source["salt"]),
            came=source["came"],
            version=source["version"],
            removed=source["removed"],
            count=source["count"],
            flooding=source["flooding"],
            recent=from_columns(source["recent"]),
            declared=tuple((text, at, float(weight)) for text, at, weight in said["declared"]),
            muted=frozenset(said["muted"]),
            pieces=tuple(PieceOf(*one) for one in sealed["pieces"]),
            reserved=tuple(sealed["reserved"]),
        )


def new_entry(user_id: str, floor: int, place: int = 0) -> Entry:
    """Return the entry of somebody new.

    Args:
        user_id: Who.
        floor: The highest version that was ever given to somebody who is gone: theirs are higher.
        place: Which of those who come at once.
    """
    now = max(floor + 1, _now())
    return Entry(user_id, os.urandom(8).hex(), os.urandom(8), now + place, now)


def identities(user_id: str, events: Iterable[Kept]) -> set[str]:
    """Return what makes these events the same when they are met again."""
    return {one.identity(user_id) for one in events}


def _now() -> int:
    return time.time_ns() // 1000
