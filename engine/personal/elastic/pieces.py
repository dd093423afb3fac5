"""The older events of a reader who has many, in pieces beside the entry: filled so that no erasure can miss one.

A piece is made empty, then named in the entry, and filled only then, under optimistic concurrency: whoever erases the
reader finds it in the entry and deletes it, and what is still on its way into it is refused. So no event can arrive
after its reader is gone.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from engine.personal.elastic import layout
from engine.personal.elastic.access import Held, Write
from engine.personal.elastic.changing import Entries, Known
from engine.personal.elastic.entry import INLINE, Entry, Kept, PieceOf, identities, to_columns

PIECE = 1_000
"""So many events are in one piece at most."""


def piece_source(uid: str, user_id: str, revision: int, events: Sequence[Kept]) -> dict[str, object]:
    """Return the document of a piece."""
    return {
        "kind": "piece",
        "uid": uid,
        "revision": revision,
        "events": to_columns(events),
        "documents": sorted({one.doc_id for one in events}),
        "identities": sorted(identities(user_id, events)),
    }


def split(events: Sequence[Kept]) -> tuple[list[Sequence[Kept]], Sequence[Kept]]:
    """Return which events make full pieces, and which stay in the entry."""
    full = []
    while len(events) > INLINE:
        full.append(events[:PIECE])
        events = events[PIECE:]
    return full, events


def seal(entries: Entries, known: Known, after: Entry, mark: str) -> Held | None:
    """Write an entry whose recent events have become too many for it, moving them into pieces.

    Args:
        entries: The entries.
        known: The entry as it was found.
        after: As it is to be, with all its recent events.
        mark: Tells who wrote it.

    Returns:
        The document; None where somebody else was faster.
    """
    index, before = entries.index, known.entry
    home = layout.reader_id(before.user_id)
    full, rest = split(after.recent)
    ids = [f"{before.uid}.{secrets.token_hex(8)}" for _ in full]
    blank = {"kind": "piece", "uid": before.uid}
    blanks = index.write([Write(one, home, blank) for one in ids])
    reserving = replace(before, reserved=(*before.reserved, *ids))
    named = entries.put(known, reserving, f"{mark}-reserved")
    if named is None:
        index.write([Write(one, home, None) for one in ids])
        return None
    # What somebody reserved before and has not filled by now was left by a crash, or is begun again over there.
    index.write([Write(one, home, None) for one in before.reserved])
    filled = index.write(
        [
            Write(piece_id, home, piece_source(before.uid, before.user_id, 0, events), held)
            for piece_id, events, held in zip(ids, full, blanks, strict=True)
        ],
        refresh=True,
    )
    if None in filled or None in blanks:
        return None
    made = tuple(PieceOf.of(one, 0, events) for one, events in zip(ids, full, strict=True))
    sealed = replace(after, recent=tuple(rest), pieces=after.pieces + made, reserved=())
    return entries.put(Known(named, reserving), sealed, mark)


def known_among(entries: Entries, entry: Entry, wanted: set[str]) -> set[str]:
    """Return which of these identities a reader's pieces have."""
    if not entry.pieces or not wanted:
        return set()
    home = layout.reader_id(entry.user_id)
    listed = {one.id for one in entry.pieces}
    query = {"bool": {"filter": [{"term": {"uid": entry.uid}}, {"terms": {"identities": sorted(wanted)}}]}}
    body = {"query": query, "size": 10_000, "_source": False, "track_total_hits": False}
    hits = entries.index.search(body, routing=home)["hits"]["hits"]
    found = entries.pieces(entry, [hit["_id"] for hit in hits if hit["_id"] in listed])
    there: set[str] = set()
    for _, events in found.values():
        there |= identities(entry.user_id, events) & wanted
    return there
