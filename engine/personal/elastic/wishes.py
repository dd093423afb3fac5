"""What readers say of themselves, as changes of their entry, and forgetting one document."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from engine.event import microseconds
from engine.personal.admission import may_flood
from engine.personal.elastic import layout
from engine.personal.elastic.access import Write
from engine.personal.elastic.adding import floods_between
from engine.personal.elastic.changing import Entries, Moved
from engine.personal.elastic.entry import Entry, PieceOf, new_entry
from engine.personal.elastic.pieces import piece_source
from engine.personal.wishes import MOST_DECLARED, no_such_interest, too_many

_FIRST, _LAST = -(1 << 62), 1 << 62
_LOOKS = 3


def declare(entries: Entries, user_id: str, words: str, weight: float, at: datetime | None) -> None:
    """Add an interest, or change its weight and time.

    Raises:
        InvalidProfileChange: there are 100 already.
    """

    def step(entry: Entry | None, floor: int) -> tuple[Entry, None]:
        before = entry.changed() if entry is not None else new_entry(user_id, floor)
        others = tuple(one for one in before.declared if one[0] != words)
        if len(others) >= MOST_DECLARED:
            raise too_many(user_id)
        return replace(before, declared=(*others, (words, microseconds(at), float(weight)))), None

    entries.change(user_id, step)


def undeclare(entries: Entries, user_id: str, words: str) -> bool:
    """Take an interest back; return whether there was one of these words."""

    def step(entry: Entry | None, floor: int) -> tuple[Entry | None, bool]:
        if entry is None or all(one[0] != words for one in entry.declared):
            return entry, False
        left = tuple(one for one in entry.declared if one[0] != words)
        return entry.lessened(declared=left, muted=entry.muted - {words}), True

    return entries.change(user_id, step)


def mute(entries: Entries, user_id: str, name: str) -> bool:
    """Turn an interest off; return whether it was on.

    Raises:
        InvalidProfileChange: the reader neither met a document of that id nor declared these words.
    """

    def step(entry: Entry | None, floor: int) -> tuple[Entry | None, bool]:
        if entry is None or not _has(entries, entry, name):
            raise no_such_interest(user_id, name)
        if name in entry.muted:
            return entry, False
        return entry.changed(muted=entry.muted | {name}), True

    return entries.change(user_id, step)


def unmute(entries: Entries, user_id: str, name: str) -> bool:
    """Turn an interest on again; return whether it was off."""

    def step(entry: Entry | None, floor: int) -> tuple[Entry | None, bool]:
        if entry is None or name not in entry.muted:
            return entry, False
        return entry.lessened(muted=entry.muted - {name}), True

    return entries.change(user_id, step)


def forget_document(entries: Entries, user_id: str, doc_id: str) -> int:
    """Take away all that one reader did with one document; return how many events that were."""
    patience = entries.patience()
    looks = 0

    def step(entry: Entry | None, floor: int) -> tuple[Entry | None, int]:
        # Pieces that stay ahead of the entry were left so by a crash.
        return (None, 0) if entry is None else _without(entries, entry, doc_id, as_is=looks >= _LOOKS)

    while True:
        try:
            return entries.change(user_id, step)
        except Moved:
            looks += 1
            patience.pause()


def _without(entries: Entries, entry: Entry, doc_id: str, *, as_is: bool) -> tuple[Entry, int]:
    """Return an entry without what was done with a document, having taken it out of the pieces; and how much it was.

    Raises:
        Moved: somebody else takes something out of the pieces.
    """
    recent = tuple(one for one in entry.recent if one.doc_id != doc_id)
    found = entries.pieces(entry, [one.id for one in entry.pieces], as_is=as_is)
    gone = len(entry.recent) - len(recent)
    gone += sum(one.doc_id == doc_id for _, events in found.values() for one in events)
    if not gone and doc_id not in entry.muted and not as_is:
        return entry, 0
    pieces, writes = [], []
    for piece_id, (held, events) in found.items():
        left = [one for one in events if one.doc_id != doc_id]
        revision = held.source["revision"]
        if len(left) < len(events):
            revision += 1
            source = piece_source(entry.uid, entry.user_id, revision, left)
            writes.append(Write(piece_id, layout.reader_id(entry.user_id), source, held))
        pieces.append(PieceOf.of(piece_id, revision, left))
    if None in entries.index.write(writes, refresh=True):
        raise Moved
    count = len(recent) + sum(one.count for one in pieces)
    after = entry.lessened(recent=recent, pieces=tuple(pieces), count=count, muted=entry.muted - {doc_id})
    flooding = may_flood(count) and floods_between(entries, after, _FIRST, _LAST)
    return replace(after, flooding=flooding), gone


def _has(entries: Entries, entry: Entry, name: str) -> bool:
    if any(text == name for text, _, _ in entry.declared) or any(one.doc_id == name for one in entry.recent):
        return True
    if not entry.pieces:
        return False
    home = layout.reader_id(entry.user_id)
    query = {"bool": {"filter": [{"term": {"uid": entry.uid}}, {"term": {"documents": name}}]}}
    found = entries.index.search({"query": query, "size": 1000, "_source": False}, routing=home)
    listed = {one.id for one in entry.pieces}
    return any(hit["_id"] in listed for hit in found["hits"]["hits"])
