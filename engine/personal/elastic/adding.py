"""How events go in: entry by entry, each under optimistic concurrency, many entries in one request."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from engine.event import Event
from engine.personal.admission import DAY, is_flood, may_flood
from engine.personal.elastic import layout
from engine.personal.elastic.access import Write
from engine.personal.elastic.changing import Entries, Moved
from engine.personal.elastic.entry import INLINE, Entry, Kept, identities, new_entry
from engine.personal.elastic.pieces import PIECE, known_among, seal
from engine.personal.history import Recorded

_READERS = 100  # whose entries are fetched and written at once: 40 MB with the longest of ids


@dataclass(slots=True)
class _Waiting:
    """What of a reader's events is not in yet."""

    events: list[Event]
    added: int = 0
    flooding: bool = False
    mark: str = ""
    taken: int = 0
    new: int = 0


def add(entries: Entries, events: Iterable[Event]) -> Recorded:
    """Add events that are not there yet; the first of two with one identity stays.

    Each reader's go in whole or not at all, up to 400 of somebody new and 1,000 of somebody known; of more, lot by lot.
    """
    own: dict[str, _Waiting] = defaultdict(lambda: _Waiting([]))
    total = 0
    for event in events:
        own[event.user_id].events.append(event)
        total += 1
    left = dict(own)
    patience = entries.patience()
    while left:
        some = dict(islice(left.items(), _READERS))
        if _round(entries, some):
            patience = entries.patience()
        else:
            patience.pause()
        # Who was not done comes after those who were not begun.
        for user_id, waiting in some.items():
            del left[user_id]
            if waiting.events:
                left[user_id] = waiting
    added = sum(one.added for one in own.values())
    flooding = sorted(user_id for user_id, one in own.items() if one.flooding)
    return Recorded(added, total - added, 0, tuple(flooding))


def _round(entries: Entries, some: dict[str, _Waiting]) -> bool:
    """Take in some events of each reader; return whether any of them got further."""
    found, floor = entries.find_all(list(some))
    writes: list[tuple[_Waiting, Entry, Write]] = []
    further = False
    for place, ((user_id, waiting), known) in enumerate(zip(some.items(), found, strict=True)):
        before = known.entry if known is not None else None
        if known is not None and waiting.mark and known.held.source["mark"] == waiting.mark:
            _done(waiting, known.entry)  # it was written, and the answer got lost
            further = True
            if not waiting.events:
                continue
        waiting.taken = PIECE if before is not None else INLINE
        try:
            after, waiting.new = _with(
                entries, before, user_id, waiting.events[: waiting.taken], floor, place
            )
        except Moved:
            continue
        if after is before and before is not None:
            _done(waiting, before)
            further = True
            continue
        waiting.mark = secrets.token_hex(8)
        home = layout.reader_id(user_id)
        if len(after.recent) <= INLINE or known is None:
            held = known.held if known is not None else None
            writes.append((waiting, after, Write(home, home, after.to_source(waiting.mark), held)))
        elif seal(entries, known, after, waiting.mark) is not None:
            _done(waiting, after)
            further = True
    done = entries.index.write([write for _, _, write in writes]) if writes else []
    for (waiting, after, _), written in zip(writes, done, strict=True):
        if written is not None:
            _done(waiting, after)
            further = True
    return further


def _done(waiting: _Waiting, entry: Entry) -> None:
    waiting.added += waiting.new
    waiting.events = waiting.events[waiting.taken :]
    waiting.flooding = entry.flooding
    waiting.mark, waiting.new = "", 0


def _with(
    entries: Entries, before: Entry | None, user_id: str, events: Sequence[Event], floor: int, place: int
) -> tuple[Entry, int]:
    """Return a reader's entry with these events, and how many of them it did not have."""
    there = identities(user_id, before.recent) if before is not None else set()
    new: dict[str, Event] = {}
    for event in events:
        if event.identity not in there:
            new.setdefault(event.identity, event)
    if before is not None:
        for identity in known_among(entries, before, set(new)):
            del new[identity]
        if not new:
            return before, 0
    after = before.changed() if before is not None else new_entry(user_id, floor, place)
    kept = tuple(Kept.of(event, after.version) for event in new.values())
    after = replace(after, recent=after.recent + kept, count=after.count + len(kept))
    return replace(after, flooding=after.flooding or _floods(entries, after, kept)), len(kept)


def _floods(entries: Entries, entry: Entry, new: Sequence[Kept]) -> bool:
    """Whether events that were just added make a flood; only hours and days that they are in are looked at."""
    if not may_flood(entry.count):
        return False
    times = [one.at for one in new if one.at is not None]
    return (
        floods_between(entries, entry, min(times) - DAY, max(times) + DAY)
        if times
        else floods_between(entries, entry, 1, 0)
    )


def floods_between(entries: Entries, entry: Entry, first: int, last: int) -> bool:
    """Whether a reader's events between two times, and those without one, are a flood."""
    untimed = sum(one.at is None for one in entry.recent) + sum(one.untimed for one in entry.pieces)
    ids = [one.id for one in entry.pieces if one.overlaps(first, last)]
    events = list(entry.recent)
    for _, more in entries.pieces(entry, ids).values():
        events += more
    times = [one.at for one in events if one.at is not None and first <= one.at <= last]
    return is_flood(np.array(times, dtype=np.int64), untimed)
