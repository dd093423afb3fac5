"""Who may write when: a rebuild's lease on the pair it fills, and what a writer does whose generation is closed to it.

Neither compares the clocks of two machines. A lease is a document that its holder writes anew every few seconds, so
that its sequence number grows; whoever sees it stand still for long takes the holder for dead.

Whoever finds a rebuild at work does not wait its hours: they are told who it is. So the lease names its holder, and
says on which machine that is, where a death shows at once.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from indexer.elastic.errors import ElasticConflict, ElasticNotFound
from indexer.elastic.rebuilding.generations import Generation, Generations
from indexer.elastic.wire.connection import Cluster
from indexer.elastic.writing import liveness
from indexer.errors import FingerprintMismatch, IndexingError, IndexLocked, IndexUnavailable

LEASE = "rebuild"
BEAT_SECONDS = 3.0
STILL_SECONDS = 30.0
"""A lease that stands still for so long belongs to nobody."""
_POLL_SECONDS = 0.5
_PATIENCE_SECONDS = 180.0  # for a server that does not answer
_UNSURE_SECONDS = 3.0  # between taking an alias away and opening an index lies a moment

MAKING = ("analyser", "encoder", "passages", "token_coding")
"""What of a mapping's `_meta` says how passages were made."""

_log = logging.getLogger(__name__)


class Lease:
    """The right to fill one generation, held by one rebuild at a time. A context manager; beats in a thread.

    Args:
        cluster: Where.
        generation: The one to fill.
        still_seconds: How long another's lease must stand still before it is taken over.

    Raises:
        IndexLocked: on entering: another rebuild is at work on it; names it.
    """

    def __init__(
        self, cluster: Cluster, generation: Generation, still_seconds: float = STILL_SECONDS
    ) -> None:
        self._cluster = cluster
        self._path = f"/{generation.documents}/_doc/{LEASE}"
        self._name = generation.name
        self._still_seconds = still_seconds
        self._begun = time.time_ns()  # also tells this lease from others of this process
        self._place: tuple[int, int] | None = None
        self._lost: IndexLocked | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beats, name="quire-rebuild-lease", daemon=True)

    def __enter__(self) -> Lease:
        found = read_lease(self._cluster, self._path)
        if found is not None and not found.gone and not self._stands_still(found):
            raise IndexLocked(
                f"another rebuild of {self._name} is at work ({found.worker}); wait for it, or end it and try again"
            )
        liveness.hold(_note(self._begun))
        self._write(None if found is None else found.place)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        liveness.release(_note(self._begun))
        if self._lost is None:
            # Whoever comes next finds a lease that stands still, and waits for nothing worse than that.
            with contextlib.suppress(IndexingError):
                self._cluster.request("DELETE", self._path, params={"routing": LEASE})

    def check(self) -> None:
        """Do nothing while the lease is held.

        Raises:
            IndexLocked: another rebuild has taken it over.
        """
        if self._lost is not None:
            raise self._lost

    def _stands_still(self, seen: HeldLease) -> bool:
        deadline = time.monotonic() + self._still_seconds
        while time.monotonic() < deadline:
            time.sleep(min(_POLL_SECONDS, self._still_seconds))
            found = read_lease(self._cluster, self._path)
            if found is None:
                return True
            if found.place != seen.place:
                return False
        return True

    def _write(self, over: tuple[int, int] | None) -> None:
        params: dict[str, Any] = {"routing": LEASE}
        if over is None:
            params["op_type"] = "create"
        else:
            params["if_seq_no"], params["if_primary_term"] = over
        body = {
            "kind": LEASE,
            "worker": liveness.worker(),
            "machine": liveness.machine(),
            "started": self._begun,
        }
        try:
            told = self._cluster.request("PUT", self._path, params=params, body=body)
        except ElasticConflict as error:
            found = read_lease(self._cluster, self._path)
            # Otherwise it was our own writing, whose answer was lost.
            if found is None or (found.worker, found.begun) != (liveness.worker(), self._begun):
                raise IndexLocked(f"another rebuild of {self._name} has taken over from this one") from error
            self._place = found.place
        else:
            self._place = (int(told["_seq_no"]), int(told["_primary_term"]))

    def _beats(self) -> None:
        while not self._stop.wait(BEAT_SECONDS):
            try:
                self._write(self._place)
            except IndexLocked as error:
                self._lost = error
                return
            except IndexingError as error:
                # Whether somebody has taken over meanwhile shows when the server answers again.
                _log.info("the lease could not be renewed: %s", error)


