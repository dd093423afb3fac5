"""Points in time: kept alive, opened again when they are lost or shards fail, and never of another generation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from indexer.elastic.errors import ElasticError, ElasticNotFound
from indexer.elastic.reading.pit import PointInTime, Search, is_partial, lacking
from indexer.errors import IndexChanged, IndexUnavailable

WHOLE = {"total": 2, "failed": 0}
LOST = {
    "status": 404,
    "error": {
        "type": "search_phase_execution_exception",
        "reason": "all shards failed",
        "root_cause": [{"type": "search_context_missing_exception", "reason": "No search context found"}],
    },
}
RED = {
    "status": 503,
    "error": {"type": "search_phase_execution_exception", "reason": "all shards failed", "root_cause": []},
}
HALF = {
    "_shards": {"total": 2, "failed": 1, "failures": [{"reason": {"type": "node_not_connected_exception"}}]},
    "hits": {"hits": []},
}
HALF_LOST = {
    "_shards": {
        "total": 2,
        "failed": 1,
        "failures": [{"reason": {"type": "search_context_missing_exception", "reason": "gone"}}],
    },
    "hits": {"hits": []},
}
WRONG = {"status": 400, "error": {"type": "query_shard_exception", "reason": "no such thing"}}
FINE = {"_shards": WHOLE, "hits": {"hits": []}}
ONE = Search("passages", {"query": {"match_all": {}}}, scored=True)


class Told:
    """A cluster that answers searches as it is told to, until it is told of other answers."""

    def __init__(self) -> None:
        self.generation: int | None = 7
        self.answers: dict[str, Mapping[str, Any]] = {}
        self.otherwise: Mapping[str, Any] = FINE
        self.missing = False
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.asked: list[list[Any]] = []

    def request(self, method: str, path: str, **choices: Any) -> Any:
        if path.endswith("/_pit") and method == "POST":
            if self.missing:
                raise ElasticNotFound(404, "index_not_found_exception", "no such index")
            assert choices["params"]["keep_alive"]
            self.opened.append(f"{path.split('/')[1]}#{len(self.opened)}")
            return {"id": self.opened[-1]}
        if method == "DELETE":
            self.closed.append(choices["body"]["id"])
            return {}
        assert path == "/_search"
        return self._answer(choices["body"])

    def msearch(self, searches: Sequence[tuple[Any, Any]], **_: Any) -> list[Mapping[str, Any]]:
        if searches[0][1].get("sort") != [{"generation": "desc"}]:
            self.asked.append([part for search in searches for part in search])
        return [self._answer(body) for _, body in searches]

    def _answer(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        assert body["pit"]["keep_alive"]
        if body.get("sort") == [{"generation": "desc"}]:
            hits = [] if self.generation is None else [{"sort": [self.generation]}]
            return {"_shards": WHOLE, "hits": {"hits": hits}}
        return self.answers.get(body["pit"]["id"], self.otherwise)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def point(told: Told, clock: Clock) -> PointInTime:
    return PointInTime(told, "p", "d", clock)  # type: ignore[arg-type]


def test_each_index_has_its_own(told: Told, point: PointInTime) -> None:
    assert told.opened == ["p#0", "d#1"]
    assert point.generation == 7
    answers = point.ask([ONE, Search("documents", {})])
    assert answers == [FINE, FINE]
    (lines,) = told.asked
    assert [line.get("search_type") for line in lines[::2]] == ["dfs_query_then_fetch", None]
    assert [line["pit"]["id"] for line in lines[1::2]] == ["p#0", "d#1"]
    assert point.ask([]) == []


@pytest.mark.parametrize("answer", [LOST, HALF_LOST, HALF, RED])
def test_they_are_opened_again_and_asked_once_more(
    told: Told, point: PointInTime, answer: Mapping[str, Any]
) -> None:
    told.answers = {"p#0": answer}
    sentences: list[str] = []
    assert point.ask([ONE], sentences.append) == [FINE]
    assert told.opened == ["p#0", "d#1", "p#2", "d#3"]
    assert sentences == []
    assert point.turn == 1
    point.ask([ONE])
    assert len(told.opened) == 4


def test_another_generation_is_not_passed_off_as_this_one(told: Told, point: PointInTime) -> None:
    told.answers = {"p#0": LOST}
    told.generation = 8
    with pytest.raises(IndexChanged, match="generation 7 of d is gone, there is 8"):
        point.ask([ONE])


def test_an_index_that_is_gone(told: Told, point: PointInTime) -> None:
    told.answers = {"p#0": LOST}
    told.missing = True
    with pytest.raises(IndexChanged, match="p is gone"):
        point.ask([ONE])


def test_what_is_missing_is_told_once_an_answer(told: Told, point: PointInTime) -> None:
    told.otherwise = HALF
    sentences: list[str] = []
    assert point.ask([ONE, ONE], sentences.append) == [HALF, HALF]
    assert sentences == ["1 of 2 shards did not answer: results may be missing."]
    point.ask([ONE])  # and nobody need be told


def test_shards_that_still_fail_are_not_sought_again_at_once(
    told: Told, point: PointInTime, clock: Clock
) -> None:
    told.otherwise = HALF
    for _ in range(3):
        point.ask([ONE])
    assert point.turn == 1
    clock.now += 60
    point.ask([ONE])
    assert point.turn == 2
    told.otherwise = LOST  # but what is lost is
    with pytest.raises(IndexUnavailable):
        point.ask([ONE])
    assert point.turn == 3


def test_no_shard_at_all(told: Told, point: PointInTime) -> None:
    told.otherwise = RED
    with pytest.raises(IndexUnavailable, match="all shards failed"):
        point.ask([ONE])


def test_a_question_that_is_wrong_is_asked_once(told: Told, point: PointInTime) -> None:
    told.otherwise = WRONG
    with pytest.raises(ElasticError, match="no such thing"):
        point.ask([ONE])
    assert len(told.asked) == 1
    assert point.turn == 0


def test_the_shard_that_knows_the_generation_may_fail_later_but_not_first(
    told: Told, point: PointInTime
) -> None:
    told.answers = {"p#0": HALF}
    told.generation = None  # nobody can have committed where it is kept
    assert point.ask([ONE]) == [FINE]
    with pytest.raises(IndexUnavailable, match="which generation"):
        PointInTime(told, "p", "d")  # type: ignore[arg-type]
    assert told.closed == ["p#4", "d#5"]


def test_time_that_ends_early_is_told(told: Told, point: PointInTime) -> None:
    told.otherwise = {**FINE, "timed_out": True}
    sentences: list[str] = []
    point.ask([ONE], sentences.append)
    assert sentences == ["The time for searching ended before every shard was done: results may be missing."]
    assert point.turn == 0


def test_what_an_answer_lacks() -> None:
    assert lacking(FINE) == ""
    assert not is_partial(FINE)
    assert is_partial(HALF)
    assert lacking({"_shards": {"total": 6, "failed": 2}}).startswith("2 of 6 shards did not answer")


@pytest.mark.parametrize("error", [ElasticNotFound(404, "search_context_missing_exception", "gone")])
def test_named_questions_are_renewed_too(told: Told, point: PointInTime, error: ElasticError) -> None:
    request: Callable[..., Any] = told.request

    def fail_once(method: str, path: str, **choices: Any) -> Any:
        if path == "/_search" and choices["body"]["pit"]["id"] == "p#0":
            raise error
        return request(method, path, **choices)

    told.request = fail_once  # type: ignore[method-assign]
    assert point.ask_named(ONE) == FINE
    assert point.turn == 1


def test_the_server_is_told_to_forget(told: Told, point: PointInTime) -> None:
    point.close()
    assert sorted(told.closed) == ["d#1", "p#0"]
