"""One pass over both generations: what differs is copied, in several threads, each with a range of documents."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from itertools import islice

from indexer.elastic.rebuilding.differences import Difference, differences, ranges, records_of
from indexer.elastic.rebuilding.filling import Done, Filler, Moments
from indexer.elastic.rebuilding.generations import Generation
from indexer.elastic.rebuilding.layout import copy_fields
from indexer.elastic.rebuilding.scans import Moment
from indexer.elastic.wire.connection import Cluster

BATCH = 100
"""Documents copied together."""
_REFRESH_SECONDS = 600.0  # the graph of what is in memory is built then


def one_pass(
    cluster: Cluster,
    old: Generation,
    new: Generation,
    filler: Filler,
    *,
    parts: int,
    last: bool,
    tell: Callable[[Done], None],
    go_on: Callable[[], None],
) -> Done:
    """Find in what the two differ and fill it in; return what was done.

    Args:
        cluster: Where.
        old: The generation that counts.
        new: The one being filled.
        filler: Fills it.
        parts: In how many ranges of documents to divide the work.
        last: Whether nobody writes to the old one any more.
        tell: Called after each batch with what it did, one call at a time.
        go_on: Called before each batch; raises to stop.
    """
    total = Done()
    lock = threading.Lock()
    stop = threading.Event()

    def part(first: int, end: int) -> None:
        nonlocal total
        for batch in _batches(moments, first, end, filler.content_only):
            if stop.is_set():
                return
            done = filler.fill(moments, batch, last=last)
            with lock:
                go_on()
                total += done
                tell(done)

    with _moments(cluster, old, new) as moments, ThreadPoolExecutor(filler.threads, "quire-rebuild") as pool:
        copy_fields(cluster, old, new)  # all that the documents seen can have
        work = [pool.submit(part, *bounds) for bounds in ranges(parts)]
        try:
            finished, _ = wait(work, return_when=FIRST_EXCEPTION)
            for each in finished:
                each.result()
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)
    rest = filler.finish()
    tell(rest)
    return total + rest


def _batches(moments: Moments, first: int, end: int, content_only: bool) -> Iterator[list[Difference]]:
    found = differences(
        records_of(moments.old_documents, first, end, copies=False, content_only=content_only),
        records_of(moments.new_documents, first, end, copies=True, content_only=content_only),
    )
    while batch := list(islice(found, BATCH)):
        yield batch


@contextmanager
def _moments(cluster: Cluster, old: Generation, new: Generation) -> Iterator[Moments]:
    """Take the points in time of a pass: of the records before the passages, so that these are as new or newer."""
    with ExitStack() as stack:
        cluster.request("POST", f"/{new.both},{old.documents}/_refresh", timeout=_REFRESH_SECONDS)
        new_documents = stack.enter_context(Moment(cluster, new.documents))
        old_documents = stack.enter_context(Moment(cluster, old.documents))
        # What a record promises was acknowledged before it; now it can be seen as well.
        cluster.request("POST", f"/{old.passages}/_refresh", timeout=_REFRESH_SECONDS)
        old_passages = stack.enter_context(Moment(cluster, old.passages))
        yield Moments(old_documents, old_passages, new_documents)