@dataclass(frozen=True, slots=True)
class HeldLease:
    """Somebody's lease as it was found.

    Args:
        place: Its sequence number and primary term.
        worker: Host and process.
        machine: See `liveness.machine`.
        begun: When, in nanoseconds since 1970 by the holder's clock.
    """

    place: tuple[int, int]
    worker: str
    machine: str
    begun: int

    @property
    def gone(self) -> bool:
        """Whether its holder is certainly dead, and need not be waited for."""
        return liveness.is_gone(_note(self.begun), self.worker, self.machine)


def read_lease(cluster: Cluster, path: str) -> HeldLease | None:
    """Return the lease that is kept at a path, or None when nobody holds one."""
    try:
        told = cluster.request("GET", path, params={"routing": LEASE})
    except ElasticNotFound:
        return None
    place = (int(told["_seq_no"]), int(told["_primary_term"]))
    source = told["_source"]
    return HeldLease(place, source.get("worker", ""), source.get("machine", ""), source.get("started", 0))


def _note(begun: int) -> str:
    return f"{LEASE}-{begun}"


def where_to_go_on(
    cluster: Cluster,
    written: Generation,
    *,
    still_seconds: float = STILL_SECONDS,
    waiting: Callable[[float], None] | None = None,
) -> Generation:
    """Wait while a rebuild holds writers back, and return the generation to go on with.

    A writer calls this when a request is refused with 403 and the kind `cluster_block_exception`. When the generation
    returned is another than `written`, what was acknowledged is in it, and every document of which anything was not
    acknowledged is to be written again from its first passage on: the copy may have taken a part of it or none.

    A rebuild that has died while it held writers back is given up: the generation is opened to writers again.

    Args:
        cluster: Where.
        written: The generation that refused.
        still_seconds: How long a rebuild must show no sign of life to be given up.
        waiting: Called every half second with the seconds waited so far; it may raise to stop.

    Raises:
        IndexLocked: the generation is closed to writes, and no rebuild closed it.
        FingerprintMismatch: the index was rebuilt with another analyser or encoder: this writer's passages do not
            belong into it.
        IndexNotFound: the index has been deleted.
        IndexUnavailable: the server has not answered for three minutes.
    """
    generations = Generations(cluster, written.name)
    started = still_since = answered = time.monotonic()
    unsure = 0.0
    last: HeldLease | None = None
    while True:
        try:
            current = generations.current()
            seen = _lease_of(cluster, generations) if current.closing else None
            answered = time.monotonic()
        except IndexUnavailable:
            if time.monotonic() - answered > _PATIENCE_SECONDS:
                raise
            time.sleep(_POLL_SECONDS)
            continue
        if current.number != written.number:
            check_same_making(written.meta, current.meta)
            return current
        if not current.blocked:
            return current
        now = time.monotonic()
        if current.closing:
            if seen != last or unsure:
                last, still_since, unsure = seen, now, 0.0
            if (seen is not None and seen.gone) or now - still_since > still_seconds:
                _log.warning("a rebuild of %s shows no sign of life; writing goes on", written.name)
                generations.reopen(current)
                continue
        elif not unsure:
            unsure = now
        elif now - unsure > _UNSURE_SECONDS:
            raise IndexLocked(
                f"{current.both} refuses writes by its setting index.blocks.write, which no rebuild has set: set it to "
                "null, or restore what it protects"
            )
        if waiting is not None:
            waiting(now - started)
        time.sleep(_POLL_SECONDS)


def _lease_of(cluster: Cluster, generations: Generations) -> HeldLease | None:
    building = generations.building()
    return None if building is None else read_lease(cluster, f"/{building.documents}/_doc/{LEASE}")


def check_same_making(stored: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Do nothing when two generations hold passages of one making: the same analyser, encoder and splitter.

    Raises:
        FingerprintMismatch: they do not; names both.
    """
    for part in MAKING:
        if stored.get(part) != found.get(part):
            raise FingerprintMismatch(part, str(found.get(part)), str(stored.get(part)))
