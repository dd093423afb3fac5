"""Taking what was deleted off the disks of the server, and seeing that it is gone.

A deleted document stays in its segment until that is written anew, and not even a forced merge leaves it out as long as
a copy of the shard might ask for the history of changes: each copy holds a retention lease for what it may still ask,
which the server moves on every 30 seconds at best. So: flush (which empties the translog too), wait until the leases
have passed the last deletion, write anew every segment that has deletions, and look whether these are gone from every
copy. (`only_expunge_deletes` passes over segments with few deletions; `max_num_segments=1` does not. So this is not
`indexer.elastic.writing.compacting`, which makes room in large indexes and promises nothing of single documents.)
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from engine.errors import ReaderStoreBusy
from indexer.elastic.wire.connection import path_of

if TYPE_CHECKING:
    from engine.personal.elastic.access import ReaderIndex

LEASES_WAIT = 120.0
"""So many seconds are left for the leases to move on: four times as long as it takes."""
MERGE_WAIT = 3_600.0
_LOOK = 0.5
_PASSES = 20


def expunge(index: ReaderIndex) -> None:
    """Write the index anew without what was deleted, on every copy.

    Raises:
        ReaderStoreBusy: a copy is away, or the server does not let go of what was deleted.
    """
    _flush(index)
    last = {shard: copy["seq_no"]["max_seq_no"] for shard, copy in _copies(index)}
    until = time.monotonic() + LEASES_WAIT
    while any(
        lease["retaining_seq_no"] <= last.get(shard, -1)
        for shard, copy in _copies(index)
        for lease in copy["retention_leases"]["leases"]
    ):
        if time.monotonic() > until:
            raise ReaderStoreBusy(
                f"{index.place} keeps it for a copy that is away; once all nodes are there, it goes when the readers "
                "are opened next, or forget the same again"
            )
        time.sleep(_LOOK)
    # Twice, since a merge that was under way already may have carried on what it began with.
    for _ in range(2):
        _rewrite(index)


def _rewrite(index: ReaderIndex) -> None:
    _flush(index)
    stale = set(_with_deletions(index))
    for _ in range(_PASSES):
        if not stale & set(_with_deletions(index)):
            return
        with index.said():
            index.cluster.request(
                "POST",
                path_of(index.index, "_forcemerge"),
                params={"max_num_segments": 1, "flush": True},
                timeout=MERGE_WAIT,
                retries=0,
            )
        index.refresh()
        _flush(index)
    raise ReaderStoreBusy(f"{index.place} has not written anew yet what held it; forget the same again")


def _flush(index: ReaderIndex) -> None:
    with index.said():
        params = {"force": True, "wait_if_ongoing": True}
        index.cluster.request("POST", path_of(index.index, "_flush"), params=params, timeout=MERGE_WAIT)


def _copies(index: ReaderIndex) -> Iterator[tuple[str, Any]]:
    """Yield every copy of a shard: the shard's number, and what the server says of the copy."""
    with index.said():
        answer = index.cluster.request("GET", path_of(index.index, "_stats"), params={"level": "shards"})
    for shards in answer["indices"].values():
        for shard, copies in shards["shards"].items():
            for copy in copies:
                yield shard, copy


def _with_deletions(index: ReaderIndex) -> Iterator[tuple[str, str, str]]:
    """Yield the segments that hold something deleted: shard, node, name."""
    with index.said():
        answer = index.cluster.request("GET", path_of(index.index, "_segments"))
    for found in answer["indices"].values():
        for shard, copies in found["shards"].items():
            for copy in copies:
                for name, segment in copy["segments"].items():
                    if segment["deleted_docs"]:
                        yield shard, copy["routing"]["node"], name
