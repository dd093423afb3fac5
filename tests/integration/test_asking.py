"""One way of asking, against a real server: its refusals as errors of ours, its version, its nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from indexer.elastic.errors import ElasticConflict, ElasticError, ElasticNotFound
from indexer.elastic.settings import ElasticSettings
from indexer.elastic.wire.connection import Cluster, path_of
from indexer.errors import IndexFull

CREATE = {"settings": {"number_of_shards": 2, "number_of_replicas": 0}, "mappings": {"dynamic": "strict"}}


@pytest.fixture
def cluster(elasticsearch_address: Callable[[], str]) -> Iterator[Cluster]:
    with Cluster.open(elasticsearch_address()) as cluster:
        yield cluster


@pytest.fixture
def index(cluster: Cluster) -> str:
    """An index with one document, whose id needs quoting."""
    name = cluster.address.name
    cluster.request(
        "PUT", path_of(name), body={**CREATE, "mappings": {"properties": {"n": {"type": "long"}}}}
    )
    cluster.request("PUT", path_of(name, "_doc", "a/b ü"), body={"n": 1}, params={"refresh": True})
    return name


def test_the_version_is_found_out_though_the_root_is_refused(cluster: Cluster) -> None:
    assert cluster.version.startswith("9.")


def test_a_document_is_found_by_any_id(cluster: Cluster, index: str) -> None:
    assert cluster.request("GET", path_of(index, "_doc", "a/b ü"))["_source"] == {"n": 1}
    assert cluster.request("HEAD", path_of(index, "_doc", "a/b ü")) is True
    assert cluster.request("HEAD", path_of(index, "_doc", "a")) is False


def test_searches_come_back_in_order(cluster: Cluster, index: str) -> None:
    searches = [({"index": index}, {"query": {"range": {"n": {"gt": n}}}}) for n in (0, 1, 0)]
    found = cluster.msearch(searches, params={"filter_path": "responses.hits.total.value"})
    assert [one["hits"]["total"]["value"] for one in found] == [1, 0, 1]


def test_refusals_are_errors_of_ours(cluster: Cluster, index: str) -> None:
    with pytest.raises(ElasticNotFound, match="no such index") as told:
        cluster.request("GET", path_of(f"{index}-none"))
    assert told.value.kind == "index_not_found_exception"
    [there, none] = cluster.msearch([({"index": index}, {}), ({"index": f"{index}-none"}, {})])
    assert "hits" in there
    assert none["error"]["type"] == "index_not_found_exception"
    with pytest.raises(ElasticNotFound) as told:
        cluster.request("GET", path_of(index, "_doc", "none"))
    assert told.value.status == 404
    with pytest.raises(ElasticConflict, match="version conflict"):
        cluster.request("PUT", path_of(index, "_create", "a/b ü"), body={"n": 2})
    with pytest.raises(ElasticError, match="already exists"):
        cluster.request("PUT", path_of(index), body=CREATE)
    with pytest.raises(ElasticError, match="unknown query"):
        cluster.request("POST", path_of(index, "_search"), body={"query": {"nothing": {}}})
    with pytest.raises(ElasticNotFound) as told:
        cluster.request("POST", "/_search", body={"pit": {"id": _closed_point(cluster, index)}})
    assert told.value.kind == "search_context_missing_exception"


def _closed_point(cluster: Cluster, index: str) -> str:
    point: str = cluster.request("POST", path_of(index, "_pit"), params={"keep_alive": "1m"})["id"]
    cluster.request("DELETE", "/_pit", body={"id": point})
    return point


def test_a_disk_that_is_nearly_full_is_called_that(cluster: Cluster, index: str) -> None:
    block = {"index.blocks.read_only_allow_delete": True}
    cluster.request("PUT", path_of(index, "_settings"), body=block)
    with pytest.raises(IndexFull, match="free some disk"):
        cluster.request("PUT", path_of(index, "_doc", "2"), body={"n": 2})


def test_its_nodes_are_found_by_sniffing(cluster: Cluster) -> None:
    with Cluster(cluster.address, ElasticSettings(sniff=True)) as sniffing:
        for _ in range(3):
            assert sniffing.request("GET", "/_cluster/health")["number_of_nodes"] >= 1
