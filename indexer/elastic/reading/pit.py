"""One generation as it was: a point in time of each of the two indexes, asked together.

There are two, not one over both: the fields of titles are called the same in both, and statistics of words, which
Elasticsearch gathers from every shard that is asked, must not mix. Every question keeps them alive for a while. When
the server has lost them, or shards fail, new ones are opened, and the question is asked once more: other copies of
the shards may answer. What they then see counts only where the generation is still the same.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from indexer.elastic.errors import ElasticError, ElasticNotFound, cause_of
from indexer.elastic.reading import bodies
from indexer.elastic.reading.filters import Body
from indexer.elastic.wire.connection import Cluster, path_of
from indexer.errors import IndexChanged, IndexingError, IndexUnavailable

Answer: TypeAlias = Mapping[str, Any]
Tell: TypeAlias = Callable[[str], None]
Where: TypeAlias = Literal["passages", "documents"]

log = logging.getLogger(__name__)

KEEP_ALIVE = "5m"
_PATIENCE = (
    3.0  # seconds: so long after new points in time were opened, shards that fail still open no others
)
_BY_ALL_SHARDS = {"search_type": "dfs_query_then_fetch"}  # how frequent words are
_LOST = "search_context_missing_exception"
_KEPT = "error,status,timed_out,_shards,hits.total,hits.hits.sort,hits.hits.fields,hits.hits._source"
_KEPT += ",hits.hits.matched_queries,aggregations,suggest"
_STATE: Body = {"term": {"kind": "state"}}


@dataclass(frozen=True, slots=True)
class Search:
    """One question.

    Args:
        where: Of which index.
        body: As `indexer.elastic.reading.bodies` makes it.
        scored: Whether its scores count, which need the statistics of all shards.
    """

    where: Where
    body: Body
    scored: bool = False


@dataclass(frozen=True, slots=True)
class _Points:
    """Points in time.

    Args:
        ids: What they are asked by.
        turn: The first ones are 0; each time they are opened again it is 1 more.
        patient_until: Until when shards that fail open no others.
    """

    ids: Mapping[Where, str]
    turn: int = 0
    patient_until: float = -math.inf


class PointInTime:
    """The points in time of one generation. Safe to share between threads.

    Args:
        cluster: Whom to ask.
        passages: The index of passages, by its own name rather than an alias.
        documents: The index of documents, likewise.
        clock: Gives seconds that only grow.

    Raises:
        IndexUnavailable: no shard answers.
        IndexChanged: the indexes are gone.
    """

    def __init__(
        self, cluster: Cluster, passages: str, documents: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._cluster = cluster
        self._names: Mapping[Where, str] = {"passages": passages, "documents": documents}
        self._clock = clock
        self._lock = threading.Lock()
        self._points = _Points(self._opened())
        found = self._generation(self._points)
        if found is None:
            self.close()
            raise IndexUnavailable(
                f"{documents} does not say which generation it is: its shards do not answer, or its state is missing; "
                "see the cluster's health"
            )
        self.generation: int = found

    @property
    def turn(self) -> int:
        """How often the points in time were opened again."""
        return self._points.turn

    def ask(self, searches: Sequence[Search], tell: Tell | None = None) -> list[Answer]:
        """Return the answers to some questions, in one request, in their order.

        Args:
            searches: The questions.
            tell: Is called with a sentence where an answer lacks something.

        Raises:
            IndexUnavailable: no shard of one of the indexes answers.
            IndexChanged: the server has lost the points in time, and there is another generation by now.
        """
        if not searches:
            return []
        return self._told(lambda points: self._several(points, searches), tell)

    def ask_named(self, search: Search, tell: Tell | None = None) -> Answer:
        """Return the answer to a question whose hits are to say what each named part of the query scored.

        Raises:
            As `ask`.
        """
        return self._told(lambda points: [self._named(points, search)], tell)[0]

    def close(self) -> None:
        """Let the server forget the points in time."""
        for point in self._points.ids.values():
            try:
                self._cluster.request("DELETE", "/_pit", body={"id": point}, timeout=2.0, retries=0)
            except IndexingError as error:  # it forgets them by itself before long
                log.debug("a point in time was not closed: %s", error)

    def _told(self, ask: Callable[[_Points], list[Answer]], tell: Tell | None) -> list[Answer]:
        points = self._points
        answers = ask(points)
        if any(_fails(answer) for answer in answers):
            lost = any(_is_lost(answer) for answer in answers)
            renewed = self._renewed(points, lost)
            if renewed is not points:
                answers = ask(renewed)
        for answer in answers:
            if "error" in answer:
                raise self._refusal(answer)
        if tell is not None:
            for sentence in dict.fromkeys(filter(None, map(lacking, answers))):
                tell(sentence)
        return answers

    def _several(self, points: _Points, searches: Sequence[Search]) -> list[Answer]:
        asked = [(_BY_ALL_SHARDS if search.scored else {}, self._at(points, search)) for search in searches]
        kept = ",".join(f"responses.{part}" for part in _KEPT.split(","))
        return [*self._cluster.msearch(asked, params={"filter_path": kept})]

    def _named(self, points: _Points, search: Search) -> Answer:
        params = {
            "filter_path": _KEPT,
            **_BY_ALL_SHARDS,
            "include_named_queries_score": True,
        }
        try:
            answer: Answer = self._cluster.request(
                "POST", "/_search", body=self._at(points, search), params=params
            )
        except ElasticError as error:
            return {"error": {"type": error.kind, "reason": error.reason}, "status": error.status}
        return answer

    def _at(self, points: _Points, search: Search) -> Body:
        return {**search.body, "pit": {"id": points.ids[search.where], "keep_alive": KEEP_ALIVE}}

    def _renewed(self, failed: _Points, lost: bool) -> _Points:
        """Return points in time to ask again, or `failed` where it makes no sense."""
        with self._lock:
            if self._points is not failed:
                return self._points
            if not lost and self._clock() < failed.patient_until:
                return failed
            log.info("opening new points in time: %s", "they were lost" if lost else "shards failed")
            fresh = _Points(self._opened(), failed.turn + 1, self._clock() + _PATIENCE)
            found = self._generation(fresh)
            if found is not None and found != self.generation:
                raise IndexChanged(
                    f"generation {self.generation} of {self._names['documents']} is gone, there is {found} by now: "
                    "take a new reader"
                )
            self._points = fresh
            return fresh

    def _opened(self) -> dict[Where, str]:
        ids: dict[Where, str] = {}
        for where, name in self._names.items():
            params = {"keep_alive": KEEP_ALIVE, "allow_partial_search_results": True}
            try:
                answer = self._cluster.request("POST", path_of(name, "_pit"), params=params, repeat=True)
            except ElasticNotFound as error:
                raise IndexChanged(f"{name} is gone from the cluster: take a new reader") from error
            ids[where] = answer["id"]
        return ids

    def _generation(self, points: _Points) -> int | None:
        """Return which generation the points in time see; None where the shard that knows does not answer."""
        search = Search("documents", bodies.listed(_STATE, 1, [{"generation": "desc"}]))
        (answer,) = self._several(points, [search])
        hits = hits_of(answer)
        return int(hits[0]["sort"][0]) if hits else None

    def _refusal(self, answer: Answer) -> IndexingError:
        kind, reason = cause_of(answer)
        status = int(answer.get("status", 500))
        if status >= 500 or status == 429 or _is_lost(answer):
            return IndexUnavailable(
                f"{' and '.join(self._names.values())} cannot answer now: {reason} ({kind})"
            )
        return ElasticError(status, kind, reason, "a search")


def hits_of(answer: Answer) -> list[Mapping[str, Any]]:
    """Return the hits of an answer."""
    hits: list[Mapping[str, Any]] = answer.get("hits", {}).get("hits", [])
    return hits


def lacking(answer: Answer) -> str:
    """Return a sentence about what an answer lacks; the empty string when it is whole."""
    shards = answer.get("_shards", {})
    failed, total = int(shards.get("failed", 0)), int(shards.get("total", 0))
    if failed:
        return f"{failed} of {total} shards did not answer: results may be missing."
    if answer.get("timed_out"):
        return "The time for searching ended before every shard was done: results may be missing."
    return ""


def is_partial(answer: Answer) -> bool:
    """Return whether an answer lacks something."""
    return bool(lacking(answer))


def _fails(answer: Answer) -> bool:
    """Return whether other copies of the shards may answer better."""
    if "error" in answer:
        return int(answer.get("status", 500)) >= 500 or _is_lost(answer)
    return bool(answer.get("_shards", {}).get("failed", 0))


def _is_lost(answer: Answer) -> bool:
    error = answer.get("error")
    if error is not None:
        return _LOST in str(error)
    return any(_LOST in str(failure) for failure in answer.get("_shards", {}).get("failures", ()))
