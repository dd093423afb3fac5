"""One at a time: a lease is a document that its holder renews; whoever waits takes it over when it is renewed no more.

Nobody compares clocks: who waits watches whether the document changes. A rebuild of an index has a lease of this
kind too (`indexer.elastic.rebuilding.turns`), and they stay two: whoever comes second there is told at once who is at
work, whom nobody wants to wait hours for, and a holder that died on the same machine is known to be dead; here work
takes seconds, so others wait for their turn, and it is renewed before each step that rests on it.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from types import TracebackType
from typing import Self

from engine.errors import ReaderStoreBusy, ReaderStoreError
from engine.personal.elastic.access import Held, ReaderIndex, Write

RENEWED = 3.0
"""Every so many seconds the holder says that it is still there."""
SILENT = 15.0
"""After so many seconds without a word the holder counts as gone."""
_LOOK = 0.1
_LOG = logging.getLogger(__name__)


class Lease:
    """Held for the length of a block.

    Args:
        index: The index of readers.
        what: What nobody else may be at meanwhile, in a word.
        wait: Seconds to wait for others.

    Raises:
        ReaderStoreBusy: on entering: others were at it all the while.
    """

    def __init__(self, index: ReaderIndex, what: str, wait: float) -> None:
        self._index = index
        self._id = f"lease-{what}"
        self._what = what
        self._wait = wait
        self._lock = threading.Lock()
        self._held: Held | None = None
        self._lost = False
        self._end = threading.Event()
        self._beat: threading.Thread | None = None

    def check(self) -> None:
        """Make sure that the lease is still held, before something is done that rests on it.

        Raises:
            ReaderStoreBusy: it was renewed too late, and somebody else has it.
        """
        if not self._renew():
            raise ReaderStoreBusy(
                f"{self._index.place}: another process took over at {self._what}; do it again"
            )

    def __enter__(self) -> Self:
        until = time.monotonic() + self._wait
        watched, since = (-1, -1), time.monotonic()
        while True:
            there = self._index.get(self._id, self._id)
            now = time.monotonic()
            if there is not None and (there.seq_no, there.term) != watched:
                watched, since = (there.seq_no, there.term), now
            if there is None or now - since > SILENT:
                self._held = self._put(there)
                if self._held is not None:
                    break
            if now > until:
                raise ReaderStoreBusy(
                    f"{self._index.place}: another process is at {self._what} all the while; try again later"
                )
            time.sleep(_LOOK)
        self._beat = threading.Thread(target=self._keep, name=f"quire-{self._id}", daemon=True)
        self._beat.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        if self._beat is not None:
            self._beat.join()
        with self._lock:
            if self._held is not None and not self._lost:
                try:
                    self._index.write([Write(self._id, self._id, None, self._held)])
                except ReaderStoreError as fault:  # it ends by itself
                    _LOG.warning("the lease for %s could not be given back: %s", self._what, fault)

    def _keep(self) -> None:
        while not self._end.wait(RENEWED):
            try:
                if not self._renew():
                    return
            except ReaderStoreError as fault:
                _LOG.warning("the lease for %s could not be renewed: %s", self._what, fault)

    def _renew(self) -> bool:
        with self._lock:
            if self._held is None or self._lost:
                return False
            held = self._put(self._held)
            self._lost = held is None
            self._held = held or self._held
            return not self._lost

    def _put(self, over: Held | None) -> Held | None:
        """Write the lease over what was there; return it as it is now, None where somebody else was faster."""
        mark = secrets.token_hex(8)
        [held] = self._index.write([Write(self._id, self._id, {"kind": "lease", "mark": mark}, over)])
        if held is None:
            there = self._index.get(self._id, self._id)
            if there is not None and there.source.get("mark") == mark:  # it was we, and the answer was lost
                return there
        return held
