"""Finds and scores passages and documents: by BM25 and by vectors, both in one request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from indexer.elastic.reading import bodies
from indexer.elastic.reading.filters import Body
from indexer.elastic.reading.hits import Hit, candidates, placed
from indexer.elastic.reading.memory import Memory
from indexer.elastic.reading.pit import PointInTime, Search, Tell, Where, hits_of
from indexer.elastic.reading.selection import ElasticSelection
from indexer.elastic.reading.vector_search import VectorSearch, cosines, exactly, nearest
from indexer.encoding import Vectors
from indexer.protocol import (
    NOTHING,
    Candidates,
    Clause,
    LexicalQuery,
    Numbers,
    Proposals,
    Scores,
    ScoresOf,
)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Ranks for one reader. Safe to share between threads.

    Args:
        point: Whom to ask.
        tell: Is called with a sentence where an answer lacks something.
        memory: Remembers whose the passages are.
        vectors: The side of vectors.
    """

    point: PointInTime
    tell: Tell | None
    memory: Memory
    vectors: VectorSearch

    def propose(
        self,
        query: LexicalQuery,
        vector: Vectors | None,
        lexical_depth: int,
        dense_depth: int,
        chosen: ElasticSelection | None,
        whole: bool,
    ) -> Proposals:
        """Return the best passages on both sides, and the highest score of a whole document."""
        scored = bodies.lexical(query) if lexical_depth > 0 else None
        scored_whole = bodies.whole(query) if whole else None
        searches: dict[str, Search] = {}
        if scored is not None:
            searches["lexical"] = _best(scored, lexical_depth, chosen)
        if vector is not None and dense_depth > 0 and self.vectors.extent.counts.vectors:
            searches["dense"] = nearest(vector, dense_depth, chosen)
        if scored_whole is not None:
            searches["whole"] = _best_whole(scored_whole, chosen)
        if chosen is not None and chosen.known_count is None and searches:
            searches["count"] = chosen.counting()
        answers = dict(zip(searches, self.point.ask(list(searches.values()), self.tell), strict=True))
        if chosen is not None and "count" in answers:
            chosen.learn(answers["count"])
        lexical = dense = NOTHING
        if scored is not None:
            lexical = self._ranked(hits_of(answers["lexical"]), scored, lexical_depth, chosen)
        if vector is not None and "dense" in answers:
            dense = self.vectors.completed(hits_of(answers["dense"]), vector, dense_depth, chosen)
        best = hits_of(answers["whole"]) if scored_whole is not None else []
        return Proposals(lexical, dense, best[0]["sort"][0] / bodies.K1_PLUS_1 if best else 0.0)

    def scores_of(
        self,
        query: LexicalQuery,
        vector: Vectors | None,
        bm25_of: Numbers,
        cosines_of: Numbers,
        whole_of: Numbers,
    ) -> ScoresOf:
        """Return scores of these passages and documents."""
        scored, scored_whole = bodies.lexical(query), bodies.whole(query)
        asked = _Asked()
        if scored is not None:
            asked.add("bm25", bm25_of, lambda within, size: _given("passages", scored, within, size))
        if vector is not None and self.vectors.extent.counts.vectors:
            asked.add("cosines", cosines_of, lambda within, size: exactly(vector, size, within))
        if scored_whole is not None:
            asked.add(
                "whole",
                whole_of,
                lambda within, size: _given("documents", scored_whole, [bodies.DOCUMENTS, *within], size),
            )
        found: dict[str, dict[int, float]] = {"bm25": {}, "cosines": {}, "whole": {}}
        for kind, answer in zip(asked.kinds, self.point.ask(asked.searches, self.tell), strict=True):
            found[kind].update((hit["sort"][1], hit["sort"][0]) for hit in hits_of(answer))
        similar = placed(found["cosines"], cosines_of, np.nan)
        return ScoresOf(
            _without_factor(placed(found["bm25"], bm25_of, 0.0)),
            similar if vector is None else cosines(similar, vector),
            _without_factor(placed(found["whole"], whole_of, 0.0)),
        )

    def explain(self, query: LexicalQuery, passages: Numbers) -> list[list[tuple[Clause, float]]]:
        """Return for each passage what each matching clause adds to its BM25 score, largest first."""
        named = bodies.named(query)
        found: dict[int, Mapping[str, float]] = {}
        for at in range(0, len(passages) if named is not None else 0, bodies.PAGE):
            piece = np.unique(passages[at : at + bodies.PAGE])
            search = _given("passages", named or {}, [bodies.among("number", piece)], len(piece))
            hits = hits_of(self.point.ask_named(search, self.tell))
            found.update((hit["sort"][1], hit.get("matched_queries", {})) for hit in hits)
        each: list[list[tuple[Clause, float]]] = []
        for passage in passages.tolist():
            parts = [
                (query.clauses[int(name)], float(np.float32(score / bodies.K1_PLUS_1)))
                for name, score in sorted(found.get(passage, {}).items(), key=lambda part: int(part[0]))
                if score > 0
            ]
            each.append(sorted(parts, key=lambda part: -part[1]))
        return each

    def _ranked(
        self, hits: Sequence[Hit], scored: Body, depth: int, chosen: ElasticSelection | None
    ) -> Candidates:
        """Return the best passages by BM25, asking on where one search may not return so many."""
        hits = list(hits)
        while len(hits) < depth and hits and len(hits) % bodies.PAGE == 0:
            search = _best(scored, depth - len(hits), chosen, hits[-1]["sort"])
            (answer,) = self.point.ask([search], self.tell)
            if not hits_of(answer):
                break
            hits += hits_of(answer)
        found = candidates(hits, self.memory)
        return Candidates(found.passages, found.documents, _without_factor(found.scores))


@dataclass(slots=True)
class _Asked:
    """Questions for scores, with what each is for."""

    searches: list[Search] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)

    def add(self, kind: str, numbers: Numbers, search: Callable[[list[Body], int], Search]) -> None:
        """Add what must be asked to know the scores of these numbers."""
        names = np.unique(numbers)
        for at in range(0, len(names), bodies.PAGE):
            piece = names[at : at + bodies.PAGE]
            self.searches.append(search([bodies.among("number", piece)], len(piece)))
            self.kinds.append(kind)


def _best(
    scored: Body, depth: int, chosen: ElasticSelection | None, after: Sequence[Any] | None = None
) -> Search:
    filters, excluded = chosen.passage_filters() if chosen is not None else ([], [])
    body = bodies.ranked(bodies.matching(scored, filters, excluded), depth, after=after)
    return Search("passages", body, True)


def _best_whole(scored: Body, chosen: ElasticSelection | None) -> Search:
    filters, excluded = chosen.document_filters() if chosen is not None else ([], [])
    body = bodies.ranked(bodies.matching(scored, filters, excluded), 1)
    return Search("documents", {**body, "sort": bodies.BY_SCORE[:1]}, True)


def _given(where: Where, scored: Body, filters: Sequence[Body], size: int) -> Search:
    body = bodies.ranked(bodies.matching(scored, filters), size)
    return Search(where, {**body, "sort": bodies.BY_SCORE[:2]}, True)


def _without_factor(scores: Scores) -> Scores:
    without: Scores = scores / np.float32(bodies.K1_PLUS_1)
    return without
