"""Asking a cluster over a network that fails as it is told to: what is repeated, when, and what callers are told."""

from __future__ import annotations

import base64
import json
import logging
import multiprocessing
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from told_server import HANG, RESET, Answer, ToldServer

from indexer.elastic.errors import ElasticError, ElasticForbidden, ElasticNotFound
from indexer.elastic.settings import ElasticSettings
from indexer.elastic.wire.breaker import COOL_DOWN, FAILURES
from indexer.elastic.wire.connection import Cluster
from indexer.errors import IndexFull, IndexUnavailable

BUSY = Answer(429, {"error": {"type": "es_rejected_execution_exception", "reason": "queue is full"}})
RED = Answer(503, {"error": {"type": "no_shard_available_action_exception", "reason": "all shards failed"}})
FINE = Answer(body={"fine": True})


class Time:
    """A clock that goes on only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 50.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def server() -> Iterator[ToldServer]:
    with ToldServer() as server:
        yield server


@pytest.fixture
def time() -> Time:
    return Time()


def _dead_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _cluster(*ports: int, time: Time | None = None, **values: Any) -> Cluster:
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    pace: dict[str, Any] = {"chance": lambda: 1.0, "sleep": lambda _: None}
    if time is not None:
        pace = {"chance": lambda: 1.0, "clock": time.clock, "sleep": time.sleep}
    return Cluster(f"elasticsearch://{hosts}/books", ElasticSettings(**values), **pace)


def test_an_answer_is_returned_and_the_request_is_as_asked(server: ToldServer) -> None:
    server.tell(Answer(body={"took": 3, "ü": [1.5, None]}))
    with _cluster(server.port, username="reader", password="pw") as cluster:
        found = cluster.request("POST", "/books/_search", body={"q": "ü"}, params={"size": 3, "flat": False})
    assert found == {"took": 3, "ü": [1.5, None]}
    [asked] = server.asked
    assert (asked.method, asked.target) == ("POST", "/books/_search?size=3&flat=false")
    assert json.loads(asked.body) == {"q": "ü"}
    assert asked.headers["content-type"] == asked.headers["accept"] == "application/json"
    assert base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")) == b"reader:pw"


def test_lines_are_sent_as_lines(server: ToldServer) -> None:
    with _cluster(server.port, api_key="id:key") as cluster:
        cluster.request("POST", "/_bulk", lines=[{"index": {"_id": "1"}}, {"a": 1}])
    [asked] = server.asked
    assert asked.body == b'{"index":{"_id":"1"}}\n{"a":1}\n'
    assert asked.headers["content-type"] == "application/x-ndjson"
    assert asked.headers["authorization"] == "ApiKey " + base64.b64encode(b"id:key").decode()


def test_head_says_whether_it_is_there(server: ToldServer) -> None:
    server.tell(Answer(200), Answer(404), Answer(403))
    with _cluster(server.port) as cluster:
        assert cluster.request("HEAD", "/books") is True
        assert cluster.request("HEAD", "/books") is False
        with pytest.raises(ElasticForbidden):
            cluster.request("HEAD", "/books")


def test_a_connection_is_kept(server: ToldServer) -> None:
    with _cluster(server.port) as cluster:
        for _ in range(5):
            cluster.request("GET", "/")
        nodes = cluster._connected()._transport.node_pool.all()
        assert [node.pool.num_connections for node in nodes] == [1]  # type: ignore[attr-defined]


def test_not_now_is_asked_again_after_a_growing_pause(server: ToldServer, time: Time) -> None:
    server.tell(BUSY, RED, Answer(502, b"<h1>Bad gateway</h1>", kind="text/html"), FINE)
    with _cluster(server.port, time=time) as cluster:
        assert cluster.request("GET", "/x") == {"fine": True}
    assert len(server.asked) == 4
    assert time.slept == [0.2, 0.4, 0.8]


def test_retry_after_is_honoured(server: ToldServer, time: Time) -> None:
    server.tell(Answer(429, {}, {"Retry-After": "3"}), FINE)
    with _cluster(server.port, time=time) as cluster:
        assert cluster.request("GET", "/x") == {"fine": True}
    assert time.slept == [3.2]


def test_a_pause_beyond_the_deadline_is_not_begun(server: ToldServer, time: Time) -> None:
    server.tell(Answer(503, {}, {"Retry-After": "30"}))
    with _cluster(server.port, time=time) as cluster, pytest.raises(IndexUnavailable) as told:
        cluster.request("GET", "/x")
    assert (len(server.asked), time.slept, told.value.retry_after) == (1, [], 30.0)


def test_retries_end(server: ToldServer, time: Time) -> None:
    server.tell(BUSY)
    with _cluster(server.port, time=time, retries=2) as cluster:
        with pytest.raises(IndexUnavailable, match="cannot answer now: queue is full"):
            cluster.request("GET", "/x")
        assert len(server.asked) == 3
        with pytest.raises(IndexUnavailable):
            cluster.request("GET", "/x", retries=0)
        assert len(server.asked) == 4


def test_what_must_not_be_done_twice_is_asked_again_only_when_it_was_not_done(
    server: ToldServer, time: Time
) -> None:
    with _cluster(server.port, time=time) as cluster:
        server.tell(BUSY, FINE)
        assert cluster.request("PUT", "/books", body={}) == {"fine": True}
        server.tell(RED, FINE)
        with pytest.raises(IndexUnavailable):
            cluster.request("PUT", "/books", body={})
        server.tell(RESET, FINE)
        with pytest.raises(IndexUnavailable, match="whether the request was carried out is unknown"):
            cluster.request("PUT", "/books", body={})
        server.tell(RESET, FINE)
        assert cluster.request("PUT", "/books", body={}, repeat=True) == {"fine": True}
        server.tell(RESET, FINE)
        assert cluster.request("POST", "/books/_bulk", lines=[{}]) == {"fine": True}
        server.tell(RESET, FINE)
        with pytest.raises(IndexUnavailable):
            cluster.request("POST", "/books/_bulk", lines=[{}], repeat=False)


def test_a_refusal_is_not_asked_again(server: ToldServer) -> None:
    server.tell(Answer(404, {"error": {"type": "index_not_found_exception", "reason": "no such index [b]"}}))
    with _cluster(server.port) as cluster, pytest.raises(ElasticNotFound, match="no such index") as told:
        cluster.request("GET", "/b")
    assert (told.value.status, told.value.kind, len(server.asked)) == (404, "index_not_found_exception", 1)


@pytest.mark.parametrize("place", ["/elsewhere", "http://localhost:1/elsewhere"])
def test_a_redirection_is_not_followed_with_the_credentials(server: ToldServer, place: str) -> None:
    server.tell(Answer(302, {}, {"Location": place}))
    with _cluster(server.port, api_key="k") as cluster, pytest.raises(ElasticError, match="302"):
        cluster.request("GET", "/x")
    assert len(server.asked) == 1


def test_a_full_disk_is_not_asked_again(server: ToldServer) -> None:
    reason = "index [b] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark];"
    server.tell(Answer(429, {"error": {"type": "cluster_block_exception", "reason": reason}}))
    with _cluster(server.port) as cluster, pytest.raises(IndexFull):
        cluster.request("POST", "/b/_bulk", lines=[{}])
    assert len(server.asked) == 1


def test_a_refused_connection_says_so(time: Time) -> None:
    with _cluster(_dead_port(), time=time) as cluster, pytest.raises(IndexUnavailable) as told:
        cluster.request("PUT", "/books")
    assert "does not answer, 4 times: connection refused" in str(told.value)
    assert len(time.slept) == 3


def test_a_hanging_server_is_waited_for_no_longer_than_the_deadline(server: ToldServer) -> None:
    server.tell(HANG)
    with _cluster(server.port) as cluster, pytest.raises(IndexUnavailable, match="no answer in time"):
        cluster.request("GET", "/x", timeout=0.2)
    assert len(server.asked) == 1


def test_another_host_is_asked_where_one_is_dead_or_hangs(server: ToldServer) -> None:
    server.tell(FINE)
    with ToldServer(HANG) as hanging:
        with _cluster(_dead_port(), hanging.port, server.port) as cluster:
            for _ in range(6):
                assert cluster.request("GET", "/x", timeout=2.0) == {"fine": True}
    # Once it hung it is left out for a while.
    assert len(hanging.asked) <= 1
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(does="raw", raw=b"SSH-2.0-OpenSSH_9.6\r\n"), "does not answer"),
        (Answer(body=b'{"took": 3'), "no JSON"),
        (Answer(body=b"<html>log in</html>", kind="text/html", headers={"X-Elastic-Product": ""}), "proxy"),
        (Answer(body=b"\x89PNG", kind="image/png"), "mimetype"),
        (
            Answer(body={"version": {"number": "2.19"}}, headers={"X-Elastic-Product": ""}),
            "from Elasticsearch",
        ),
    ],
)
def test_garbage_is_called_that(server: ToldServer, answer: Answer, says: str) -> None:
    server.tell(answer)
    with _cluster(server.port) as cluster, pytest.raises((ElasticError, IndexUnavailable), match=says):
        cluster.request("GET", "/x")


def test_plain_text_is_returned_as_text(server: ToldServer) -> None:
    server.tell(Answer(body="grün\n".encode(), kind="text/plain; charset=UTF-8"))
    with _cluster(server.port) as cluster:
        assert cluster.request("GET", "/_cat/health") == "grün\n"


def test_a_cluster_that_keeps_failing_is_left_alone_and_found_again(server: ToldServer, time: Time) -> None:
    server.tell(RESET)
    with _cluster(server.port, time=time, retries=0) as cluster:
        for _ in range(FAILURES):
            with pytest.raises(IndexUnavailable, match="does not answer"):
                cluster.request("GET", "/x")
        for _ in range(20):
            with pytest.raises(
                IndexUnavailable, match=r"elasticsearch://127\.0\.0\.1.* next trial is in 2\.0 s"
            ):
                cluster.request("GET", "/x")
        assert len(server.asked) == FAILURES
        server.tell(FINE)
        time.now += COOL_DOWN
        assert cluster.request("GET", "/x") == cluster.request("GET", "/x") == {"fine": True}


def test_a_short_limit_of_the_caller_says_nothing_about_the_cluster(server: ToldServer) -> None:
    server.tell(HANG)
    with _cluster(server.port) as cluster:
        for _ in range(FAILURES):
            with pytest.raises(IndexUnavailable, match="no answer in time"):
                cluster.request("GET", "/x", timeout=0.02)
        server.tell(FINE)
        assert cluster.request("GET", "/x") == {"fine": True}


def test_refusals_do_not_open_the_breaker(server: ToldServer) -> None:
    server.tell(RED)
    with _cluster(server.port, retries=0) as cluster:
        for _ in range(3 * FAILURES):
            with pytest.raises(IndexUnavailable, match="all shards failed"):
                cluster.request("GET", "/x")
    assert len(server.asked) == 3 * FAILURES


def test_several_searches_are_one_request(server: ToldServer) -> None:
    server.tell(Answer(body={"responses": [{"hits": 1}, {"hits": 2, "_shards": {"failed": 1}}]}))
    with _cluster(server.port) as cluster:
        found = cluster.msearch(
            [({"index": "b"}, {"size": 1}), ({}, {"size": 2})], params={"filter_path": "r"}
        )
        assert [one["hits"] for one in found] == [1, 2]
        assert cluster.msearch([]) == []
    [asked] = server.asked
    assert asked.target == "/_msearch?filter_path=r"
    assert asked.body == b'{"index":"b"}\n{"size":1}\n{}\n{"size":2}\n'


def test_a_search_that_was_rejected_is_asked_again(server: ToldServer, time: Time) -> None:
    rejected = {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "full"}}
    server.tell(Answer(body={"responses": [{"hits": 1}, rejected]}), Answer(body={"responses": [{}, {}]}))
    with _cluster(server.port, time=time) as cluster:
        assert cluster.msearch([({}, {}), ({}, {})]) == [{}, {}]
    assert len(time.slept) == 1


def test_a_search_that_stays_rejected(server: ToldServer, time: Time) -> None:
    rejected = {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "full"}}
    server.tell(Answer(body={"responses": [{"hits": 1}, rejected]}))
    with _cluster(server.port, time=time) as cluster, pytest.raises(IndexUnavailable, match="full"):
        cluster.msearch([({}, {}), ({}, {})])
    assert len(time.slept) > 1


def test_a_search_that_failed_stands_among_the_answers(server: ToldServer, time: Time) -> None:
    wrong = {"status": 400, "error": {"type": "parsing_exception", "reason": "unknown query [x]"}}
    server.tell(
        Answer(body={"responses": [{"hits": 1}, wrong]}), Answer(body={}), Answer(400, {"error": "no"})
    )
    with _cluster(server.port, time=time) as cluster:
        assert cluster.msearch([({}, {}), ({}, {})]) == [{"hits": 1}, wrong]
        with pytest.raises(ElasticError, match="no responses"):
            cluster.msearch([({}, {})])
        with pytest.raises(ElasticError, match="400"):
            cluster.msearch([({}, {})])
    assert time.slept == []


def test_warnings_of_the_server_are_logged_once(server: ToldServer, caplog: pytest.LogCaptureFixture) -> None:
    server.tell(Answer(headers={"Warning": '299 Elasticsearch-9.5.0 "this is deprecated"'}))
    with caplog.at_level(logging.WARNING, "indexer"), _cluster(server.port) as cluster:
        for _ in range(3):
            cluster.request("GET", "/x")
    assert [record.message.count("this is deprecated") for record in caplog.records] == [1]


def test_secrets_and_bodies_reach_no_log_and_no_error(
    server: ToldServer, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[str] = []
    for values in ({"api_key": "hunter2"}, {"username": "reader", "password": "hunter2"}):
        server.tell(Answer(401, {"error": {"type": "security_exception", "reason": "unknown"}}), RESET)
        with caplog.at_level(logging.DEBUG), _cluster(server.port, **values) as cluster:
            for body in ({"text": "a private letter"}, None, None):
                try:
                    cluster.request("POST", "/b/_search", body=body)
                except (ElasticError, IndexUnavailable) as error:
                    chain: BaseException | None = error
                    while chain is not None:
                        said.append(f"{chain!r} {chain}")
                        chain = chain.__cause__ or chain.__context__
            said.append(f"{cluster!r} {cluster.settings!r} {vars(cluster)!r}")
            said += [repr(node.config) for node in cluster._connected()._transport.node_pool.all()]
    said += [record.getMessage() + str(record.exc_text) for record in caplog.records]
    whole = "\n".join(said)
    assert "security_exception" in whole
    for secret in ("hunter2", base64.b64encode(b"reader:hunter2").decode(), "private letter"):
        assert secret not in whole


def test_many_threads_share_one_cluster(server: ToldServer) -> None:
    with _cluster(server.port, connections=3) as cluster:
        found: list[Any] = []
        threads = [
            threading.Thread(target=lambda: found.extend(cluster.request("GET", "/x") for _ in range(10)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [{}] * 80


def test_waiting_for_a_free_connection_ends_at_the_deadline(server: ToldServer) -> None:
    server.tell(HANG)
    with _cluster(server.port, connections=1, retries=0) as cluster:
        failed: list[Exception] = []

        def ask() -> None:
            try:
                cluster.request("GET", "/x", timeout=20)
            except IndexUnavailable as error:
                failed.append(error)

        first = threading.Thread(target=ask)
        first.start()
        server.arrived.wait()
        with pytest.raises(IndexUnavailable, match="no answer in time"):
            cluster.request("GET", "/x", timeout=0.1)
        server.released.set()
        first.join()
    assert len(server.asked) == len(failed) == 1


def _ask_in_child(cluster: Cluster, out: Any) -> None:
    out.put(cluster.request("GET", "/x"))
    cluster.close()


@pytest.mark.skipif(sys.platform != "linux", reason="forks")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_opens_its_own_connections(server: ToldServer) -> None:
    with _cluster(server.port) as cluster:
        cluster.request("GET", "/x")
        context = multiprocessing.get_context("fork")
        out = context.Queue()
        child = context.Process(target=_ask_in_child, args=(cluster, out))
        child.start()
        assert out.get(timeout=20) == {}
        child.join()
        assert cluster.request("GET", "/x") == {}


def test_nodes_that_the_cluster_tells_of_are_asked_when_sniffing(server: ToldServer) -> None:
    with ToldServer(FINE) as other:
        nodes = {"a": {"http": {"publish_address": f"127.0.0.1:{other.port}"}, "roles": ["data"]}}
        server.tell(Answer(body={"nodes": nodes}, kind="application/vnd.elasticsearch+json"), FINE)
        with _cluster(server.port, sniff=True, username="u", password="p") as cluster:
            for _ in range(4):
                assert cluster.request("GET", "/x") == {"fine": True}
        assert server.asked[0].target == "/_nodes/_all/http"
        assert "authorization" in server.asked[0].headers
        assert len(other.asked) >= 1
