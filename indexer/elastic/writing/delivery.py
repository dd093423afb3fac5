"""Brings documents to the server such that a crash at any moment leaves what can be told and repaired.

First it is written down which documents are about to change (`journal`). Then go their parts; when all parts of a
document are acknowledged, its record, which says "all of it is there". A document of which the server refuses
something is removed again, and reported; the others go on. When a rebuild closes the index to writers, this waits, and
goes on in whichever generation counts then, with every document that was not acknowledged whole.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from indexer.backend import Settled
from indexer.elastic.errors import ElasticError
from indexer.elastic.rebuilding.generations import Generation
from indexer.elastic.wire.connection import Cluster
from indexer.elastic.writing.bulk import Action, Bulk, Delivered, Side, is_blocked
from indexer.elastic.writing.journal import Journal
from indexer.elastic.writing.parcels import Parcel
from indexer.errors import IndexingError

Result = TypeVar("Result")
Move = Callable[[Generation], Generation]

_log = logging.getLogger(__name__)


class Delivery:
    """Sends documents. For one thread's use.

    Args:
        cluster: Where.
        generation: What to write to.
        journal: Of that generation, open.
        limit: Bytes of one request.
        move: Waits while an index takes no writes and returns the generation to go on with.
        joined: Called with a generation that is new to this writer; returns its journal, open.
        settled: Called with what became of each document that is written, not deleted.
        bulk: What sends the requests; its own where None.
    """

    def __init__(
        self,
        cluster: Cluster,
        generation: Generation,
        journal: Journal,
        *,
        limit: int,
        move: Move,
        joined: Callable[[Generation], Journal],
        settled: Callable[[Parcel, Settled], None],
        bulk: Bulk[Parcel] | None = None,
    ) -> None:
        self.generation = generation
        self.journal = journal
        self._limit = limit
        self._move = move
        self._joined = joined
        self._tell = settled
        self._bulk: Bulk[Parcel] = bulk or Bulk(cluster)
        self._ready: list[Parcel] = []
        self._ready_bytes = 0
        self._active: dict[int, Parcel] = {}
        self._out: deque[Action[Parcel]] = deque()
        self._out_bytes = 0
        self._blocked: list[Action[Parcel]] = []

    def __contains__(self, number: int) -> bool:
        """Whether the document of this number is on its way."""
        return number in self._active

    def deliver(self, parcel: Parcel) -> None:
        """Take a document to be sent; sends when enough have come together."""
        self._active[parcel.number] = parcel
        self._ready.append(parcel)
        self._ready_bytes += parcel.size
        if self._ready_bytes >= self._limit:
            self._launch()
        self._take(block=False)

    def finish(self) -> None:
        """Send all, and return when all is acknowledged or refused."""
        while self._active:
            self._launch()
            self._send(all_of_it=True)
            self._take(block=True)
            if self._blocked:
                self._go_on()
            elif self._active and not (self._bulk.busy or self._out or self._ready):
                raise IndexingError(
                    f"{len(self._active)} documents were not sent to their end: please report it"
                )

    def guarded(self, ask: Callable[[Generation], Result]) -> Result:
        """Return what a request answers; when the index takes no writes, ask again in the generation that does."""
        while True:
            try:
                return ask(self.generation)
            except ElasticError as error:
                if not is_blocked(error):
                    raise
                self._go_on()

    def close(self) -> None:
        """Wait for what is under way and end the threads."""
        self._bulk.close()

    @property
    def _names(self) -> dict[Side, str]:
        return {"passages": self.generation.passages, "documents": self.generation.documents}

    def _launch(self) -> None:
        """Write down what is ready in the journal, and send its parts."""
        ready, self._ready, self._ready_bytes = self._ready, [], 0
        if not ready:
            return
        hashes = {parcel.number: parcel.hashes for parcel in ready}
        generation = self.generation
        self.guarded(lambda _: self.journal.begin(hashes))
        for parcel in ready:
            if self.generation is not generation:  # moved: all of them are to be launched again
                return
            self._start(parcel)

    def _start(self, parcel: Parcel) -> None:
        generation = self.generation
        parcel.stage = "parts"
        parcel.left = 1  # until all its parts are in the queue
        for action in parcel.parts():
            parcel.left += 1
            self._push(action)
            self._send(all_of_it=False)
            if self.generation is not generation:
                return
        self._acknowledged(parcel)

    def _push(self, action: Action[Parcel]) -> None:
        self._out.append(action)
        self._out_bytes += action.size

    def _send(self, *, all_of_it: bool) -> None:
        while (self._out and all_of_it) or self._out_bytes >= self._limit:
            if self._blocked:
                self._go_on()
                return
            while self._bulk.full:
                self._take(block=True)
            self.journal.check()
            request: list[Action[Parcel]] = []
            size = 0
            while self._out and (not request or size + self._out[0].size <= self._limit):
                action = self._out.popleft()
                request.append(action)
                size += action.size
            self._out_bytes -= size
            self._bulk.send(request, self._names)

    def _take(self, *, block: bool) -> None:
        for delivered in self._bulk.take(block=block):
            self._sort_out(delivered)

    def _sort_out(self, delivered: Delivered[Parcel]) -> None:
        self._blocked += delivered.blocked
        for action, reason in delivered.refused:
            if action.owner.stage == "undoing":
                raise IndexingError(f"what was refused of {action.owner.doc_id} cannot be removed: {reason}")
            action.owner.refusal = action.owner.refusal or reason
        for action in [*delivered.done, *(action for action, _ in delivered.refused)]:
            self._acknowledged(action.owner)

    def _acknowledged(self, parcel: Parcel) -> None:
        parcel.left -= 1
        if parcel.left:
            return
        if parcel.refusal and parcel.stage != "undoing":
            parcel.stage = "undoing"
            for action in parcel.undoing():
                parcel.left += 1
                self._push(action)
        elif parcel.stage == "parts":
            parcel.stage = "record"
            parcel.left = 1
            self._push(parcel.record())
        else:
            parcel.stage = "settled"
            del self._active[parcel.number]
            self.journal.done(parcel.number)
            if parcel.refusal:
                reason = parcel.refusal + ("; the version before is gone too" if parcel.known else "")
                self._tell(parcel, Settled(parcel.doc_id, parcel.source, "refused", reason))
            else:
                self._tell(parcel, Settled(parcel.doc_id, parcel.source, parcel.outcome))

    def _go_on(self) -> None:
        """Wait until writes are taken again, and send what was not acknowledged."""
        while self._bulk.busy:
            self._take(block=True)
        blocked, self._blocked = self._blocked, []
        found = self._move(self.generation)
        if found.number == self.generation.number:
            for action in reversed(blocked):
                self._out.appendleft(action)
                self._out_bytes += action.size
            return
        _log.warning("writing goes on in generation %d of %s", found.number, found.name)
        self.journal.abandon()
        self.generation = found
        self.journal = self._joined(found)
        self._out.clear()
        self._out_bytes = 0
        waiting = {parcel.number for parcel in self._ready}
        for parcel in self._active.values():
            if parcel.number not in waiting:
                parcel.stage, parcel.left = "waiting", 0
                self._ready.append(parcel)
                self._ready_bytes += parcel.size
