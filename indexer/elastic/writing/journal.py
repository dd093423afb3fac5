"""What a writer is about to do, written down before it does it: so that whoever comes after a crash can tidy up.

Each writer has a note in the index of documents. It names the documents whose parts it is writing, with the beginning
of the content hash of each before and after; a document is struck out once its record is acknowledged. The note is
written anew every few seconds: one that stands still is a dead writer's. Writing it is tied to its sequence number, so
that a writer that was taken for dead, and tidied up after, finds out before it writes on.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from indexer.elastic.errors import ElasticConflict, ElasticError, ElasticNotFound
from indexer.elastic.wire.connection import Cluster
from indexer.elastic.writing import liveness
from indexer.elastic.writing.bulk import PATIENCE, is_blocked
from indexer.errors import IndexingError, IndexLocked, IndexUnavailable

BEAT_SECONDS = 10.0
STALE_SECONDS = 60.0
"""A note that was not written for so long may be a dead writer's; it is looked at twice before it is taken for one."""
ROUTING = "load"
_PREFIX = "load-"
_MOST = 1000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """A writer's note.

    Args:
        id: What it is called.
        place: Sequence number and primary term.
        worker: Host and process of the writer.
        machine: See `liveness.machine`.
        started: When, in milliseconds since 1970 by the writer's clock.
        beat: When it was last written.
        pending: By number, the content hashes before and after of documents under way; empty for no document.
        repairing: Whether its writer is dead and somebody is tidying up after it.
    """

    id: str
    place: tuple[int, int]
    worker: str
    machine: str
    started: int
    beat: int
    pending: Mapping[int, tuple[str, str]]
    repairing: bool

    @property
    def gone(self) -> bool:
        """Whether its writer is certainly dead."""
        return liveness.is_gone(self.id, self.worker, self.machine)

    def stale(self, now: int) -> bool:
        """Whether it was last written long before `now`, as far as clocks agree."""
        return abs(now - self.beat) > STALE_SECONDS * 1000


