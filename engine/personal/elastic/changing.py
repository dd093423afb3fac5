"""Reading a reader's entry, and changing it: read, decide, write unless somebody else was faster, or begin again."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from engine.errors import ReaderStoreBusy
from engine.personal.elastic import layout
from engine.personal.elastic.access import Held, ReaderIndex, Write
from engine.personal.elastic.entry import Entry, Kept, from_columns

T = TypeVar("T")
_LONGEST_PAUSE = 0.25
_LOOKS = 4


class Moved(Exception):
    """A piece is not what the entry says of it any more: both changed since the entry was read."""


@dataclass(frozen=True, slots=True)
class Known:
    """A reader's entry as it was found.

    Args:
        held: The document.
        entry: What it says.
    """

    held: Held
    entry: Entry


class Patience:
    """Pauses between tries, of random and growing length, until it is over.

    Args:
        seconds: How long it lasts.
        place: What is changed, for the message.
    """

    def __init__(self, seconds: float, place: str) -> None:
        self._until = time.monotonic() + seconds
        self._place = place
        self._tries = 0

    def pause(self) -> None:
        """Wait a little.

        Raises:
            ReaderStoreBusy: it is over.
        """
        if time.monotonic() > self._until:
            raise ReaderStoreBusy(
                f"{self._place}: others were faster with every try to change it; try again later"
            )
        self._tries += 1
        time.sleep(random.random() * min(_LONGEST_PAUSE, 0.005 * 2**self._tries))


class Entries:
    """The entries of an index of readers.

    Args:
        index: The index.
        wait: Seconds for which a change is tried that others are faster with.
    """

    def __init__(self, index: ReaderIndex, wait: float) -> None:
        self.index = index
        self._wait = wait

    def patience(self) -> Patience:
        """Return how long a change is tried."""
        return Patience(self._wait, self.index.place)

    def find(self, user_id: str) -> Known | None:
        """Return a reader's entry; None for somebody unknown."""
        return self.find_all([user_id])[0][0]

    def find_home(self, home: str) -> Known | None:
        """Return the entry of this id; None where there is none."""
        held = self.index.get(home, home)
        return None if held is None else Known(held, Entry.from_source(held.source))

    def find_all(self, user_ids: Sequence[str]) -> tuple[list[Known | None], int]:
        """Return the entries of readers, and the version that whoever is new must be above."""
        ids = [layout.reader_id(user_id) for user_id in user_ids]
        *found, store = self.index.get_all(
            [*((one, one, None) for one in ids), (layout.STORE, layout.STORE, ["floor"])]
        )
        floor = store.source["floor"] if store is not None else 0
        return [None if one is None else Known(one, Entry.from_source(one.source)) for one in found], floor

    def read(self, user_id: str, use: Callable[[Entry, bool], T]) -> T | None:
        """Return what is made of a reader's entry and its pieces; None for somebody unknown.

        Args:
            user_id: Who.
            use: Is given the entry, and whether pieces that are newer than it says are to be taken as they are;
                else it raises `Moved` for them, and is asked again with the newest entry.
        """
        patience = self.patience()
        for look in range(_LOOKS + 1):
            known = self.find(user_id)
            if known is None:
                return None
            try:
                return use(known.entry, look >= _LOOKS)
            except Moved:
                patience.pause()
        return None  # the pieces went, and so did the reader

    def change(self, user_id: str, step: Callable[[Entry | None, int], tuple[Entry | None, T]]) -> T:
        """Change one reader's entry.

        Args:
            user_id: Who.
            step: Is given the entry (None for somebody unknown) and the floor of versions; returns the entry as it is
                to be (the same for no change; one that is empty goes), and what to return.
        """
        patience = self.patience()
        mark = ""
        while True:
            [known], floor = self.find_all([user_id])
            before = known.entry if known is not None else None
            after, outcome = step(before, floor)
            if after is before:
                return outcome
            mark = secrets.token_hex(8)
            if self.put(known, after, mark) is not None:
                return outcome
            patience.pause()

    def put(self, known: Known | None, after: Entry | None, mark: str) -> Held | None:
        """Write an entry, or take it away where it is None or empty, if it is still as it was found.

        Returns:
            The document; None where somebody else was faster.
        """
        held = known.held if known is not None else None
        if after is None or (after.empty and not after.reserved):
            if known is None or held is None:
                return Held("", "", 0, 0, {})
            gone = known.entry if after is None else after
            self.raise_floor(gone.version)
            [done] = self.index.write([Write(held.id, held.routing, None, held)])
            return done
        home = layout.reader_id(after.user_id)
        [done] = self.index.write([Write(home, home, after.to_source(mark), held)])
        if done is None:  # perhaps it was written, and the answer got lost
            there = self.index.get(home, home)
            if there is not None and there.source["mark"] == mark:
                return there
        return done

    def raise_floor(self, version: int) -> None:
        """See to it that whoever comes from now on has versions above this one."""
        patience = self.patience()
        while True:
            held = self.index.get(layout.STORE, layout.STORE)
            if held is None or held.source["floor"] >= version:
                return
            [done] = self.index.write([Write(held.id, held.routing, {**held.source, "floor": version}, held)])
            if done is not None:
                return
            patience.pause()

    def events(self, entry: Entry, since: int = 0, *, as_is: bool = False) -> list[Kept]:
        """Return the events that versions after one have added, in no order.

        Args:
            entry: The reader's.
            since: The version.
            as_is: Whether pieces newer than the entry says are taken as they are.

        Raises:
            Moved: a piece is not as the entry says.
        """
        events = [one for one in entry.recent if one.change > since]
        for piece in self.pieces(
            entry, [one.id for one in entry.pieces if one.change > since], as_is=as_is
        ).values():
            events += [one for one in piece[1] if one.change > since]
        return events

    def pieces(
        self, entry: Entry, ids: Sequence[str], *, as_is: bool = False
    ) -> dict[str, tuple[Held, tuple[Kept, ...]]]:
        """Return pieces of a reader, with their events.

        Raises:
            Moved: a piece is not as the entry says.
        """
        revisions = {one.id: one.revision for one in entry.pieces}
        home = layout.reader_id(entry.user_id)
        found = {}
        for at in range(0, len(ids), _PIECES):
            some = ids[at : at + _PIECES]
            for piece_id, held in zip(
                some, self.index.get_all([(one, home, None) for one in some]), strict=True
            ):
                if held is None or "events" not in held.source:
                    if not as_is:
                        raise Moved
                    continue
                if held.source["revision"] != revisions[piece_id] and not as_is:
                    raise Moved
                found[piece_id] = held, from_columns(held.source["events"])
        return found


_PIECES = 20  # fetched at once
