"""`ElasticReaderStore`: the readers of one tenant on Elasticsearch, with what `ReaderStore` does in a file.

    with ElasticReaderStore.open(index.cluster, index.name) as store:
        store.add([Event("ann", "moby-dick", "like", datetime.now(UTC))])
        history = store.history("ann")
        store.forget("ann")

The index of readers is made by the first write. What a call has returned from is in the translog of every copy, and the
next call sees it, in whichever process (`access`).
"""

from __future__ import annotations

import hmac
import logging
import os
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING

from engine.errors import ReaderStoreError
from engine.event import Event, InvalidEvent, name_fault
from engine.personal import wishes
from engine.personal.admission import split_by_clock
from engine.personal.elastic import layout, scanning
from engine.personal.elastic import wishes as changes
from engine.personal.elastic.access import ReaderIndex
from engine.personal.elastic.adding import add
from engine.personal.elastic.changing import Entries
from engine.personal.elastic.entry import Entry
from engine.personal.elastic.erasing import Eraser
from engine.personal.elastic.lease import SILENT
from engine.personal.elastic.lists import ElasticLists, stamp_of
from engine.personal.history import NAMED, NOBODY, Forgotten, History, Recorded, Row, history_of
from engine.personal.learned import Learned
from engine.personal.readers import LIKING, Standing
from engine.personal.reading import exported, named
from engine.personal.recent import Recent

if TYPE_CHECKING:
    from indexer.elastic.wire.connection import Cluster

WAIT = 30.0
"""Seconds for which a change is tried that others are faster with."""
_LOG = logging.getLogger(__name__)


