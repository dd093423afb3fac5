"""How much an index on a cluster holds, and how much room it takes."""

from __future__ import annotations

from typing import Any

from indexer.backend import IndexStats
from indexer.elastic.reading.reader import ElasticReader
from indexer.elastic.rebuilding.generations import Generation
from indexer.elastic.shape.mappings import Made
from indexer.elastic.wire.connection import Cluster


def stats_of(
    cluster: Cluster, generation: Generation, reader: ElasticReader, made: Made, address: str
) -> IndexStats:
    """Return what an index holds and how much room it takes, copies included.

    Args:
        cluster: Where.
        generation: The one that counts.
        reader: Of its last commit.
        made: How it was made.
        address: Where it is, for people.

    Raises:
        IndexUnavailable: the cluster does not answer.
    """
    told = cluster.request("GET", f"/{generation.both}/_stats/docs,store")
    size = sum(each["total"]["store"]["size_in_bytes"] for each in told["indices"].values())
    kept, megabytes = _token_vectors(cluster, generation, made)
    return IndexStats(
        path=address,
        generation=reader.generation,
        documents=reader.document_count,
        passages=reader.passage_count,
        vectors=reader.vector_count,
        removed_passages=told["indices"][generation.passages]["primaries"]["docs"]["deleted"],
        graph_passages=reader.vector_count,
        megabytes=round(size / 1e6, 1),
        token_vectors=kept,
        token_megabytes=megabytes,
        encoder=made.encoder.fingerprint,
        analyser=made.analyser,
        fields={name: tuple(sorted(kinds)) for name, kinds in sorted(reader.fields().items())},
    )


def _token_vectors(cluster: Cluster, generation: Generation, made: Made) -> tuple[int | None, float]:
    """Return how many passages have their tokens' vectors, None where none keep them; and about how many megabytes."""
    if made.coding is None:
        return None, 0.0
    body: dict[str, Any] = {
        "size": 0,
        "query": {"exists": {"field": "codes"}},
        "track_total_hits": True,
        "aggs": {"tokens": {"sum": {"field": "tokens"}}},
    }
    found = cluster.request("POST", f"/{generation.passages}/_search", body=body)
    tokens = int(found["aggregations"]["tokens"]["value"])
    return int(found["hits"]["total"]["value"]), round(tokens * made.coding.token_bytes / 1e6, 1)
