"""Plain personalised runs for `personal_study.py`: the anonymous list, tilted by one term of a given strength."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from engine.event import Event
from engine.query import Query
from engine.search_engine import SearchEngine
from engine.settings import SearchSettings
from eval.collection import Collection
from eval.formats import read_run, write_run
from eval.measures import evaluate, parse_measure
from eval.personal import Histories
from eval.personal.control import without
from eval.personal.leakage import seen_documents
from eval.personal.readers import mean, reader_means
from eval.run import Run, in_given_order
from indexer.index import Index

BETAS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8)
CANDIDATES = 200

Term = Callable[[str, Sequence[Event], Sequence[str]], np.ndarray]
"""Query, its history and candidates to what is added to each candidate's score."""


@dataclass(frozen=True)
class Vectors:
    """One unit vector a document, the mean of its passages'."""

    rows: np.ndarray
    places: Mapping[str, int]

    @classmethod
    def of(cls, index: Index) -> Vectors:
        """Return the vectors of an index's documents."""
        reader = index.reader()
        numbers = reader.live_documents()
        rows = np.stack([reader.vectors(reader.passages_of(int(number))).mean(axis=0) for number in numbers])
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        return cls(rows, {doc_id: place for place, doc_id in enumerate(reader.doc_ids(numbers))})

    def profile(self, history: Sequence[Event]) -> np.ndarray:
        """Return the weighted mean of the history's documents, of unit length, or zeros without a history."""
        total = np.zeros(self.rows.shape[1], dtype=np.float32)
        for event in history:
            if event.doc_id in self.places:
                total += event.weight * self.rows[self.places[event.doc_id]]
        return total / max(float(np.linalg.norm(total)), 1e-9)

    def likeness(self, _: str, history: Sequence[Event], candidates: Sequence[str]) -> np.ndarray:
        """Return the cosine of each candidate with the profile."""
        return self.rows[[self.places[doc_id] for doc_id in candidates]] @ self.profile(history)


def anonymous_run(engine: SearchEngine, collection: Collection, kept: Path) -> Run:
    """Return the engine's own list of each topic, with its scores; it is kept in a file, and read from there."""
    if kept.exists():
        return read_run(kept, "anonymous")
    settings = SearchSettings(passages_per_hit=1, rerank_depth=0)
    rankings: dict[str, dict[str, float]] = {}
    answered: dict[str, dict[str, float]] = {}
    for query_id, topic in collection.topics.items():
        if topic.text not in answered:
            hits = engine.search(Query(topic.text, operators=False), k=CANDIDATES, settings=settings).hits
            answered[topic.text] = {hit.doc_id: hit.score for hit in hits}
        rankings[query_id] = answered[topic.text]
    run = Run("anonymous", {query_id: in_given_order(found.items()) for query_id, found in rankings.items()})
    write_run(run, kept)
    return run


def tilted(name: str, base: Run, term: Term, histories: Histories, betas: Mapping[str, float]) -> Run:
    """Return the base with β times the term added, β by query; where the term is 0, the base's own order."""
    rankings = {}
    for query_id, ranking in base.rankings.items():
        candidates = list(ranking)
        scores = np.fromiter(ranking.values(), dtype=np.float64)
        if histories.get(query_id):
            scores = scores + betas[query_id] * term(query_id, histories[query_id], candidates)
        order = np.argsort(-scores, kind="stable")
        rankings[query_id] = {candidates[at]: float(-place) for place, at in enumerate(order.tolist())}
    return Run(name, rankings)


def by_reader(run: Run, collection: Collection, seen: Mapping[str, frozenset[str]]) -> dict[str, float]:
    """Return each reader's mean nDCG@10 of a run, without the documents in `seen`."""
    measure = parse_measure("nDCG@10")
    users = {query_id: str(collection.topics[query_id].user_id) for query_id in seen}
    values = evaluate(without(run, seen), collection.judgements, [measure]).values[measure]
    return reader_means(values, users)


def chosen_betas(
    base: Run, term: Term, collection: Collection, histories: Histories, hide: bool
) -> tuple[dict[str, float], dict[int, float]]:
    """Return each query's β and each half's: the one that is best for the readers of the other half."""
    users = {query_id: str(collection.topics[query_id].user_id) for query_id in histories}
    fold = {user: blake2b(user.encode(), digest_size=1).digest()[0] % 2 for user in users.values()}
    seen = seen_documents(histories) if hide else dict.fromkeys(histories, frozenset[str]())
    worth: dict[int, list[float]] = {0: [], 1: []}
    for beta in BETAS:
        run = tilted("", base, term, histories, dict.fromkeys(users, beta))
        readers = by_reader(run, collection, seen)
        for half in worth:
            worth[half].append(mean({user: value for user, value in readers.items() if fold[user] == half}))
    best = {half: BETAS[int(np.argmax(worth[1 - half]))] for half in worth}
    return {query_id: best[fold[user]] for query_id, user in users.items()}, best
