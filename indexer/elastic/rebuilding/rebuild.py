"""Rebuilds an index while it is searched and written to: the next generation is made, filled, caught up, switched to.

    rebuild(cluster, "books", Wanted(quantisation="bbq"))

Passes over both generations copy what differs, until little does. Then writers are held back, a last pass copies the
rest, and both aliases move in one request. Searches go on all the time, on whole generations. Stopped at any moment,
by Ctrl-C, a crash or the server's, it is run again: a pass finds what is there already. The old generation is only
read, and kept until it is dropped.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from indexer.elastic.errors import ElasticNotFound
from indexer.elastic.rebuilding.completeness import check_whole, documents_in, health_of
from indexer.elastic.rebuilding.fillers import filler_for
from indexer.elastic.rebuilding.filling import Done, Filler
from indexer.elastic.rebuilding.generations import Generation, Generations
from indexer.elastic.rebuilding.layout import Layout, Wanted, finish_settings, layout_of
from indexer.elastic.rebuilding.passes import one_pass
from indexer.elastic.rebuilding.turns import Lease
from indexer.elastic.wire.connection import Cluster
from indexer.elastic.writing.state import State, change_state, read_state
from indexer.errors import IndexingError, IndexUnavailable

THREADS = 2
PATIENCE_SECONDS = 300.0
"""For so long a rebuild waits for a server that does not answer, as while it is started again."""
_PASSES = 8  # then writers are held back, however much they still change
_FEW, _FEW_SHARE = 50, 1_000  # so many documents may differ when writers are held back, or one in so many
_PARTS = 8  # ranges for each thread, so that all end at about the same time
_PART = 20_000  # documents of a range at most, about: minutes, not hours
_HEALTH_SECONDS = 600.0
_PAUSE_SECONDS = 1.0

_log = logging.getLogger(__name__)
Result = TypeVar("Result")


@dataclass(slots=True)
class RebuildReport:
    """What has been done so far; the same object grows while a rebuild goes on.

    Args:
        old: The number of the generation that counted.
        new: The number of the one that was made.
        phase: What is being done: copying, finishing, last pass, done, stopped.
        resumed: Whether an earlier rebuild had begun it.
        total: Documents of the old generation when it began.
        passes: Passes begun.
        documents: Documents copied, again those that changed meanwhile.
        passages: Passages copied.
        deleted: Documents deleted from the copy, since they were from the index.
        torn: Documents that writers had under way, and write again; of those who died, `quire index` does.
        seconds: Time since the beginning.
        held_seconds: For how long writers were held back.
        copies_missing: Whether the new generation's replicas were not all there when it was switched to.
        dropped: The numbers of the generations dropped.
    """

    old: int = 0
    new: int = 0
    phase: str = ""
    resumed: bool = False
    total: int = 0
    passes: int = 0
    documents: int = 0
    passages: int = 0
    deleted: int = 0
    torn: int = 0
    seconds: float = 0.0
    held_seconds: float = 0.0
    copies_missing: bool = False
    dropped: tuple[int, ...] = ()


class RebuildStopped(IndexingError):
    """A rebuild was asked to stop, and did; run again, it goes on."""


def rebuild(
    cluster: Cluster,
    name: str,
    wanted: Wanted | None = None,
    *,
    progress: Callable[[RebuildReport], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    drop_old: bool = False,
    threads: int = THREADS,
    patience_seconds: float = PATIENCE_SECONDS,
) -> RebuildReport:
    """Make the next generation of an index, and switch to it.

    Args:
        cluster: Where.
        name: Of the index.
        wanted: What is to be different; by default nothing, which makes the same anew without what was deleted.
        progress: Called after each batch of documents and at each step, with the report so far.
        should_stop: Asked before each batch; when it says so, the rebuild stops, to be gone on with later.
        drop_old: Whether to delete all older generations afterwards; otherwise they are kept, to roll back to.
        threads: How many copy at once.
        patience_seconds: How long to wait for a server that does not answer.

    Raises:
        IndexNotFound: there is no index of this name.
        IndexLocked: another rebuild is at work on it.
        RebuildStopped: `should_stop` said so.
        IndexUnavailable: the server did not answer for too long. Run again, the rebuild goes on.
        IndexingError: the new generation is not what it should be; the old one goes on.
    """
    return _Rebuild(cluster, name, wanted or Wanted(), progress, should_stop, threads, patience_seconds).run(
        drop_old
    )


class _Rebuild:
    def __init__(
        self,
        cluster: Cluster,
        name: str,
        wanted: Wanted,
        progress: Callable[[RebuildReport], None] | None,
        should_stop: Callable[[], bool] | None,
        threads: int,
        patience_seconds: float,
    ) -> None:
        self._cluster = cluster
        self._generations = Generations(cluster, name)
        self._wanted = wanted
        self._progress = progress
        self._should_stop = should_stop
        self._threads = threads
        self._patience_seconds = patience_seconds
        self._started = time.monotonic()
        self.report = RebuildReport()

    def run(self, drop_old: bool) -> RebuildReport:
        old, layout = self._begin()
        new = self._generation_to_fill(old, layout)
        with Lease(self._cluster, new) as lease:
            self._go_on = partial(self._check, lease)
            if old.closing:  # by a rebuild that has died: its last step is taken anew
                self._generations.reopen(old)
            with filler_for(self._cluster, old, new, layout, self._wanted.encoder, self._threads) as filler:
                self._copy(old, new, filler)
                self._finish(old, new, layout)
                self._switch(old, new, filler, lease)
        if drop_old:
            self._drop(new)
        self._say("done")
        return self.report

    def _begin(self) -> tuple[Generation, Layout]:
        old = self._generations.current()
        self.report.old = old.number
        return old, layout_of(old, self._wanted, self._replicas_of(old))

    def _replicas_of(self, old: Generation) -> int:
        """Return the replicas that a generation has when nobody loads into it, who may have taken them away."""
        relaxed = read_state(self._cluster, old.documents).relaxed
        said = relaxed.get("documents", {}).get("number_of_replicas")
        return old.replicas if said is None else int(said)

    def _generation_to_fill(self, old: Generation, layout: Layout) -> Generation:
        """Return the generation that an earlier rebuild began, or a new one; what does not fit is thrown away."""
        every = self._generations.all()
        begun = [each for each in every if each.building or not each.complete]
        for each in begun:
            if each.building and layout.is_of(each):
                self.report.new, self.report.resumed = each.number, True
                return each
        for each in begun:
            self._throw_away(each)
        number = max(each.number for each in every) + 1
        self.report.new = number
        return self._generations.make(number, layout.bodies())

    def _throw_away(self, begun: Generation) -> None:
        _log.info("generation %d of %s was begun otherwise, and is thrown away", begun.number, begun.name)
        if begun.complete:
            with Lease(self._cluster, begun):  # unless somebody is at work on it
                pass
        self._generations.drop(begun.number)

    def _copy(self, old: Generation, new: Generation, filler: Filler) -> None:
        """Copy until little differs, or until it does not get less."""
        self._say("copying")
        self.report.total = self._patiently(lambda: documents_in(self._cluster, old))
        before: int | None = None
        for _ in range(_PASSES):
            self.report.passes += 1
            done = self._patiently(lambda: self._pass(old, new, filler, last=False))
            few = max(_FEW, self.report.total // _FEW_SHARE)
            if done.differed <= few or (before is not None and done.differed >= before):
                return
            before = done.differed

    def _finish(self, old: Generation, new: Generation, layout: Layout) -> None:
        """Let the copy be searched, and wait until it is as safe against the loss of a node as the old one is."""
        self._say("finishing")
        self._patiently(lambda: finish_settings(self._cluster, new, layout.replicas))
        deadline = time.monotonic() + _HEALTH_SECONDS
        wanted = self._patiently(lambda: health_of(self._cluster, old))
        while wanted == "green" and self._patiently(lambda: health_of(self._cluster, new)) != "green":
            if time.monotonic() > deadline:
                self.report.copies_missing = True
                return
            self._go_on()
            time.sleep(_PAUSE_SECONDS)

    def _switch(self, old: Generation, new: Generation, filler: Filler, lease: Lease) -> None:
        """Hold writers back, copy the rest, and make the copy count."""
        self._say("last pass")
        started = time.monotonic()
        self._patiently(lambda: self._generations.close(old))
        try:
            self.report.passes += 1
            done = self._patiently(lambda: self._pass(old, new, filler, last=True))
            self.report.torn = len(done.torn)
            self._patiently(lambda: check_whole(self._cluster, old, new, done.torn))
            self._patiently(lambda: self._hand_over(old, new))
            lease.check()
            self._patiently(lambda: self._generations.switch(old, new))
        except BaseException:
            # Where the server does not answer, writers open it again when they see that nobody is at work here.
            self._let_writers_in(old)
            raise
        self.report.held_seconds = time.monotonic() - started

    def _let_writers_in(self, old: Generation) -> None:
        try:
            if self._generations.current().number == old.number:
                self._generations.reopen(old)
        except IndexingError as error:
            _log.warning(
                "generation %d is not open to writers yet; they will see to it: %s", old.number, error
            )

    def _hand_over(self, old: Generation, new: Generation) -> None:
        """Count the copy as a commit."""
        higher = read_state(self._cluster, old.documents).generation + 1
        change_state(
            self._cluster, new.documents, lambda state: State(max(higher, state.generation), state.relaxed)
        )

    def _pass(self, old: Generation, new: Generation, filler: Filler, *, last: bool) -> Done:
        parts = max(self._threads * _PARTS, self.report.total // _PART)
        return one_pass(
            self._cluster, old, new, filler, parts=parts, last=last, tell=self._count, go_on=self._go_on
        )

    def _drop(self, kept: Generation) -> None:
        for each in self._generations.all():
            if each.number < kept.number:
                self._generations.drop(each.number)
                self.report.dropped += (each.number,)

    def _patiently(self, step: Callable[[], Result]) -> Result:
        """Do a step that may be repeated, again and again while the server does not answer."""
        deadline = time.monotonic() + self._patience_seconds
        told = False
        while True:
            worked = self.report.documents, self.report.deleted
            try:
                return step()
            except (IndexUnavailable, ElasticNotFound) as error:
                if isinstance(error, ElasticNotFound) and error.kind != "search_context_missing_exception":
                    raise
                if worked != (self.report.documents, self.report.deleted):
                    deadline = time.monotonic() + self._patience_seconds
                elif time.monotonic() > deadline:
                    raise
                _log.log(
                    logging.DEBUG if told else logging.WARNING, "the rebuild waits for the server: %s", error
                )
                told = True
                self._go_on()
                time.sleep(_PAUSE_SECONDS)

    def _check(self, lease: Lease) -> None:
        lease.check()
        if self._should_stop is not None and self._should_stop():
            self._say("stopped")
            raise RebuildStopped(
                f"the rebuild was stopped; generation {self.report.old} goes on. Run it again to go on where it "
                f"stopped, or `quire generations --drop {self.report.new}` to throw the copy away"
            )

    def _count(self, done: Done) -> None:
        self.report.documents += done.documents
        self.report.passages += done.passages
        self.report.deleted += done.deleted
        self._say(self.report.phase)

    def _say(self, phase: str) -> None:
        self.report.phase = phase
        self.report.seconds = time.monotonic() - self._started
        if self._progress is not None:
            self._progress(self.report)
