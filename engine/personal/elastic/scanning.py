"""Everything at once: all readers, one after the other, in the order in which they came."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from engine.event import Event
from engine.personal.elastic.changing import Entries, Moved
from engine.personal.elastic.entry import Entry, Kept
from engine.personal.reading import event_order, liked

_PAGE = 200
_NAMES = 5_000
_READERS = {"term": {"kind": "reader"}}
_ORDER = ("came", "uid")


def names(entries: Entries, *, flooding: bool = False) -> Iterator[str]:
    """Yield who is known, in the order in which they came.

    Args:
        entries: The entries.
        flooding: Only those who have more events than a person makes.
    """
    entries.index.refresh()
    query = {"bool": {"filter": [_READERS, {"term": {"flooding": True}}]}} if flooding else _READERS
    for hit in entries.index.pages(query, _ORDER, _NAMES, _source=["reader", "count"]):
        yield hit["_source"]["reader"]


def each(entries: Entries) -> Iterator[tuple[Entry, list[Kept]]]:
    """Yield every reader's entry and events, in no order."""
    entries.index.refresh()
    for hit in entries.index.pages(_READERS, _ORDER, _PAGE):
        entry = Entry.from_source(hit["_source"])
        try:
            yield entry, entries.events(entry)
        except Moved:
            newer = entries.read(entry.user_id, lambda one, as_is: (one, entries.events(one, as_is=as_is)))
            if newer is not None:
                yield newer


def in_order(entry: Entry, events: list[Kept]) -> list[Event]:
    """Return a reader's events as they were added, sorted as a history is."""
    user_id = entry.user_id
    kept = sorted(events, key=lambda one: (one.row[:2], one.weight, one.order(user_id)))
    return sorted((one.event(user_id) for one in kept), key=event_order)


def reads(entries: Entries, kinds: Collection[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield readers with the documents that they met and liked; none who flood."""
    for entry, events in each(entries):
        if entry.flooding:
            continue
        doc_ids = liked(((one.doc_id, one.kind, one.weight) for one in events), kinds)
        if doc_ids:
            yield entry.user_id, doc_ids
