"""Reading all of an index in order: a point in time, paged through with search_after.

A point in time is one moment of each shard, not of all shards together. What has to fit together is read from one
shard, or its points in time are taken in an order that makes the later one the newer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from indexer.elastic.wire.connection import Cluster
from indexer.errors import IndexingError

KEEP_ALIVE = "10m"


class Moment:
    """A point in time of an index, or of several with commas between. A context manager; threads may share it."""

    def __init__(self, cluster: Cluster, index: str) -> None:
        self._cluster = cluster
        self.index = index
        # Without this a shard that is missing would read as one that is empty.
        params = {"keep_alive": KEEP_ALIVE, "allow_partial_search_results": "false"}
        self._id = str(cluster.request("POST", f"/{index}/_pit", params=params)["id"])

    def scan(
        self,
        query: Mapping[str, Any],
        sort: Sequence[str],
        *,
        size: int,
        **body: Any,
    ) -> Iterator[dict[str, Any]]:
        """Yield the hits that match, in order.

        Args:
            query: What they match.
            sort: Fields to sort by, ascending; together they must be different for each hit.
            size: How many to ask for at once.
            **body: More of the search's body: `_source`, `docvalue_fields`, `version`.

        Raises:
            ElasticNotFound: the server has lost the point in time, as by a restart.
            IndexUnavailable: a shard is missing.
        """
        asked: dict[str, Any] = {
            "query": query,
            "sort": [{name: "asc"} for name in sort],
            "size": size,
            "track_total_hits": False,
            "pit": {"id": self._id, "keep_alive": KEEP_ALIVE},
            **body,
        }
        params = {"allow_partial_search_results": "false"}
        while True:
            found = self._cluster.request("POST", "/_search", params=params, body=asked)
            hits = found["hits"]["hits"]
            yield from hits
            if len(hits) < size:
                return
            asked["search_after"] = hits[-1]["sort"]

    def close(self) -> None:
        """Let the server forget it."""
        # One that is not closed ends by itself after KEEP_ALIVE.
        with contextlib.suppress(IndexingError):
            self._cluster.request("DELETE", "/_pit", body={"id": self._id})

    def __enter__(self) -> Moment:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
