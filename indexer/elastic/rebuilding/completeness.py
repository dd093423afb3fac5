"""Whether a copy of a generation has all that it should have, before it is switched to."""

from __future__ import annotations

from collections.abc import Sequence

from indexer.elastic.rebuilding.filling import Torn
from indexer.elastic.rebuilding.generations import Generation
from indexer.elastic.wire.connection import Cluster
from indexer.elastic.writing.journal import entries
from indexer.errors import IndexCorrupt

_REFRESH_SECONDS = 600.0


def check_whole(cluster: Cluster, old: Generation, new: Generation, torn: Sequence[Torn]) -> None:
    """Compare what the copy has with what it should have, when nobody writes to either.

    Args:
        cluster: Where.
        old: What was copied.
        new: The copy.
        torn: What was left out of it.

    Raises:
        IndexCorrupt: something is missing, or the old generation is damaged.
    """
    under_way = {number for each in entries(cluster, old.documents) for number in each.pending}
    damaged = [each.doc_id for each in torn if each.number not in under_way]
    if damaged:
        raise IndexCorrupt(
            f"{len(damaged)} documents of generation {old.number} of {old.name} are damaged, the first of them "
            f"{damaged[0]!r:.80}: its parts are not what its record says, and no writer has it under way. Nothing was "
            "switched: delete them or index them again, then run the rebuild once more"
        )
    cluster.request("POST", f"/{new.both}/_refresh", timeout=_REFRESH_SECONDS)
    there, wanted = documents_in(cluster, new), documents_in(cluster, old) - len(torn)
    passages, promised = _passages_in(cluster, new)
    if (there, passages) != (wanted, promised):
        raise IndexCorrupt(
            f"generation {new.number} of {new.name} has {there} documents and {passages} passages, expected {wanted} "
            f"and {promised}: it is not switched to, and generation {old.number} goes on. Throw it away with "
            f"`quire generations --drop {new.number}`, and run the rebuild again"
        )


def documents_in(cluster: Cluster, generation: Generation) -> int:
    """Return how many documents a generation has."""
    body = {"query": {"term": {"kind": "document"}}}
    return int(cluster.request("POST", f"/{generation.documents}/_count", body=body)["count"])


def health_of(cluster: Cluster, generation: Generation) -> str:
    """Return whether all copies of its shards are there: green, yellow or red."""
    return str(cluster.request("GET", f"/_cluster/health/{generation.both}")["status"])


def _passages_in(cluster: Cluster, generation: Generation) -> tuple[int, int]:
    """Return how many passages there are, and how many the records of documents promise."""
    there = int(cluster.request("POST", f"/{generation.passages}/_count", body={})["count"])
    told = cluster.request(
        "POST",
        f"/{generation.documents}/_search",
        params={"allow_partial_search_results": False},
        body={
            "size": 0,
            "query": {"term": {"kind": "document"}},
            "aggs": {"passages": {"sum": {"field": "passages"}}},
        },
    )
    return there, int(told["aggregations"]["passages"]["value"])
