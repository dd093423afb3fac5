"""What Elasticsearch is asked: plain dictionaries, looked at without a server."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.elastic.reading import bodies
from indexer.protocol import Clause, LexicalQuery

FIELDS = ("any", "title", "headings", "body")
clauses = st.builds(
    Clause,
    st.lists(st.sampled_from("abcde"), min_size=1, max_size=3).map(tuple),
    st.sampled_from(FIELDS),
    st.sampled_from([0.0, 0.5, 1.0, 3.0]),
)
queries = st.builds(
    LexicalQuery,
    st.lists(clauses, max_size=5).map(tuple),
    *[st.sampled_from([0.0, 0.25, 1.0]) for _ in range(3)],
)


def leaves(body: Any) -> list[tuple[str, tuple[str, ...], float]]:
    """Return field, terms and weight of every leaf of a union."""
    if "bool" in body and "must" in body["bool"]:  # a phrase, and a term that adds next to nothing
        (beside,) = body["bool"]["should"]
        ((_, term),) = beside["term"].items()
        assert 0 < term["boost"] < 1e-20
        return [leaf for part in body["bool"]["must"] for leaf in leaves(part)]
    if "bool" in body:
        return [leaf for part in body["bool"]["should"] for leaf in leaves(part)]
    if "term" in body:
        ((field, asked),) = body["term"].items()
        return [(field, (asked["value"],), asked["boost"])]
    ((field, asked),) = body["match_phrase"].items()
    return [(field, tuple(asked["query"].split(" ")), asked["boost"])]


def expected(query: LexicalQuery) -> list[tuple[str, tuple[str, ...], float]]:
    weights = {"title": query.title, "headings": query.headings, "body": query.body}
    found = [
        (field, clause.terms, weights[field] * clause.weight)
        for clause in query.clauses
        for field in weights
        if clause.field in ("any", field)
    ]
    return [leaf for leaf in found if leaf[2] > 0]


@given(queries)
def test_a_query_is_one_flat_union_of_its_weighted_parts(query: LexicalQuery) -> None:
    body = bodies.lexical(query)
    wanted = expected(query)
    if not wanted:
        assert body is None
        return
    assert body is not None
    assert all("must" in part["bool"] for part in body["bool"]["should"] if "bool" in part)
    assert leaves(body) == wanted


@given(queries)
def test_for_explanations_each_clause_has_a_name(query: LexicalQuery) -> None:
    body = bodies.named(query)
    parts = [] if body is None else body["bool"]["should"]
    told = {int(part["bool"]["_name"]): leaves(part) for part in parts}
    alone = {
        place: expected(LexicalQuery((clause,), query.title, query.headings, query.body))
        for place, clause in enumerate(query.clauses)
    }
    assert told == {place: found for place, found in alone.items() if found}


@given(queries)
def test_whole_documents_are_asked_for_single_terms_with_their_weights_added(query: LexicalQuery) -> None:
    body = bodies.whole(query)
    found = {} if body is None else {(field, terms): weight for field, terms, weight in leaves(body)}
    wanted: dict[tuple[str, tuple[str, ...]], float] = {}
    for clause in query.clauses:
        field, weight = ("title", query.title) if clause.field == "title" else ("text", query.body)
        for term in clause.terms:
            wanted[field, (term,)] = wanted.get((field, (term,)), 0.0) + weight * clause.weight
    assert found == pytest.approx({name: weight for name, weight in wanted.items() if weight > 0})
    assert body is None or len(leaves(body)) == len(found)


def test_filters_do_not_change_scores() -> None:
    scored = bodies.lexical(LexicalQuery((Clause(("a",)),)))
    one, other = {"term": {"x": 1}}, {"term": {"y": 2}}
    found = bodies.matching(scored, [one], [other])["bool"]
    assert (found["filter"], found["must_not"], found["minimum_should_match"]) == ([one], [other], 1)
    assert "must" not in found
    assert len(found["should"]) == 3
    assert bodies.matching() == {"match_all": {}}


def test_more_numbers_than_one_list_takes_are_several() -> None:
    many = np.arange(bodies.MOST_TERMS + 2)
    found = bodies.among("document", many)["bool"]["should"]
    assert [len(part["terms"]["document"]) for part in found] == [bodies.MOST_TERMS, 2]
    assert bodies.among("document", np.array([2**62 - 1, 5])) == {"terms": {"document": [2**62 - 1, 5]}}
    assert bodies.among("document", []) == {"match_none": {}}


@pytest.mark.parametrize("size", [1, 20, 200, 6_000, 9_999, 10_000, 50_000])
@pytest.mark.parametrize("every", [False, True])
def test_a_search_of_vectors_keeps_to_the_limits_of_the_server(size: int, every: bool) -> None:
    body = bodies.nearest(np.ones(3, dtype=np.float32), size, every=every)
    knn = body["knn"]
    assert body["size"] == knn["k"] == min(size, bodies.PAGE)
    assert knn["k"] <= knn["num_candidates"] <= bodies.PAGE
    assert knn["rescore_vector"]["oversample"] >= 1.0
    assert knn["k"] * knn["rescore_vector"]["oversample"] <= max(knn["num_candidates"], knn["k"]) + 1e-6
    assert "filter" not in knn
    assert "similarity" not in knn


def test_vectors_travel_as_big_endian_floats() -> None:
    vector = np.array([0.5, -1.25, 3e-7], dtype=np.float32)
    sent = bodies.nearest(vector, 5)["knn"]["query_vector"]
    assert np.frombuffer(base64.b64decode(sent), dtype=">f4").tolist() == vector.tolist()


def test_hits_bring_what_they_are_sorted_by_and_nothing_else() -> None:
    scored = bodies.matching(bodies.lexical(LexicalQuery((Clause(("a",)),))))
    for body in (bodies.ranked(scored, 7), bodies.nearest(np.ones(2, dtype=np.float32), 7)):
        assert body["sort"] == ["_score", {"number": "asc"}, {"document": "asc"}, {"doc_id": "asc"}]
        assert body["_source"] is False
        assert body["size"] == 7
    assert "search_after" not in bodies.ranked(scored, 7)
    assert bodies.ranked(scored, 7, after=(1.5, 2))["search_after"] == [1.5, 2]


@given(queries)
def test_bodies_are_json(query: LexicalQuery) -> None:
    numbers = np.array([3, 1], dtype=np.int64)
    for scored in (bodies.lexical(query), bodies.whole(query), bodies.named(query)):
        body = bodies.ranked(bodies.matching(scored, [bodies.among("number", numbers)]), 5)
        assert json.loads(json.dumps(body)) == body


def test_only_what_a_whole_document_can_say_is_asked_of_it() -> None:
    assert bodies.held_by_whole(Clause(("a",))) == {"term": {"text": "a"}}
    assert bodies.held_by_whole(Clause(("a",), "title")) == {"term": {"title": "a"}}
    assert bodies.held_by_whole(Clause(("a", "b"))) is None
    assert bodies.held_by_whole(Clause(("a",), "headings")) is None