class ElasticReaderStore(AbstractContextManager["ElasticReaderStore"]):
    """The readers of one tenant; made by `open`. Safe to share between threads.

    Args:
        cluster: Where they are kept.
        name: Of the index of documents that they read.
        tenant: Whose readers.
        wait: Seconds for which a change is tried that others are faster with.
        owned: Whether the cluster is closed with the store.
    """

    def __init__(
        self, cluster: Cluster, name: str, tenant: str, *, wait: float = WAIT, owned: bool = False
    ) -> None:
        self.tenant = tenant
        self._new_key = os.urandom(32)
        self._index = ReaderIndex(cluster, name, tenant, self._new_key)
        self._owned = owned
        self._entries = Entries(self._index, wait)
        self.lists = ElasticLists(self._index, wait)
        self._eraser = Eraser(self._entries, self.lists)
        self.lists.tidy = self._eraser.clear
        self._recent = Recent()
        self._key: bytes | None = None
        self._finishing: threading.Thread | None = None

    @classmethod
    def open(
        cls,
        cluster: Cluster,
        name: str,
        tenant: str = "default",
        *,
        wait: float = WAIT,
        owned: bool = False,
    ) -> ElasticReaderStore:
        """Open the readers of a tenant, and finish an erasure that a crash left unfinished.

        Who was to be erased is in no answer from here on; the rest, which takes half a minute, is done by a thread of
        its own, for which `close` waits.

        Args:
            cluster: Where they are kept.
            name: Of the index of documents that they read.
            tenant: 1 to 64 letters, digits, - and _; readers of different tenants share nothing.
            wait: Seconds for which a change is tried that others are faster with.
            owned: Whether the cluster is closed with the store.

        Raises:
            InvalidProfileChange: that is no name of a tenant.
            ReaderStoreError: the server does not answer, or what it has is something else.
        """
        store = cls(cluster, name, tenant, wait=wait, owned=owned)
        try:
            if store._index.look() and store._eraser.pending():
                store._eraser.take_marked()
                store._finishing = threading.Thread(target=store._finish, name="quire-erasing", daemon=True)
                store._finishing.start()
        except BaseException:
            store.close()
            raise
        return store

    @property
    def place(self) -> str:
        """Where the readers are kept, for messages."""
        return self._index.place

    @property
    def weights_place(self) -> str:
        """Where the weights are kept that were learnt from clicks, for messages."""
        return self._index.place

    @property
    def exists(self) -> bool:
        """Whether anything was ever written for this tenant; where not, the server is asked once a second at most."""
        return self._index.exists

    # What readers did

    def add(self, events: Iterable[Event], *, now: datetime | None = None) -> Recorded:
        """Keep events; those that are kept already count as duplicates.

        Each reader's are kept whole or not at all, up to 400 of somebody new and 1,000 of somebody known; of more, one
        lot after the other. Adding the same again, after an error, adds what is missing.

        Args:
            events: In any order.
            now: The clock; events over a day later are refused, and counted.

        Raises:
            InvalidEvent: something among them is no event; nothing was kept.
            ReaderStoreError: they cannot be written.
        """
        given = list(events)
        for event in given:
            if not isinstance(event, Event):
                raise InvalidEvent(f"events are engine.Event values, found {type(event).__name__}")
        possible, ahead = split_by_clock(given, now)
        recorded = Recorded(future=len(ahead), ahead=tuple(ahead[:NAMED]))
        if possible:
            self._index.make()
            recorded += add(self._entries, possible)
        return recorded

    def version(self, user_id: str) -> int:
        """Return the number of the last change of a reader; 0 of somebody unknown."""
        return self.standing(user_id).version

    def standing(self, user_id: str) -> Standing:
        """Return what a reader's results rest on, as it stands now: one request, of two small documents."""
        home = layout.reader_id(named(user_id))
        if not self.exists:
            return Standing(0, "")
        entry, learnt = self._index.get_all(
            [(home, home, ["version"]), (layout.LEARNT, layout.LEARNT, ["times", "dropped", "weights"])]
        )
        if learnt is not None:
            self.lists.saw(learnt.source)
        version = entry.source["version"] if entry is not None else 0
        return Standing(version, stamp_of(learnt.source) if learnt is not None else "")

    def history(self, user_id: str) -> History:
        """Return what a reader did, declared and turned off; an empty history of somebody unknown."""
        named(user_id)
        found = self._entries.read(user_id, self._history) if self.exists else None
        if found is None:
            self._recent.drop(user_id)
            return NOBODY
        return found

    # What readers say

    def declare(self, user_id: str, text: str, *, weight: float = 1.0, at: datetime | None = None) -> None:
        """Keep an interest in the reader's own words, or change its weight and time.

        Args:
            user_id: Who; may be somebody new.
            text: The words, 1 to 1,000 characters.
            weight: How much it counts beside others; finite and over 0.
            at: When; None keeps it from fading.

        Raises:
            InvalidProfileChange: one of these is unusable, or there are 100 already.
        """
        named(user_id)
        words = wishes.checked_words(text)
        wishes.check_interest(weight, at)
        self._index.make()
        changes.declare(self._entries, user_id, words, weight, at)

    def undeclare(self, user_id: str, text: str) -> bool:
        """Take back a declared interest; return whether there was one of these words."""
        named(user_id)
        words = wishes.checked_words(text)
        return self.exists and changes.undeclare(self._entries, user_id, words)

    def mute(self, user_id: str, name: str) -> bool:
        """Turn an interest off: it stays to be seen, and weighs nothing; return whether it was on.

        Args:
            user_id: Who.
            name: The doc_id that names the interest, or the words of a declared one.

        Raises:
            InvalidProfileChange: the reader neither met a document of that id nor declared these words.
        """
        named(user_id)
        if not self.exists or name_fault(name):
            raise wishes.no_such_interest(user_id, name)
        return changes.mute(self._entries, user_id, name)

    def unmute(self, user_id: str, name: str) -> bool:
        """Turn an interest on again; return whether it was off."""
        named(user_id)
        return self.exists and not name_fault(name) and changes.unmute(self._entries, user_id, name)

    # Forgetting

    def forget_document(self, user_id: str, doc_id: str) -> int:
        """Forget all that a reader did with one document; return how many events that were.

        It is in no answer any more; its bytes go with a later merge, or with the next `forget` of anybody.
        """
        named(user_id)
        if not self.exists or name_fault(doc_id):
            return 0
        gone = changes.forget_document(self._entries, user_id, doc_id)
        if gone:
            self.lists.drop([doc_id])
        return gone

    def forget(self, user_id: str, *others: str) -> Forgotten:
        """Erase readers: afterwards no copy of the index holds a byte of their ids, events, words, or own documents.

        They are in no answer at once; that their bytes are gone takes half a minute, once for all readers named in one
        call, or in several at the same time. Once begun it is finished, by the next `open` if need be.

        Raises:
            ReaderStoreBusy: a copy of the index is away, or others were at it all the while. They are in no answer any
                more; their bytes go with the next `open` or `forget`.
            ReaderStoreError: the server refuses.
        """
        user_ids = [named(name) for name in (user_id, *others)]
        for name in user_ids:
            self._recent.drop(name)
        return self._eraser.erase(user_ids) if self._index.look() else Forgotten()

    # Everything at once

    def readers(self) -> Iterator[str]:
        """Yield who is known, in the order in which they came."""
        if self.exists:
            yield from scanning.names(self._entries)

    def events(self) -> Iterator[Event]:
        """Yield every event, reader by reader, each reader's sorted as a history is."""
        if self.exists:
            for entry, events in scanning.each(self._entries):
                yield from scanning.in_order(entry, events)

    def reads(self, kinds: Collection[str] = LIKING) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield readers with the documents that they met and liked, each once, sorted.

        That is what may be learnt from for others: readers who flood are left out, and so is what a reader disliked
        or hid.

        Args:
            kinds: Which events count, those of weight 0 never.
        """
        if self.exists:
            yield from scanning.reads(self._entries, kinds)

    def floods(self) -> frozenset[str]:
        """Return the readers who have more events than a person makes."""
        return frozenset(scanning.names(self._entries, flooding=True)) if self.exists else frozenset()

    def export(self, user_id: str) -> dict[str, object]:
        """Return all that is kept of a reader, as plain values for JSON."""

        def whole(entry: Entry, as_is: bool) -> dict[str, object]:
            events = scanning.in_order(entry, self._entries.events(entry, as_is=as_is))
            return exported(self.tenant, user_id, self._history(entry, as_is), events)

        found = self._entries.read(named(user_id), whole) if self.exists else None
        return found or exported(self.tenant, user_id, NOBODY, [])

    def pseudonym(self, user_id: str) -> str:
        """Return what stands for a reader in logs: 16 hexadecimal digits of HMAC-SHA256.

        The key is this index's, and each reader has a salt that goes when the reader is erased: then nobody can tell
        any more whose lines those were.
        """
        home = layout.reader_id(named(user_id))
        key, salt = self._new_key, b""
        if self.exists:
            store, entry = self._index.get_all(
                [(layout.STORE, layout.STORE, ["key"]), (home, home, ["salt"])]
            )
            key = bytes.fromhex(store.source["key"]) if store is not None else key
            salt = bytes.fromhex(entry.source["salt"]) if entry is not None else b""
        return hmac.new(key, salt + user_id.encode(), "sha256").hexdigest()[:16]

    # Weights that were learnt from clicks

    def learned(self) -> Learned | None:
        """Return the weights that were learnt from clicks; None before any were.

        Raises:
            ReaderStoreError: they cannot be read.
        """
        return self.lists.learned()

    def keep_learned(self, learned: Learned) -> None:
        """Keep weights, in the place of those before."""
        self._index.make()
        self.lists.keep_learned(learned)

    def weights_in_use(self) -> Learned | None:
        """Return the weights that searches heed, a second old at most; none where they cannot be read."""
        try:
            return self.lists.weights_in_use()
        except ReaderStoreError as error:
            _LOG.warning("%s", error)
            return None

    def close(self) -> None:
        """Wait until what a crash left unfinished is finished, and let go of the cluster, if it is ours."""
        if self._finishing is not None:
            self._finishing.join()
        if self._owned:
            self._index.cluster.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _history(self, entry: Entry, as_is: bool) -> History:
        def since(version: int) -> list[Row]:
            return [one.row for one in self._entries.events(entry, version, as_is=as_is)]

        rows = self._recent.rows(entry.user_id, entry.uid, entry.version, entry.removed, since)
        return history_of(entry.version, rows, entry.interests, entry.muted, flooding=entry.flooding)

    def _finish(self) -> None:
        try:
            self._eraser.finish(SILENT + 5)
        except ReaderStoreError as error:  # whoever is at it now, or opens the readers next, goes on
            _LOG.warning("%s", error)
