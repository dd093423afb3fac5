"""Finds and scores passages and documents: by BM25, by vectors, or several of these in one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from indexer.elastic import bodies
from indexer.elastic.filters import Body
from indexer.elastic.memory import Memory
from indexer.elastic.pit import PointInTime, Search, Tell, hits_of
from indexer.elastic.selection import ElasticSelection
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

_SHORTEST = 1e-12  # of a vector that points anywhere


@dataclass(frozen=True, slots=True)
class Ranking:
    """Ranks for one reader. Safe to share between threads.

    Args:
        point: Whom to ask.
        tell: Is called with a sentence where an answer lacks something.
        memory: Remembers whose the passages are.
        vectors: How many passages have a vector.
        every_vector: Whether all passages have one.
        margin: How far the cosine of a vector as it is rounded may be from its own.
    """

    point: PointInTime
    tell: Tell | None
    memory: Memory
    vectors: int
    every_vector: bool
    margin: float

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
            searches["lexical"] = _lexical(scored, lexical_depth, chosen)
        if vector is not None and dense_depth > 0 and self.vectors:
            searches["dense"] = _dense(vector, dense_depth, chosen)
        if scored_whole is not None:
            searches["whole"] = _best_whole(scored_whole, chosen)
        if chosen is not None and chosen.known_count is None and searches:
            searches["count"] = chosen.counting()
        answers = dict(zip(searches, self.point.ask(list(searches.values()), self.tell), strict=True))
        if chosen is not None and "count" in answers:
            chosen.learn(answers["count"])
        lexical = dense = NOTHING
        if scored is not None:
            hits = [*hits_of(answers["lexical"])]
            self._page(hits, scored, lexical_depth, chosen)
            lexical = self._candidates(hits, 1 / bodies.K1_PLUS_1)
        if vector is not None and "dense" in answers:
            hits = [*hits_of(answers["dense"])]
            dense = self._nearest(hits, vector, dense_depth, chosen)
        best = hits_of(answers["whole"]) if scored_whole is not None else []
        return Proposals(lexical, dense, best[0]["sort"][0] / bodies.K1_PLUS_1 if best else 0.0)

    def dense_each(self, vectors: Vectors, depth: int, chosen: ElasticSelection | None) -> list[Candidates]:
        """Return the nearest passages of several vectors, shape (n, dim)."""
        if depth <= 0 or not self.vectors:
            return [NOTHING for _ in vectors]
        answers = self.point.ask([_dense(vector, depth, chosen) for vector in vectors], self.tell)
        return [
            self._nearest([*hits_of(answer)], vector, depth, chosen)
            for vector, answer in zip(vectors, answers, strict=True)
        ]

    def scores_of(
        self,
        query: LexicalQuery,
        vector: Vectors | None,
        bm25_of: Numbers,
        cosines_of: Numbers,
        whole_of: Numbers,
    ) -> ScoresOf:
        """Return scores of these passages and documents."""
        searches: list[Search] = []
        kinds: list[str] = []
        scored, scored_whole = bodies.lexical(query), bodies.whole(query)
        for kind, numbers in (("bm25", bm25_of), ("cosine", cosines_of), ("whole", whole_of)):
            for at in range(0, len(numbers), bodies.PAGE):
                piece = numbers[at : at + bodies.PAGE]
                within = [bodies.among("number", np.unique(piece))]
                if kind == "cosine" and vector is not None and self.vectors:
                    search = _exact(vector, len(piece), within)
                elif kind == "bm25" and scored is not None:
                    search = Search("passages", _given(scored, within, len(piece)), True)
                elif kind == "whole" and scored_whole is not None:
                    within = [bodies.DOCUMENTS, *within]
                    search = Search("documents", _given(scored_whole, within, len(piece)), True)
                else:
                    continue
                searches.append(search)
                kinds.append(kind)
        found: dict[str, dict[int, float]] = {"bm25": {}, "cosine": {}, "whole": {}}
        for kind, answer in zip(kinds, self.point.ask(searches, self.tell), strict=True):
            found[kind].update((hit["sort"][1], hit["sort"][0]) for hit in hits_of(answer))
        cosines = _placed(found["cosine"], cosines_of, np.nan)
        return ScoresOf(
            _placed(found["bm25"], bm25_of, 0.0) / np.float32(bodies.K1_PLUS_1),
            cosines if vector is None else _cosines(cosines, vector),
            _placed(found["whole"], whole_of, 0.0) / np.float32(bodies.K1_PLUS_1),
        )

    def passages_near(
        self, vector: Vectors, documents: Numbers, least: float, known: Numbers
    ) -> tuple[Numbers, Numbers, Scores]:
        """Return the passages of some documents with a cosine of `least` or more, or without a vector."""
        within, apart = [bodies.among("document", documents)], [bodies.among("number", known)]
        length = float(np.linalg.norm(vector))
        floor = max(least / length - self.margin, -1.0) if length > _SHORTEST else None
        searches = []
        if self.vectors:
            searches.append(_exact(vector, bodies.PAGE, within, apart, floor))
        if not self.every_vector:
            query = bodies.matching(None, within, [*apart, bodies.WITH_VECTOR])
            searches.append(Search("passages", bodies.listed(query, bodies.PAGE)))
        found = NOTHING
        bare: list[Mapping[str, Any]] = []
        for search, answer in zip(searches, self.point.ask(searches, self.tell), strict=True):
            if search is searches[0] and self.vectors:
                found = self._cosined([*hits_of(answer)], vector)
                while len(found) and len(found) % bodies.PAGE == 0:
                    further = [*apart, bodies.among("number", found.passages)]
                    (more,) = self.point.ask([_exact(vector, bodies.PAGE, within, further, floor)], self.tell)
                    if not hits_of(more):
                        break
                    found = _joined(found, self._cosined([*hits_of(more)], vector))
            else:
                bare = [*hits_of(answer)]
                while bare and len(bare) % bodies.PAGE == 0:
                    after = bodies.listed(search.body["query"], bodies.PAGE, after=bare[-1]["sort"])
                    (more,) = self.point.ask([Search("passages", after)], self.tell)
                    if not hits_of(more):
                        break
                    bare += hits_of(more)
        near = found.scores >= np.float32(least)
        passages = np.concatenate([found.passages[near], _column(bare, 0)])
        owners = np.concatenate([found.documents[near], _column(bare, 1)])
        cosines = np.concatenate([found.scores[near], np.full(len(bare), np.nan, dtype=np.float32)])
        self._remember(passages, owners, [])
        order = np.argsort(passages)
        return passages[order], owners[order], cosines[order]

    def explain(self, query: LexicalQuery, passages: Numbers) -> list[list[tuple[Clause, float]]]:
        """Return for each passage what each matching clause adds to its BM25 score, largest first."""
        named = bodies.named(query)
        found: dict[int, Mapping[str, float]] = {}
        for at in range(0, len(passages) if named is not None else 0, bodies.PAGE):
            piece = np.unique(passages[at : at + bodies.PAGE])
            search = Search(
                "passages", _given(named or {}, [bodies.among("number", piece)], len(piece)), True
            )
            answer = self.point.ask_named(search, self.tell)
            found.update((hit["sort"][1], hit.get("matched_queries", {})) for hit in hits_of(answer))
        each: list[list[tuple[Clause, float]]] = []
        for passage in passages.tolist():
            parts = [
                (query.clauses[int(name)], float(np.float32(score) / np.float32(bodies.K1_PLUS_1)))
                for name, score in sorted(found.get(passage, {}).items(), key=lambda part: int(part[0]))
                if score > 0
            ]
            each.append(sorted(parts, key=lambda part: -part[1]))
        return each

    def _page(
        self, hits: list[Mapping[str, Any]], scored: Body, depth: int, chosen: ElasticSelection | None
    ) -> None:
        """Add what one search may not return, until there are so many hits or no more."""
        while len(hits) < depth and hits and len(hits) % bodies.PAGE == 0:
            search = _lexical(scored, depth - len(hits), chosen, hits[-1]["sort"])
            (answer,) = self.point.ask([search], self.tell)
            if not hits_of(answer):
                return
            hits += hits_of(answer)

    def _nearest(
        self, hits: list[Mapping[str, Any]], vector: Vectors, depth: int, chosen: ElasticSelection | None
    ) -> Candidates:
        """Return the nearest passages, asking on where a search gave fewer than there must be."""
        found = self._cosined(hits, vector)
        # With a filter Lucene looks at each where its graph does not lead to enough; without one it does not.
        most = self.vectors if chosen is None else None
        while len(found) and len(found) < depth:
            if len(found) % bodies.PAGE if most is None else len(found) >= most:
                break
            search = _dense(vector, depth - len(found), chosen, found.passages)
            (answer,) = self.point.ask([search], self.tell)
            if not hits_of(answer):
                break
            found = _joined(found, self._cosined([*hits_of(answer)], vector))
        return found

    def _cosined(self, hits: list[Mapping[str, Any]], vector: Vectors) -> Candidates:
        found = self._candidates(hits, 1.0)
        return Candidates(found.passages, found.documents, _cosines(found.scores, vector))

    def _candidates(self, hits: list[Mapping[str, Any]], times: float) -> Candidates:
        if not hits:
            return NOTHING
        scores = [hit["sort"][0] for hit in hits]
        passages, documents = _column(hits, 1), _column(hits, 2)
        self._remember(passages, documents, [hit["sort"][3] for hit in hits])
        return Candidates(passages, documents, np.array(scores, dtype=np.float32) * np.float32(times))

    def _remember(self, passages: Numbers, documents: Numbers, doc_ids: Sequence[str]) -> None:
        owners = documents.tolist()
        self.memory.owners.keep(dict(zip(passages.tolist(), owners, strict=True)))
        if doc_ids:
            self.memory.doc_ids.keep(dict(zip(owners, doc_ids, strict=True)))


def _lexical(
    scored: Body, depth: int, chosen: ElasticSelection | None, after: Sequence[Any] | None = None
) -> Search:
    filters, excluded = chosen.passage_filters() if chosen is not None else ([], [])
    return Search(
        "passages", bodies.ranked(bodies.matching(scored, filters, excluded), depth, after=after), True
    )


def _dense(
    vector: Vectors, depth: int, chosen: ElasticSelection | None, known: Numbers | None = None
) -> Search:
    filters, excluded = chosen.passage_filters() if chosen is not None else ([], [])
    if known is not None:
        excluded = [*excluded, bodies.among("number", known)]
    return _near(vector, depth, filters, excluded, None, False)


def _exact(
    vector: Vectors,
    size: int,
    filters: Sequence[Body],
    excluded: Sequence[Body] = (),
    least: float | None = None,
) -> Search:
    return _near(vector, size, filters, excluded, least, True)


def _near(
    vector: Vectors,
    size: int,
    filters: Sequence[Body],
    excluded: Sequence[Body],
    least: float | None,
    every: bool,
) -> Search:
    length = float(np.linalg.norm(vector))
    if length > _SHORTEST:  # Elasticsearch takes unit vectors only
        unit = (vector / length).astype(np.float32)
        return Search("passages", bodies.nearest(unit, size, filters, excluded, least=least, every=every))
    query = bodies.matching(None, [bodies.WITH_VECTOR, *filters], excluded)
    return Search("passages", bodies.ranked({"constant_score": {"filter": query, "boost": 0.5}}, size))


def _best_whole(scored: Body, chosen: ElasticSelection | None) -> Search:
    filters, excluded = chosen.document_filters() if chosen is not None else ([], [])
    body = {**bodies.ranked(bodies.matching(scored, filters, excluded), 1), "sort": ["_score"]}
    return Search("documents", body, True)


def _given(scored: Body, filters: Sequence[Body], size: int) -> Body:
    body = bodies.ranked(bodies.matching(scored, filters), size)
    return {**body, "sort": bodies.BY_SCORE[:2]}


def _cosines(scores: Scores, vector: Vectors) -> Scores:
    """Return what Elasticsearch says of unit vectors, from 0 to 1, as products with the vector that was asked for."""
    products: Scores = (2.0 * scores.astype(np.float64) - 1.0).astype(np.float32)
    length = float(np.linalg.norm(vector))
    if abs(length - 1.0) > 1e-5:
        products *= np.float32(length)
    return products


def _placed(found: Mapping[int, float], numbers: Numbers, otherwise: float) -> Scores:
    return np.array([found.get(number, otherwise) for number in numbers.tolist()], dtype=np.float32)


def _column(hits: Sequence[Mapping[str, Any]], place: int) -> Numbers:
    return np.array([hit["sort"][place] for hit in hits], dtype=np.int64)


def _joined(first: Candidates, second: Candidates) -> Candidates:
    return Candidates(
        np.concatenate([first.passages, second.passages]),
        np.concatenate([first.documents, second.documents]),
        np.concatenate([first.scores, second.scores]),
    )