def now() -> int:
    """Return the milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def entries(cluster: Cluster, documents: str) -> list[Entry]:
    """Return the notes of all writers of an index of documents, those of this moment too."""
    cluster.request("POST", f"/{documents}/_refresh")
    found = cluster.request(
        "POST",
        f"/{documents}/_search",
        params={"routing": ROUTING, "allow_partial_search_results": "false"},
        body={"size": _MOST, "query": {"term": {"kind": "load"}}, "seq_no_primary_term": True},
    )
    hits = [hit for hit in found["hits"]["hits"] if hit["_id"].startswith(_PREFIX)]
    return [
        Entry(
            hit["_id"],
            (hit["_seq_no"], hit["_primary_term"]),
            hit["_source"].get("worker", ""),
            hit["_source"].get("machine", ""),
            hit["_source"].get("started", 0),
            hit["_source"].get("beat", 0),
            {int(number): (old, new) for number, (old, new) in hit["_source"].get("pending", {}).items()},
            hit["_source"].get("repairing", False),
        )
        for hit in hits
    ]


def write_entry(
    cluster: Cluster, documents: str, entry: Entry, place: tuple[int, int] | None
) -> tuple[int, int]:
    """Write a note, over the one at `place` or as a new one, and return its place.

    Raises:
        ElasticConflict: somebody else has written or removed it.
    """
    guard = {"op_type": "create"} if place is None else {"if_seq_no": place[0], "if_primary_term": place[1]}
    body: dict[str, Any] = {
        "kind": "load",
        "worker": entry.worker,
        "machine": entry.machine,
        "started": entry.started,
        "beat": entry.beat,
        "pending": {str(number): hashes for number, hashes in entry.pending.items()},
    }
    if entry.repairing:
        body["repairing"] = True
    params = {"routing": ROUTING, "refresh": "true" if place is None else "false", **guard}
    told = cluster.request("PUT", f"/{documents}/_doc/{entry.id}", params=params, body=body)
    return int(told["_seq_no"]), int(told["_primary_term"])


def remove_entry(cluster: Cluster, documents: str, note: str) -> None:
    """Remove a note."""
    with contextlib.suppress(ElasticNotFound):
        cluster.request("DELETE", f"/{documents}/_doc/{note}", params={"routing": ROUTING, "refresh": "true"})


class Journal:
    """This writer's note, kept alive by a thread from `open` to `close`.

    Args:
        cluster: Where.
        documents: The index of documents.
        beat_seconds: How often it is written.
        patience: For how many seconds the server may not take it.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        cluster: Cluster,
        documents: str,
        *,
        beat_seconds: float = BEAT_SECONDS,
        patience: float = PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.id = f"{_PREFIX}{uuid.uuid4().hex}"
        self._cluster = cluster
        self._documents = documents
        self._beat_seconds = beat_seconds
        self._patience = patience
        self._sleep = sleep
        self._started = now()
        self._beat = 0
        self._pending: dict[int, tuple[str, str]] = {}
        self._place: tuple[int, int] | None = None
        self._written = time.monotonic()
        self._lost: IndexLocked | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beats, name="quire-journal", daemon=True)

    def open(self) -> None:
        """Leave the note; others see it when this returns."""
        liveness.hold(self.id)
        with self._lock:
            self._write()
        self._thread.start()

    def begin(self, pending: Mapping[int, tuple[str, str]]) -> None:
        """Write down documents that are about to be written; to return before the first part of them is sent.

        Raises:
            IndexLocked: this writer was taken for dead.
            IndexUnavailable: the server could not take it for too long.
        """
        with self._lock:
            self._pending.update(pending)
            self._write_patiently()

    def done(self, number: int) -> None:
        """Strike out a document; the next writing of the note tells."""
        with self._lock:
            self._pending.pop(number, None)

    def check(self) -> None:
        """Do nothing while nobody can take this writer for dead.

        Raises:
            IndexLocked: somebody has.
            IndexUnavailable: the server could not be told otherwise for too long.
        """
        if self._lost is not None:
            raise self._lost
        if time.monotonic() - self._written > STALE_SECONDS / 2:
            with self._lock:
                self._write_patiently()

    def close(self) -> None:
        """Remove the note when nothing is under way; otherwise it stays, for whoever comes next to tidy up."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        liveness.release(self.id)
        if self._lost is None and not self._pending:
            remove_entry(self._cluster, self._documents, self.id)

    def abandon(self) -> None:
        """Leave the note as it is: nobody writes to this index any more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        liveness.release(self.id)

    def _write_patiently(self) -> None:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                self._write()
                return
            except IndexUnavailable:
                if time.monotonic() > deadline:
                    raise
                self._sleep(1.0)

    def _write(self) -> None:
        if self._lost is not None:
            raise self._lost
        beat = max(now(), self._beat + 1)
        entry = Entry(
            self.id,
            self._place or (0, 0),
            liveness.worker(),
            liveness.machine(),
            self._started,
            beat,
            self._pending,
            repairing=False,
        )
        tried, self._beat = self._beat, beat
        try:
            self._place = write_entry(self._cluster, self._documents, entry, self._place)
        except ElasticConflict:
            place = self._found_again(tried)
            self._place = write_entry(self._cluster, self._documents, entry, place)
        self._written = time.monotonic()

    def _found_again(self, beat: int) -> tuple[int, int]:
        """Return the place of the note when it was we who wrote it last, at `beat`: the answer to that was lost."""
        try:
            told = self._cluster.request(
                "GET", f"/{self._documents}/_doc/{self.id}", params={"routing": ROUTING}
            )
            if told["_source"]["beat"] == beat and not told["_source"].get("repairing"):
                return int(told["_seq_no"]), int(told["_primary_term"])
        except ElasticNotFound:
            _log.warning("%s: the note of this writer is gone", self._documents)
        self._lost = IndexLocked(
            f"this writer showed no sign of life for so long that another has tidied up after it in {self._documents}: "
            "index once more, what was committed is safe"
        )
        raise self._lost

    def _beats(self) -> None:
        while not self._stop.wait(self._beat_seconds):
            try:
                with self._lock:
                    self._write()
            except IndexLocked:
                return
            except (IndexUnavailable, ElasticError) as error:
                if not is_blocked(error):
                    _log.info("%s: this writer's note could not be written: %s", self._documents, error)
            except IndexingError as error:
                _log.warning("%s: this writer's note could not be written: %s", self._documents, error)
