"""Sends a bulk request until every line of it is acknowledged.

For a rebuild, which copies what an index has taken once already: the first refusal ends it, and a newer version that is
there is as good. A writer of documents has `writing.bulk`: several requests under way, and a refusal is one document's.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from indexer.elastic.errors import refusal
from indexer.elastic.wire.connection import Cluster
from indexer.elastic.wire.retrying import pause
from indexer.errors import IndexingError, IndexUnavailable

_TRIES = 12
_SECONDS = 120.0  # of one request, while a cluster is loaded


def send(cluster: Cluster, lines: Sequence[bytes], *, tries: int = _TRIES) -> None:
    """Send lines of JSON; those that the server is too busy for are sent again, after growing pauses.

    A version that is there already, and a deletion of what is not there, count as done.

    Args:
        cluster: Where.
        lines: Actions, each followed by its body unless it is a deletion.
        tries: How often to send a line.

    Raises:
        IndexUnavailable: the server stayed too busy, or did not answer.
        IndexFull: its disk is full.
        ElasticError: it refused a line for good; the message says which.
    """
    waiting = list(lines)
    for attempt in range(1, tries + 1):
        told = cluster.request("POST", "/_bulk", lines=waiting, timeout=_SECONDS)
        if not told["errors"]:
            return
        again: list[bytes] = []
        error: IndexingError | None = None
        for item, parts in zip(told["items"], _parts(waiting), strict=True):
            [answer] = item.values()
            status = int(answer["status"])
            if "error" not in answer or status == 409:
                continue
            error = refusal(status, answer, asked=f"{answer['_index']}/{answer['_id']}")
            if not isinstance(error, IndexUnavailable):
                raise error
            again += parts
        if error is None:
            return
        if attempt == tries:
            raise error
        time.sleep(pause(attempt, random.random(), None))
        waiting = again


def _parts(lines: Sequence[bytes]) -> list[Sequence[bytes]]:
    """Return the lines of each action."""
    found: list[Sequence[bytes]] = []
    at = 0
    while at < len(lines):
        length = 1 if lines[at].startswith(b'{"delete"') else 2
        found.append(lines[at : at + length])
        at += length
    return found
