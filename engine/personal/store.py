"""`ReaderStore`: what the readers of one tenant did, declared and turned off, to be added to, read, corrected, erased.

    with ReaderStore.open("my-index") as store:
        store.add([Event("ann", "moby-dick", "like", datetime.now(UTC))])
        history = store.history("ann")
        store.forget("ann")

Nothing is made before the first write. Safe to share between threads; several processes may read and write at once.
Whatever a call has returned from is on the disk. The file: `schema`; how it is erased: `erasing`.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from functools import cached_property
from pathlib import Path

from engine.errors import ReaderStoreError
from engine.event import Event, InvalidEvent, name_fault
from engine.personal import erasing, loading, recording, schema, wishes
from engine.personal.admission import split_by_clock
from engine.personal.history import NAMED, NOBODY, Declared, Forgotten, History, Recorded
from engine.personal.learned import Learned, LearnedWeights, path_of, read_learned, write_learned
from engine.personal.lists_in_file import FileLists
from engine.personal.reader_file import ReaderFile
from engine.personal.readers import LIKING, Standing
from engine.personal.reading import exported, named
from engine.personal.recent import Recent

__all__ = ["Declared", "Forgotten", "History", "ReaderStore", "Recorded"]

_BATCH = 500  # readers whose reads are fetched at once
_LOG = logging.getLogger(__name__)


class ReaderStore(ReaderFile):
    """The readers of one tenant; made by `open`.

    Args:
        path: The file.
        tenant: Whose.
        wait: Seconds to wait for another process to finish its change.
    """

    def __init__(self, path: Path, tenant: str, wait: float = schema.WAIT) -> None:
        super().__init__(path, tenant, wait)
        self._recent = Recent()
        self.lists = FileLists(self)

    @classmethod
    def open(cls, folder: str | Path, tenant: str = "default", *, wait: float = schema.WAIT) -> ReaderStore:
        """Open the readers of a tenant, and finish an erasure that a crash left unfinished.

        Args:
            folder: That of the index.
            tenant: 1 to 64 letters, digits, - and _; readers of different tenants share nothing.
            wait: Seconds to wait for another process to finish its change.

        Raises:
            InvalidProfileChange: that is no name of a tenant.
            ReaderStoreError: the file is damaged, or something else.
        """
        store = cls(schema.file_of(folder, tenant), tenant, wait)
        if store.exists:
            try:
                store._finish_erasures()
            except BaseException:
                store.close()
                raise
        return store

    # What readers did

    def add(self, events: Iterable[Event], *, now: datetime | None = None) -> Recorded:
        """Keep events, all or none of them; those that are kept already count as duplicates.

        Args:
            events: In any order.
            now: The clock; events over a day later are refused, and counted.

        Raises:
            InvalidEvent: something among them is no event.
            ReaderStoreError: they cannot be written.
        """
        given = list(events)
        for event in given:
            if not isinstance(event, Event):
                raise InvalidEvent(f"events are engine.Event values, found {type(event).__name__}")
        possible, ahead = split_by_clock(given, now)
        recorded = Recorded(future=len(ahead), ahead=tuple(ahead[:NAMED]))
        if possible:
            with self.write() as connection:
                recorded += recording.record(connection, possible)
        return recorded

    def version(self, user_id: str) -> int:
        """Return the number of the last change of a reader; 0 of somebody unknown."""
        found: int | None = self.one("SELECT version FROM readers WHERE user_id = ?", named(user_id))
        return found or 0

    def standing(self, user_id: str) -> Standing:
        """Return what a reader's results rest on, as it stands now."""
        return Standing(self.version(user_id), self.lists.stamp())

    def history(self, user_id: str) -> History:
        """Return what a reader did, declared and turned off; an empty history of somebody unknown."""
        named(user_id)
        if not self.exists:
            return NOBODY
        with self.read() as connection:
            return loading.history(connection, self._recent, user_id)

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
        with self.write() as connection:
            wishes.declare(connection, user_id, words, weight, at)

    def undeclare(self, user_id: str, text: str) -> bool:
        """Take back a declared interest; return whether there was one of these words."""
        named(user_id)
        words = wishes.checked_words(text)
        if not self.exists:
            return False
        with self.write() as connection:
            return wishes.undeclare(connection, user_id, words)

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
        with self.write() as connection:
            return wishes.mute(connection, user_id, name)

    def unmute(self, user_id: str, name: str) -> bool:
        """Turn an interest on again; return whether it was off."""
        named(user_id)
        if not self.exists or name_fault(name):
            return False
        with self.write() as connection:
            return wishes.unmute(connection, user_id, name)

    # Forgetting

    def forget_document(self, user_id: str, doc_id: str) -> int:
        """Forget all that a reader did with one document; return how many events that were.

        It is in no answer any more, and SQLite overwrites the rows; only `forget` writes the whole file anew.
        """
        named(user_id)
        if not self.exists or name_fault(doc_id):
            return 0
        with self.write() as connection:
            return erasing.forget_document(connection, user_id, doc_id)

    def forget(self, user_id: str, *others: str) -> Forgotten:
        """Erase readers: afterwards no file holds a byte of their ids, events, words or documents only they met.

        Once begun it is finished, by the next `open` if need be. It writes the whole file anew (seconds for
        each 100 MB), once for all readers named in one call.

        Raises:
            ReaderStoreBusy: another process has been reading all the while. They are in no answer any more; their
                bytes go with the next `open` or `forget`.
            ReaderStoreError: the file cannot be written.
        """
        user_ids = [named(name) for name in (user_id, *others)]
        for name in user_ids:
            self._recent.drop(name)
        if not self.exists:
            return Forgotten()
        with schema.readable_errors(self.path), erasing.held(self.path, wait=True):
            with self.write() as connection:
                erasing.begin(connection, user_ids)
            with self.alone() as connection:
                return erasing.finish(connection, self.path)

    def _finish_erasures(self) -> None:
        """Finish what a crash left unfinished, unless another process is at it."""
        with self.borrowed() as connection:
            unfinished = erasing.pending(connection)
        if not unfinished:
            return
        with schema.readable_errors(self.path), erasing.held(self.path, wait=False) as ours:
            if not ours:
                return
            try:
                with self.alone() as connection:
                    erasing.finish(connection, self.path)
            except ReaderStoreError as error:
                # Their bytes can wait; they themselves cannot be met again.
                if self.one("SELECT 1 FROM erasures e JOIN readers r ON r.number = e.reader"):
                    raise
                _LOG.warning("%s", error)

    # Everything at once

    def readers(self) -> Iterator[str]:
        """Yield who is known, in the order in which they came."""
        return (user_id for _, user_id in self._numbered())

    def events(self) -> Iterator[Event]:
        """Yield every event, reader by reader, each reader's sorted as a history is."""
        for number, user_id in self._numbered():
            with self.read() as connection:
                yield from loading.events_of(connection, number, user_id)

    def reads(self, kinds: Collection[str] = LIKING) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield readers with the documents that they met and liked, each once, sorted.

        That is what may be learnt from for others: readers who flood are left out, and so is what a reader disliked
        or hid.

        Args:
            kinds: Which events count, those of weight 0 never.
        """
        last = 0
        while self.exists:
            with self.read() as connection:
                names = dict(loading.readers_after(connection, last, _BATCH))
                found = list(loading.reads_between(connection, last + 1, max(names), kinds)) if names else []
            if not names:
                return
            last = max(names)
            yield from ((names[number], doc_ids) for number, doc_ids in found)

    def floods(self) -> frozenset[str]:
        """Return the readers who have more events than a person makes."""
        if not self.exists:
            return frozenset()
        with self.read() as connection:
            return frozenset(
                user_id for (user_id,) in connection.execute("SELECT user_id FROM readers WHERE flooding")
            )

    def export(self, user_id: str) -> dict[str, object]:
        """Return all that is kept of a reader, as plain values for JSON."""
        history = self.history(user_id)
        events: list[Event] = []
        if history.version:
            with self.read() as connection:
                number = recording.reader_number(connection, user_id)
                events = loading.events_of(connection, number, user_id)
        return exported(self.tenant, user_id, history, events)

    def pseudonym(self, user_id: str) -> str:
        """Return what stands for a reader in logs: 16 hexadecimal digits of HMAC-SHA256.

        The key is this file's, and each reader has a salt that goes when the reader is erased: then nobody can tell
        any more whose lines those were.
        """
        named(user_id)
        key, salt = self.new_key, b""
        if self.exists:
            key = self.one("SELECT key FROM store")
            salt = self.one("SELECT salt FROM readers WHERE user_id = ?", user_id) or b""
        return hmac.new(key, salt + user_id.encode(), "sha256").hexdigest()[:16]

    # Weights that were learnt from clicks

    @property
    def place(self) -> str:
        """Where the readers are kept, for messages."""
        return str(self.path)

    @property
    def weights_place(self) -> str:
        """Where the weights are kept, for messages."""
        return str(self._weights.path)

    def learned(self) -> Learned | None:
        """Return the weights that were learnt from clicks; None before any were.

        Raises:
            ReaderStoreError: they cannot be read.
        """
        return read_learned(self._weights.path)

    def keep_learned(self, learned: Learned) -> None:
        """Keep weights, in the place of those before: whole or not at all."""
        write_learned(learned, self._weights.path)

    def weights_in_use(self) -> Learned | None:
        """Return the weights that searches heed; a file that cannot be read counts for nothing, as the log says."""
        return self._weights.in_use()

    @cached_property
    def _weights(self) -> LearnedWeights:
        return LearnedWeights(path_of(self.path.parent, self.tenant))

    def _numbered(self) -> Iterator[tuple[int, str]]:
        last = 0
        while self.exists:
            with self.read() as connection:
                readers = loading.readers_after(connection, last, _BATCH)
            if not readers:
                return
            yield from readers
            last = readers[-1][0]
