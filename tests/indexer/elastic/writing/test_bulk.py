"""Bulk requests: what is sent again, what is refused, and how much is under way."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from indexer.elastic.errors import ElasticError, ElasticForbidden, ElasticNotFound
from indexer.elastic.settings import ElasticSettings
from indexer.elastic.wire.connection import Cluster
from indexer.elastic.writing.bulk import MISSING, Action, Bulk, Delivered
from indexer.errors import IndexFull, IndexUnavailable

NAMES = {"passages": "p-1", "documents": "d-1"}
OK = {"status": 201}
BUSY = {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "queue is full"}}
AWAY = {"status": 503, "error": {"type": "unavailable_shards_exception", "reason": "no primary"}}
WRONG = {"status": 400, "error": {"type": "document_parsing_exception", "reason": "not a unit vector"}}
FULL = {
    "status": 429,
    "error": {
        "type": "cluster_block_exception",
        "reason": "index [p-1] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has "
        "read-only-allow-delete block];",
    },
}
CLOSED = {
    "status": 403,
    "error": {
        "type": "cluster_block_exception",
        "reason": "index [p-1] blocked by: [FORBIDDEN/8/index write (api)];",
    },
}


class Scripted(Cluster):
    """Answers each bulk request by a rule from the ids of its actions, and remembers them."""

    def __init__(self, rule: Callable[[list[str], int], list[dict[str, Any]]]) -> None:
        super().__init__("elasticsearch://localhost/books", ElasticSettings())
        self._rule = rule
        self.asked: list[list[dict[str, Any]]] = []

    def request(self, method: str, path: str, **words: Any) -> Any:
        assert (method, path) == ("POST", "/_bulk")
        lines = [json.loads(line) for line in words["lines"].splitlines()]
        actions = [line for line in lines if line.keys() & {"index", "delete"}]
        self.asked.append(actions)
        ids = [next(iter(action.values()))["_id"] for action in actions]
        items = self._rule(ids, len(self.asked))
        return {
            "errors": any("error" in item for item in items),
            "items": [{"index": item} for item in items],
        }


def actions(*ids: str) -> list[Action[str]]:
    return [Action("passages", each, "7", b'{"a":1}', each) for each in ids]


@contextmanager
def bulk_of(cluster: Cluster, **words: Any) -> Iterator[tuple[Bulk[str], list[float]]]:
    """A bulk whose clock moves only by sleeping."""
    slept: list[float] = []
    bulk: Bulk[str] = Bulk(cluster, clock=lambda: sum(slept), sleep=slept.append, chance=lambda: 1.0, **words)
    try:
        yield bulk, slept
    finally:
        bulk.close()


def sent(bulk: Bulk[str], what: Sequence[Action[str]]) -> Delivered[str]:
    bulk.send(what, NAMES)
    [delivered] = bulk.take(block=True)
    return delivered


def ids_of(found: Sequence[Action[str]]) -> list[str]:
    return [action.id for action in found]


def test_an_action_names_its_index_its_id_and_its_routing() -> None:
    store = Action("documents", "5@0", "5", b'{"x":1}', "owner")
    head, body = store.lines(NAMES).splitlines()
    assert json.loads(head) == {"index": {"_index": "d-1", "_id": "5@0", "routing": "5"}}
    assert json.loads(body) == {"x": 1}
    remove = Action("passages", "5-0", "5", None, "owner", guard=(3, 1))
    assert json.loads(remove.lines(NAMES)) == {
        "delete": {"_index": "p-1", "_id": "5-0", "routing": "5", "if_seq_no": 3, "if_primary_term": 1}
    }
    assert store.size >= len(store.lines(NAMES)) - 20


def test_only_what_the_server_was_too_busy_for_is_sent_again() -> None:
    def rule(ids: list[str], times: int) -> list[dict[str, Any]]:
        return [
            BUSY if times < 3 and each in "bd" else AWAY if times < 2 and each == "e" else OK for each in ids
        ]

    cluster = Scripted(rule)
    with bulk_of(cluster) as (bulk, slept):
        delivered = sent(bulk, actions(*"abcde"))
    asked = [[next(iter(each.values()))["_id"] for each in request] for request in cluster.asked]
    assert asked == [list("abcde"), list("bde"), list("bd")]
    assert sorted(ids_of(delivered.done)) == list("abcde")
    assert slept == sorted(slept)
    assert 0 < slept[0] < slept[1]


def test_what_is_refused_is_told_and_the_others_go_on() -> None:
    with bulk_of(Scripted(lambda ids, _: [WRONG if each == "b" else OK for each in ids])) as (bulk, slept):
        delivered = sent(bulk, actions(*"abc"))
    assert ids_of(delivered.done) == ["a", "c"]
    [(refused, reason)] = delivered.refused
    assert refused.owner == "b"
    assert "not a unit vector" in reason
    assert not slept


def test_patience_ends() -> None:
    with bulk_of(Scripted(lambda ids, _: [BUSY] * len(ids)), patience=20.0) as (bulk, slept):
        bulk.send(actions("a"), NAMES)
        with pytest.raises(IndexUnavailable, match="queue is full"):
            bulk.take(block=True)
    assert 20 < sum(slept) < 30


def test_no_answer_at_all_is_waited_out() -> None:
    times = []

    class Away(Scripted):
        def request(self, *args: Any, **words: Any) -> Any:
            times.append(1)
            if len(times) < 4:
                raise IndexUnavailable("no answer")
            return super().request(*args, **words)

    with bulk_of(Away(lambda ids, _: [OK] * len(ids))) as (bulk, slept):
        assert ids_of(sent(bulk, actions("a")).done) == ["a"]
    assert len(slept) == 3


def test_a_request_that_is_too_large_is_halved_until_one_action_is_left() -> None:
    class Small(Scripted):
        def request(self, method: str, path: str, **words: Any) -> Any:
            if words["lines"].count(b"\n") > 4 or b'"_id":"c"' in words["lines"]:
                raise ElasticError(413, "too_large", "more than 100mb")
            return super().request(method, path, **words)

    cluster = Small(lambda ids, _: [OK] * len(ids))
    with bulk_of(cluster) as (bulk, _):
        delivered = sent(bulk, actions(*"abcdef"))
    assert sorted(ids_of(delivered.done)) == list("abdef")
    [(refused, reason)] = delivered.refused
    assert refused.id == "c"
    assert "more than the server takes" in reason


def test_what_an_index_closed_to_writers_does_not_take_comes_back() -> None:
    with bulk_of(Scripted(lambda ids, _: [CLOSED if each == "a" else OK for each in ids])) as (bulk, _):
        delivered = sent(bulk, actions("a", "b"))
    assert (ids_of(delivered.blocked), ids_of(delivered.done)) == (["a"], ["b"])


@pytest.mark.parametrize(
    ("item", "error"),
    [
        (FULL, IndexFull),
        (
            {"status": 403, "error": {"type": "security_exception", "reason": "unauthorized"}},
            ElasticForbidden,
        ),
    ],
)
def test_what_concerns_every_action_ends_it(item: dict[str, Any], error: type[Exception]) -> None:
    with bulk_of(Scripted(lambda ids, _: [item] * len(ids))) as (bulk, _):
        bulk.send(actions("a", "b"), NAMES)
        with pytest.raises(error):
            bulk.take(block=True)


NO_INDEX = {"status": 404, "error": {"type": "index_not_found_exception", "reason": "no such index [p-1]"}}


def test_a_node_that_has_just_started_does_not_know_its_indexes_at_once() -> None:
    def rule(ids: list[str], times: int) -> list[dict[str, Any]]:
        if times < 8:
            return [AWAY] * len(ids)
        return [OK if each == "a" or times > 9 else NO_INDEX for each in ids]

    with bulk_of(Scripted(rule)) as (bulk, slept):
        delivered = sent(bulk, actions("a", "b"))
    assert sorted(ids_of(delivered.done)) == ["a", "b"]
    assert sum(slept) > MISSING  # most of them for the nodes that were away: that is another patience


def test_an_index_that_stays_missing_is_waited_for_no_longer_than_that() -> None:
    with bulk_of(Scripted(lambda ids, _: [NO_INDEX] * len(ids))) as (bulk, slept):
        bulk.send(actions("a"), NAMES)
        with pytest.raises(ElasticNotFound):
            bulk.take(block=True)
    assert MISSING < sum(slept) < 2 * MISSING


def test_a_deletion_that_somebody_forestalled_counts_as_done() -> None:
    conflict = {"status": 409, "error": {"type": "version_conflict_engine_exception", "reason": "newer"}}
    guarded = Action("passages", "a", "7", None, "a", guard=(1, 1))
    with bulk_of(Scripted(lambda ids, _: [conflict] * len(ids))) as (bulk, _):
        assert ids_of(sent(bulk, [guarded]).done) == ["a"]
        [(refused, _)] = sent(bulk, actions("b")).refused
    assert refused.id == "b"


def test_no_more_requests_are_under_way_than_allowed() -> None:
    gate, under_way, most = threading.Event(), [], []
    lock = threading.Lock()

    def rule(ids: list[str], times: int) -> list[dict[str, Any]]:
        with lock:
            under_way.append(ids)
            most.append(len(under_way))
        gate.wait(10)
        with lock:
            under_way.remove(ids)
        return [OK] * len(ids)

    with bulk_of(Scripted(rule), workers=2) as (bulk, _):
        assert bulk.take(block=True) == []
        bulk.send(actions("a"), NAMES)
        assert not bulk.full
        bulk.send(actions("b"), NAMES)
        assert bulk.full
        gate.set()
        done: list[str] = []
        while bulk.busy:
            done += [each for delivered in bulk.take(block=True) for each in ids_of(delivered.done)]
        assert sorted(done) == ["a", "b"]
    assert max(most) <= 2
