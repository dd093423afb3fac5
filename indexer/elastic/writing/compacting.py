"""Taking what was deleted or replaced off the disk, to make room: segments with few deletions stay as they are.

That nothing at all of a reader is left is another promise, and costs more than a large index can pay: what keeps it, of
the small indexes of readers, is in `engine.personal`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from indexer.elastic.rebuilding.generations import Generation
from indexer.elastic.wire.connection import Cluster

_LONG_SECONDS = 4 * 3600.0
_WAIT_SECONDS = 75.0
_POLL_SECONDS = 3.0


def compact(
    cluster: Cluster,
    generation: Generation,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Merge away what was deleted, and return when it is gone, or will be as soon as all copies have caught up.

    Each copy of a shard may ask for the history of recent changes, deletions among them; what is kept for that is
    let go every half minute. So this takes about as long, and is repeated for a little longer at most.

    Raises:
        IndexUnavailable: the cluster did not finish in four hours; what it has begun goes on.
    """
    started = clock()
    while True:
        flush = {"force": "true", "wait_if_ongoing": "true"}
        cluster.request("POST", f"/{generation.both}/_flush", params=flush, timeout=_LONG_SECONDS)
        merge = {"only_expunge_deletes": "true"}
        cluster.request(
            "POST", f"/{generation.both}/_forcemerge", params=merge, timeout=_LONG_SECONDS, retries=0
        )
        cluster.request("POST", f"/{generation.both}/_refresh", timeout=_LONG_SECONDS)
        told = cluster.request("GET", f"/{generation.both}/_stats/docs", timeout=_LONG_SECONDS)
        deleted = sum(each["total"]["docs"]["deleted"] for each in told["indices"].values())
        if not deleted or clock() - started > _WAIT_SECONDS:
            return
        sleep(_POLL_SECONDS)
