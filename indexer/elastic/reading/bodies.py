"""What Elasticsearch is asked, as plain dictionaries: pure functions that tests can look at.

BM25 is Lucene's, k1 1.2 and b 0.75, with statistics of all shards (`dfs_query_then_fetch`). Elasticsearch multiplies
it by k1 + 1, as tantivy does; who reads the scores divides by `K1_PLUS_1`. Hits are known by what they are sorted by:
the score, then the numbers, then the id (after which the server adds what tells the last ties apart). Nothing else of
them need be sent, and equal scores come by number ascending.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from indexer.elastic.reading.filters import MOST_TERMS, NOTHING, Body, any_of
from indexer.encoding import Vectors
from indexer.protocol import Clause, LexicalQuery, Numbers

K1_PLUS_1 = 2.2
PAGE = 10_000
"""So many hits one search may return, and so many candidates a search of vectors may have."""

FIELDS = ("title", "headings", "body")
DOCUMENTS: Body = {"term": {"kind": "document"}}
"""The records in the index of documents."""
WITH_VECTOR: Body = {"exists": {"field": "vector"}}
BY_SCORE: list[Any] = ["_score", {"number": "asc"}, {"document": "asc"}, {"doc_id": "asc"}]
BY_NUMBER: list[Any] = [{"number": "asc"}, {"document": "asc"}, {"doc_id": "asc"}]

_BARE: Body = {"_source": False, "stored_fields": "_none_", "track_total_hits": False}
_WIDER = 10  # candidates for each vector wanted: on texts that repeat themselves (qmsum) fewer miss a fifth at worst
_LEAST_CANDIDATES = 2000
_NEXT_TO_NOTHING = 1e-30  # of 0, Lucene takes no statistics
_ANY_FREQUENCY = 2_000_000_000  # words of the index have near ones, too
_RESCORED = 2.0  # vectors whose exact cosine is taken, for each one wanted


def lexical(query: LexicalQuery) -> Body | None:
    """Return the query that scores passages; None where no part has a weight.

    It is one flat union of terms and phrases: Lucene skips what cannot reach the top in that alone.
    """
    parts = [part for clause in query.clauses for part in _parts(clause, _weights(query))]
    return {"bool": {"should": parts}} if parts else None


def named(query: LexicalQuery) -> Body | None:
    """Return the query that scores passages with each clause by itself, named by its place: for explanations."""
    groups = [(str(place), _parts(clause, _weights(query))) for place, clause in enumerate(query.clauses)]
    found = [{"bool": {"_name": name, "should": parts}} for name, parts in groups if parts]
    return {"bool": {"should": found}} if found else None


def whole(query: LexicalQuery) -> Body | None:
    """Return the query that scores whole documents; None where no part has a weight.

    A phrase counts by its single terms; a clause on headings or body counts in the text.
    """
    weights: dict[tuple[str, str], float] = {}
    for clause in query.clauses:
        field, weight = ("title", query.title) if clause.field == "title" else ("text", query.body)
        for term in clause.terms:
            weights[field, term] = weights.get((field, term), 0.0) + weight * clause.weight
    parts = [_term(field, term, weight) for (field, term), weight in weights.items() if weight > 0]
    return {"bool": {"should": parts}} if parts else None


def holds(clause: Clause) -> Body:
    """Return the query that a passage which holds a clause matches."""
    return any_of(_parts(clause, dict.fromkeys(FIELDS, 1.0)))


def held_by_whole(clause: Clause) -> Body | None:
    """Return the query that a record matches whose document holds a clause; None where only passages can tell."""
    if len(clause.terms) > 1 or clause.field in ("headings", "body"):
        return None
    return {"term": {"title" if clause.field == "title" else "text": clause.terms[0]}}


def occurs(term: str) -> Body:
    """Return the query that a passage which holds a term in any field matches."""
    return holds(Clause((term,)))


def among(field: str, numbers: Numbers | Sequence[int]) -> Body:
    """Return the query that this field holds one of these numbers."""
    found = np.asarray(numbers, dtype=np.int64).tolist()
    if not found:
        return NOTHING
    pieces = [found[at : at + MOST_TERMS] for at in range(0, len(found), MOST_TERMS)]
    return any_of([{"terms": {field: piece}} for piece in pieces])


def matching(scored: Body | None = None, filters: Sequence[Body] = (), excluded: Sequence[Body] = ()) -> Body:
    """Return a query whose scores are those of `scored`, of what passes every filter and is not excluded."""
    parts: Body = {}
    if scored is not None:
        parts = {**scored["bool"], "minimum_should_match": 1}
    if filters:
        parts["filter"] = list(filters)
    if excluded:
        parts["must_not"] = list(excluded)
    return {"bool": parts} if parts else {"match_all": {}}


def ranked(query: Body, size: int, *, after: Sequence[Any] | None = None) -> Body:
    """Return the search for the best hits of a query, after the one that was sorted by `after`."""
    body: Body = {**_BARE, "query": query, "size": min(size, PAGE), "sort": BY_SCORE}
    return body if after is None else {**body, "search_after": list(after)}


def listed(
    query: Body,
    size: int,
    sort: Sequence[Any] = BY_NUMBER,
    *,
    columns: Sequence[Any] = (),
    source: Sequence[str] = (),
    after: Sequence[Any] | None = None,
) -> Body:
    """Return the search for hits in the order of columns, unscored.

    Args:
        query: What they match.
        size: How many.
        sort: By which columns; their values come with each hit.
        columns: Further columns to send.
        source: Which parts of what was indexed to send.
        after: Go on after the hit that was sorted by this.
    """
    body: Body = {
        "query": {"bool": {"filter": [query]}},
        "size": min(size, PAGE),
        "sort": list(sort),
        "track_total_hits": False,
    }
    if source:
        body["_source"] = list(source)
    else:
        body.update(_BARE)
    if columns:
        body["docvalue_fields"] = list(columns)
    return body if after is None else {**body, "search_after": list(after)}


def counted(query: Body) -> Body:
    """Return the search that only counts what matches, exactly."""
    return {"query": {"bool": {"filter": [query]}}, "size": 0, "track_total_hits": True}


def values_of(field: str, query: Body, size: int) -> Body:
    """Return the search for the values of a column among what matches, the most frequent ones."""
    return {
        "query": {"bool": {"filter": [query]}},
        "size": 0,
        "track_total_hits": False,
        "aggs": {"of": {"terms": {"field": field, "size": size}}},
    }


def nearest(
    vector: Vectors,
    size: int,
    filters: Sequence[Body] = (),
    excluded: Sequence[Body] = (),
    *,
    least: float | None = None,
    every: bool = False,
) -> Body:
    """Return the search for the passages whose vectors are nearest, with their exact cosines.

    Args:
        vector: Of unit length, shape (dim,).
        size: How many, at most `PAGE`.
        filters: What they must match.
        excluded: What they must not match.
        least: The lowest cosine wanted, by the vectors as they are rounded.
        every: Whether the filters leave no more than `size`, so that a look at each is all there is to do.
    """
    size = min(size, PAGE)
    candidates = size if every else min(max(size * _WIDER, _LEAST_CANDIDATES), PAGE)
    knn: Body = {
        "field": "vector",
        "query_vector": packed(vector),
        "k": size,
        "num_candidates": candidates,
        "rescore_vector": {"oversample": 1.0 if every else min(_RESCORED, candidates / size)},
    }
    if filters or excluded:
        knn["filter"] = matching(None, filters, excluded)
    if least is not None:
        knn["similarity"] = least
    return {**_BARE, "knn": knn, "size": size, "sort": BY_SCORE}


def packed(vector: Vectors) -> str:
    """Return a vector as Elasticsearch takes and gives it in text: base64 of big-endian float32."""
    return base64.b64encode(np.asarray(vector, dtype=">f4").tobytes()).decode()


def near_words(word: str, edits: int, limit: int) -> Body:
    """Return the search for words of the documents within so many edits of a word.

    At two edits Lucene looks only among words that begin with the same letter.
    """
    term = {
        "field": "words",
        "suggest_mode": "always",
        "max_edits": edits,
        "prefix_length": 0,
        "min_word_length": 1,
        "string_distance": "damerau_levenshtein",
        "accuracy": 0.0,
        "max_term_freq": _ANY_FREQUENCY,
        "size": limit,
        "shard_size": 10 * limit,
    }
    return {"size": 0, "track_total_hits": False, "suggest": {"near": {"text": word, "term": term}}}


def _weights(query: LexicalQuery) -> dict[str, float]:
    return {"title": query.title, "headings": query.headings, "body": query.body}


def _parts(clause: Clause, weights: Mapping[str, float]) -> list[Body]:
    found = ((name, weights[name] * clause.weight) for name in _fields(clause))
    return [
        _term(name, clause.terms[0], weight)
        if len(clause.terms) == 1
        else _phrase(name, clause.terms, weight)
        for name, weight in found
        if weight > 0
    ]


def _fields(clause: Clause) -> Iterable[str]:
    return FIELDS if clause.field == "any" else (clause.field,)


def _phrase(field: str, terms: Sequence[str], weight: float) -> Body:
    """Return a phrase, beside a term that adds nothing to its score.

    A shard that has none of a phrase's terms leaves itself out of N and the mean length that all shards score by; for a
    term it does not.
    """
    phrase = {"match_phrase": {field: {"query": " ".join(terms), "boost": weight}}}
    return {"bool": {"must": [phrase], "should": [_term(field, terms[0], _NEXT_TO_NOTHING)]}}


def _term(field: str, term: str, weight: float) -> Body:
    return {"term": {field: {"value": term, "boost": weight}}}
