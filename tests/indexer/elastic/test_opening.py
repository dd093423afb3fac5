"""Opening a cluster: which servers and settings will do, and what is said of those that will not."""

from __future__ import annotations

import base64
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from told_server import Answer, ToldServer

from indexer.elastic.errors import ElasticForbidden
from indexer.elastic.settings import ElasticSettings
from indexer.elastic.wire.connection import Cluster
from indexer.errors import IndexVersionMismatch, InvalidSettings

CLOUD = "name:" + base64.b64encode(b"127.0.0.1$abc$def").decode()


@pytest.fixture
def server() -> Iterator[ToldServer]:
    with ToldServer() as server:
        yield server


def test_wrong_credentials_are_named_without_repeating_them(server: ToldServer) -> None:
    server.tell(Answer(401, {"error": {"type": "security_exception", "reason": "unable to authenticate"}}))
    with pytest.raises(ElasticForbidden, match="did not accept user 'reader'"):
        Cluster.open(
            f"elasticsearch://127.0.0.1:{server.port}/b", ElasticSettings(username="reader", password="x")
        )


@pytest.mark.parametrize(
    ("address", "values", "warns"),
    [
        ("elasticsearch://search.example/b", {"username": "u", "password": "p"}, True),
        ("elasticsearch://localhost,search.example/b", {"api_key": "k"}, True),
        ("elasticsearch://search.example/b", {}, False),
        ("elasticsearch+https://search.example/b", {"api_key": "k"}, False),
        ("elasticsearch://localhost,127.0.0.1,[::1]/b", {"api_key": "k"}, False),
    ],
)
def test_credentials_that_would_cross_a_network_in_the_clear_are_warned_of(
    address: str, values: dict[str, Any], warns: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "indexer"):
        Cluster(address, ElasticSettings(**values)).close()
    assert any("unencrypted" in record.message for record in caplog.records) is warns


def _version(number: str) -> Answer:
    return Answer(body={"version": {"number": number}, "tagline": "You Know, for Search"})


@pytest.mark.parametrize("number", ["9.4.0", "9.5.0", "9.12.1-SNAPSHOT"])
def test_a_server_of_the_supported_range_is_opened(server: ToldServer, number: str) -> None:
    server.tell(_version(number))
    with Cluster.open(f"elasticsearch://127.0.0.1:{server.port}/b") as cluster:
        assert cluster.version == number
        assert cluster.version == number
    assert len(server.asked) == 1


@pytest.mark.parametrize("number", ["8.19.2", "9.3.9", "10.0.0", "7.10.2", "banana"])
def test_another_server_is_refused_by_name(server: ToldServer, number: str) -> None:
    server.tell(_version(number))
    with pytest.raises(
        IndexVersionMismatch, match=rf"runs version {number}; Quire works with Elasticsearch 9\.4"
    ):
        Cluster.open(f"elasticsearch://127.0.0.1:{server.port}/b")


def test_where_the_root_is_refused_the_node_is_asked(server: ToldServer) -> None:
    server.tell(Answer(405, {"error": "not allowed"}), Answer(body={"nodes": {"a": {"version": "9.5.0"}}}))
    with Cluster.open(f"elasticsearch://127.0.0.1:{server.port}/b") as cluster:
        assert cluster.version == "9.5.0"
    assert server.asked[1].target == "/_nodes/_local?filter_path=nodes.*.version"


def test_where_nothing_is_told_work_goes_on(server: ToldServer, caplog: pytest.LogCaptureFixture) -> None:
    server.tell(Answer(403, {"error": {"type": "security_exception", "reason": "no"}}))
    with caplog.at_level(logging.DEBUG, "indexer"):
        with Cluster.open(f"elasticsearch://127.0.0.1:{server.port}/b") as cluster:
            assert cluster.version == ""
    assert len(server.asked) == 2
    assert any("does not tell its version" in record.message for record in caplog.records)


@pytest.mark.parametrize(
    ("address", "values", "says"),
    [
        ("elasticsearch:///b", {}, "names no host"),
        ("elasticsearch://h/b", {"cloud_id": CLOUD}, "not both"),
        ("elasticsearch://h/b", {"ca": "ca.pem"}, "need TLS"),
        ("elasticsearch://h/b", {"ca_fingerprint": "a" * 64}, "need TLS"),
        ("elasticsearch+https://h/b", {"ca": "no/such/ca.pem"}, "no/such/ca.pem holds no certificates"),
        ("elasticsearch:///b", {"cloud_id": "damaged"}, "cloud_id is damaged"),
    ],
)
def test_settings_that_do_not_go_with_the_address_are_refused(
    address: str, values: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidSettings, match=says):
        Cluster(address, ElasticSettings(**values)).request("GET", "/")


def test_a_cloud_id_names_the_host() -> None:
    with Cluster("elasticsearch:///b", ElasticSettings(cloud_id=CLOUD, api_key="x")) as cluster:
        [node] = cluster._connected()._transport.node_pool.all()
        assert node.base_url == "https://abc.127.0.0.1:443"


def test_a_missing_package_is_named_with_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "indexer.elastic.wire.transport", raising=False)
    monkeypatch.setitem(sys.modules, "elastic_transport", None)
    with pytest.raises(InvalidSettings, match=r'pip install "quire-search\[elasticsearch\]"'):
        Cluster("elasticsearch://h/b").request("GET", "/")
