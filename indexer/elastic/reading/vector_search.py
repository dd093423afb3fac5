"""The search for passages by their vectors: the nearest ones, those near enough, the cosines of given ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from indexer.elastic.reading import bodies
from indexer.elastic.reading.extent import Extent
from indexer.elastic.reading.filters import Body
from indexer.elastic.reading.hits import Hit, candidates, column
from indexer.elastic.reading.memory import Memory
from indexer.elastic.reading.pit import PointInTime, Search, Tell, hits_of
from indexer.elastic.reading.selection import ElasticSelection
from indexer.encoding import Vectors
from indexer.protocol import NOTHING, Candidates, Numbers, Scores

_SHORTEST = 1e-12  # of a vector that points anywhere
_BANDS = 8  # searches of one request


@dataclass(frozen=True, slots=True)
class VectorSearch:
    """Searches for one reader. Safe to share between threads.

    Args:
        point: Whom to ask.
        tell: Is called with a sentence where an answer lacks something.
        memory: Remembers whose the passages are.
        extent: How many passages there are, and how many have a vector.
        margin: How far the cosine of a vector as it is rounded may be from its own.
    """

    point: PointInTime
    tell: Tell | None
    memory: Memory
    extent: Extent
    margin: float

    def each(self, vectors: Vectors, depth: int, chosen: ElasticSelection | None) -> list[Candidates]:
        """Return the nearest passages of several vectors, shape (n, dim)."""
        if depth <= 0 or not self.extent.counts.vectors:
            return [NOTHING for _ in vectors]
        answers = self.point.ask([nearest(vector, depth, chosen) for vector in vectors], self.tell)
        return [
            self.completed(hits_of(answer), vector, depth, chosen)
            for vector, answer in zip(vectors, answers, strict=True)
        ]

    def completed(
        self, hits: Sequence[Hit], vector: Vectors, depth: int, chosen: ElasticSelection | None
    ) -> Candidates:
        """Return the nearest passages, given the hits of `nearest`: asks on where there must be more."""
        found = self._found(hits, vector)
        while 0 < len(found) < depth:
            # With a filter Lucene looks at each where its graph does not lead to enough; without one it does not.
            if len(found) % bodies.PAGE if chosen is not None else len(found) >= self.extent.counts.vectors:
                break
            search = nearest(vector, depth - len(found), chosen, found.passages)
            (answer,) = self.point.ask([search], self.tell)
            if not hits_of(answer):
                break
            found = _joined(found, self._found(hits_of(answer), vector))
        return found

    def near(
        self, vector: Vectors, documents: Numbers, least: Scores, known: Numbers
    ) -> tuple[Numbers, Numbers, Scores]:
        """Return the passages of documents with a cosine of at least that, or without a vector, ascending.

        A search has one limit for all of its documents. So that little comes that is not wanted, documents of like
        limits are looked into together, in a few searches of one request.
        """
        counts = self.extent.counts
        searches = self._bands(vector, documents, least, known) if counts.vectors else []
        within, apart = [bodies.among("document", documents)], [bodies.among("number", known)]
        bare = bodies.matching(None, within, [*apart, bodies.WITH_VECTOR])
        if counts.vectors < counts.passages:
            searches.append(Search("passages", bodies.listed(bare, bodies.PAGE)))
        answers = [hits_of(answer) for answer in self.point.ask(searches, self.tell)]
        unknown = answers.pop() if counts.vectors < counts.passages else []
        found = self._found([hit for hits in answers for hit in hits], vector)
        if any(len(hits) == bodies.PAGE for hits in answers):
            more = self.near(vector, documents, least, np.concatenate([known, found.passages]))
            near = ~np.isnan(more[2])
            found = _joined(found, Candidates(more[0][near], more[1][near], more[2][near]))
        while unknown and len(unknown) % bodies.PAGE == 0:
            search = Search("passages", bodies.listed(bare, bodies.PAGE, after=unknown[-1]["sort"]))
            (answer,) = self.point.ask([search], self.tell)
            if not hits_of(answer):
                break
            unknown += hits_of(answer)
        kept = found.scores >= least[np.searchsorted(documents, found.documents)]
        passages = np.concatenate([found.passages[kept], column(unknown, 0)])
        owners = np.concatenate([found.documents[kept], column(unknown, 1)])
        nobody = np.full(len(unknown), np.nan, dtype=np.float32)
        order = np.argsort(passages)
        return passages[order], owners[order], np.concatenate([found.scores[kept], nobody])[order]

    def _bands(self, vector: Vectors, documents: Numbers, least: Scores, known: Numbers) -> list[Search]:
        """Return the searches for the passages of documents, those of like limits together."""
        band = np.empty(len(documents), dtype=np.int64)
        band[np.argsort(least, kind="stable")] = np.arange(len(documents)) * _BANDS // max(len(documents), 1)
        # A document's passages are numbered from its own number on.
        holder = np.searchsorted(documents, known, side="right") - 1
        searches = []
        for number in np.unique(band).tolist():
            inside = band == number
            # Scaled and rounded vectors may come out a little lower.
            lowest = float(least[inside].min())
            floor = max(lowest / max(_length(vector), _SHORTEST) - self.margin, -1.0)
            within = [bodies.among("document", documents[inside])]
            apart = [bodies.among("number", known[(holder >= 0) & inside[holder]])]
            searches.append(exactly(vector, bodies.PAGE, within, apart, floor))
        return searches

    def _found(self, hits: Sequence[Hit], vector: Vectors) -> Candidates:
        found = candidates(hits, self.memory)
        return Candidates(found.passages, found.documents, cosines(found.scores, vector))


def nearest(
    vector: Vectors, depth: int, chosen: ElasticSelection | None, known: Numbers | None = None
) -> Search:
    """Return the question for the nearest passages that may answer, and are not known yet."""
    filters, excluded = chosen.passage_filters() if chosen is not None else ([], [])
    if known is not None:
        excluded = [*excluded, bodies.among("number", known)]
    return _search(vector, depth, filters, excluded, None, False)


def exactly(
    vector: Vectors,
    size: int,
    filters: Sequence[Body],
    excluded: Sequence[Body] = (),
    least: float | None = None,
) -> Search:
    """Return the question for the cosines of all passages that match, or of the `size` nearest."""
    return _search(vector, size, filters, excluded, least, True)


def cosines(scores: Scores, vector: Vectors) -> Scores:
    """Return what Elasticsearch says of unit vectors, from 0 to 1, as products with the vector that was asked for."""
    products: Scores = (2.0 * scores.astype(np.float64) - 1.0).astype(np.float32)
    length = _length(vector)
    if abs(length - 1.0) > 1e-5:
        products *= np.float32(length)
    return products


def _search(
    vector: Vectors,
    size: int,
    filters: Sequence[Body],
    excluded: Sequence[Body],
    least: float | None,
    every: bool,
) -> Search:
    length = _length(vector)
    if length > _SHORTEST:  # Elasticsearch takes unit vectors only
        unit = (vector / length).astype(np.float32)
        return Search("passages", bodies.nearest(unit, size, filters, excluded, least=least, every=every))
    query = bodies.matching(None, [bodies.WITH_VECTOR, *filters], excluded)
    return Search("passages", bodies.ranked({"constant_score": {"filter": query, "boost": 0.5}}, size))


def _length(vector: Vectors) -> float:
    return float(np.linalg.norm(vector))


def _joined(first: Candidates, second: Candidates) -> Candidates:
    """Return both as one list, best first: a graph may lead past what a later search finds."""
    passages = np.concatenate([first.passages, second.passages])
    scores = np.concatenate([first.scores, second.scores])
    order = np.lexsort((passages, -scores))
    documents = np.concatenate([first.documents, second.documents])
    return Candidates(passages[order], documents[order], scores[order])
