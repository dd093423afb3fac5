"""Candidates and scores against the formulas, on every backend."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import InvalidSettings
from indexer.filters import Eq, Filter, Range
from indexer.protocol import Candidates, Clause, IndexReader, LexicalQuery

from .conftest import Names
from .corpus import CHINESE, ENCODER, GREEK, WORDS
from .plain import Key, PlainIndex

EVERYTHING = 10_000
ASKED = [*WORDS[:14], "flutter", *CHINESE[:4], GREEK[0], "report0", "panel", "absent", "odd", "w" * 300]
TEXTS = [
    "turbine blade cooling",
    "flutter",
    "涡轮 turbine",
    "涡轮叶片",
    "absentword",
    "supersonic flow plate flow",
    "report0",
]

clauses = st.builds(
    Clause,
    st.lists(st.sampled_from(ASKED), min_size=1, max_size=2).map(tuple),
    st.sampled_from(["any", "any", "title", "headings", "body"]),
    st.sampled_from([1.0, 1.0, 2.0]),
)
queries = st.builds(
    lambda parts, title, headings: LexicalQuery(tuple(parts), title, headings),
    st.lists(clauses, min_size=1, max_size=4),
    st.sampled_from([1.0, 0.5, 0.0]),
    st.sampled_from([1.0, 0.5]),
)
SELECTIONS: list[Filter | None] = [None, Eq("lang", "de"), Eq("kind", "report"), Range("year", gte=2004)]


def analysed(plain: PlainIndex, query: LexicalQuery) -> LexicalQuery:
    """Return the query with the terms of its words."""
    parts = [
        Clause(tuple(t for word in one.terms for t in plain.analyser.terms(word)), one.field, one.weight)
        for one in query.clauses
    ]
    return LexicalQuery(tuple(parts), query.title, query.headings, query.body)


def words(plain: PlainIndex, text: str) -> LexicalQuery:
    """Return a query for the words of a text."""
    return LexicalQuery(tuple(Clause((term,)) for term in dict.fromkeys(plain.analyser.terms(text))))


def agrees(
    found: Candidates, expected: Mapping[Key, float], names: Names, depth: int, near: float = 0.0
) -> None:
    """Check that candidates are the best `depth`, with their scores; those nearly equal to the last may be others."""
    keys = names.keys(found.passages)
    assert len(set(keys)) == len(keys) == min(depth, len(expected))
    for key, score in zip(keys, found.scores.tolist(), strict=True):
        assert score == pytest.approx(expected[key], rel=1e-5, abs=1e-6), key
    order = [(-score, number) for score, number in zip(found.scores, found.passages, strict=True)]
    assert order == sorted(order)
    if depth < len(expected):
        last = sorted(expected.values(), reverse=True)[depth - 1]
        missed = {key for key, score in expected.items() if score > last + near + 1e-5} - set(keys)
        assert not missed


@settings(max_examples=40, deadline=None)
@given(queries, st.sampled_from([3, 40, EVERYTHING]), st.sampled_from(SELECTIONS))
def test_words_are_found_and_scored_by_the_formula(
    reader: IndexReader,
    plain: PlainIndex,
    names: Names,
    query: LexicalQuery,
    depth: int,
    chosen: Filter | None,
) -> None:
    query = analysed(plain, query)
    among = plain.selected(chosen)
    every = plain.bm25(query)
    expected = {key: score for key, score in every.items() if key[0] in among}
    selection = reader.select(chosen)
    found = reader.lexical(query, depth, selection)
    agrees(found, expected, names, depth)
    assert reader.doc_ids(found.documents) == [key[0] for key in names.keys(found.passages)]
    # The scores of any passages, asked in any order, are the same.
    keys = sorted(plain.passages, key=lambda key: (key[1] % 3, key))[::2]
    scores = reader.lexical_scores(query, names.numbers(keys))
    np.testing.assert_allclose(scores, [every.get(key, 0.0) for key in keys], rtol=1e-5, atol=1e-6)


@settings(max_examples=15, deadline=None)
@given(queries, st.sampled_from(SELECTIONS))
def test_whole_documents_are_scored_by_the_formula(
    reader: IndexReader, plain: PlainIndex, query: LexicalQuery, chosen: Filter | None
) -> None:
    query = analysed(plain, query)
    expected = plain.whole_bm25(query)
    asked = sorted(plain.documents, reverse=True)
    scores = reader.whole_scores(query, reader.find_all(asked))
    np.testing.assert_allclose(scores, [expected.get(doc_id, 0.0) for doc_id in asked], rtol=1e-5, atol=1e-6)
    among = plain.selected(chosen)
    best = max((score for doc_id, score in expected.items() if doc_id in among), default=0.0)
    assert reader.whole_best(query, reader.select(chosen)) == pytest.approx(best, rel=1e-5)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("chosen", SELECTIONS, ids=str)
def test_meaning_is_found_and_scored_by_the_cosine(
    reader: IndexReader, plain: PlainIndex, names: Names, text: str, chosen: Filter | None
) -> None:
    vector = ENCODER.encode_query(text)
    among = plain.selected(chosen)
    every = plain.cosines(vector)
    expected = {key: cosine for key, cosine in every.items() if key[0] in among}
    selection = reader.select(chosen)
    for depth in (1, 10, EVERYTHING):
        # An index may keep vectors rounded and find by these; it scores by the whole ones.
        agrees(reader.dense(vector, depth, selection), expected, names, depth, near=0.03)
    keys = sorted(plain.passages, key=lambda key: (key[1] % 3, key))
    cosines = reader.dense_scores(vector, names.numbers(keys))
    np.testing.assert_allclose(cosines, [every.get(key, math.nan) for key in keys], atol=1e-5)
    assert np.isnan(cosines).any()


def test_several_vectors_find_what_each_finds(reader: IndexReader, plain: PlainIndex) -> None:
    vectors = np.stack([ENCODER.encode_query(text) for text in TEXTS])
    selection = reader.select(Eq("kind", "report"))
    for chosen in (None, selection):
        together = reader.dense_each(vectors, 7, chosen)
        for found, vector in zip(together, vectors, strict=True):
            alone = reader.dense(vector, 7, chosen)
            assert found.passages.tolist() == alone.passages.tolist()
            np.testing.assert_allclose(found.scores, alone.scores, atol=1e-6)
    assert reader.dense_each(vectors[:0], 7) == []


@pytest.mark.parametrize("text", ["turbine flutter nowhere turbine", "涡轮叶片 cooling", "πτερύγιο wave"])
def test_late_interaction_is_that_of_the_coded_tokens(
    reader: IndexReader, plain: PlainIndex, names: Names, text: str
) -> None:
    tokens = ENCODER.encode_query_tokens(text)
    weights = np.linspace(1, 0.2, len(tokens.spans)).astype(np.float32)
    keys = sorted(plain.passages, reverse=True)
    scores = reader.late_scores(tokens.vectors, weights, names.numbers(keys))
    expected = [plain.late(text, weights.tolist(), key) for key in keys]
    np.testing.assert_allclose(scores, expected, atol=2e-4)
    assert scores.dtype == np.float32
    none = reader.late_scores(tokens.vectors[:0], weights[:0], names.numbers(keys[:3]))
    assert np.isnan(none).all()
    with pytest.raises(InvalidSettings):
        reader.late_scores(tokens.vectors[:, :5], weights, names.numbers(keys[:3]))


@pytest.mark.parametrize("text", TEXTS)
def test_combined_calls_answer_as_single_ones_do(
    reader: IndexReader, plain: PlainIndex, names: Names, text: str
) -> None:
    query, vector = words(plain, text), ENCODER.encode_query(text)
    selection = reader.select(Range("year", gte=2004))
    for chosen in (None, selection):
        found = reader.propose(query, vector, 9, 6, chosen, whole=True)
        _same(found.lexical, reader.lexical(query, 9, chosen))
        _same(found.dense, reader.dense(vector, 6, chosen))
        assert found.whole_best == pytest.approx(reader.whole_best(query, chosen), rel=1e-6)
    nothing = reader.propose(query, None, 0, 6)
    assert (len(nothing.lexical), len(nothing.dense), nothing.whole_best) == (0, 0, 0.0)
    keys = sorted(plain.passages)
    one, two, three = names.numbers(keys[::3]), names.numbers(keys[::-4]), reader.live_documents()[::2]
    scores = reader.scores_of(query, vector, one, two, three)
    np.testing.assert_allclose(scores.bm25, reader.lexical_scores(query, one), rtol=1e-6)
    np.testing.assert_allclose(scores.cosines, reader.dense_scores(vector, two), atol=1e-6)
    np.testing.assert_allclose(scores.whole, reader.whole_scores(query, three), rtol=1e-6)
    without = reader.scores_of(query, None, one[:0], two, three[:0])
    assert (len(without.bm25), len(without.whole)) == (0, 0)
    assert np.isnan(without.cosines).all()


def _same(one: Candidates, other: Candidates) -> None:
    assert one.passages.tolist() == other.passages.tolist()
    assert one.documents.tolist() == other.documents.tolist()
    np.testing.assert_allclose(one.scores, other.scores, rtol=1e-6)


@pytest.mark.parametrize("least", [0.2, 0.6, -2.0])
def test_passages_near_are_those_of_the_documents_that_are(
    reader: IndexReader, plain: PlainIndex, names: Names, least: float
) -> None:
    vector = ENCODER.encode_query("turbine blade cooling")
    asked = [f"d{n:02}" for n in range(0, 48, 2)] + ["half greek", "greek", "long-1", "empty", "aa"]
    known = [plain.of_document[doc_id][0] for doc_id in asked[:6]]
    cosines = plain.cosines(vector)
    lowest = {doc_id: least + place % 7 / 10 for place, doc_id in enumerate(asked)}
    expected = {
        key: cosines.get(key, math.nan)
        for doc_id in asked
        for key in plain.of_document[doc_id]
        if key not in known and not cosines.get(key, math.nan) < lowest[doc_id]
    }
    documents = np.sort(reader.find_all(asked))
    limits = np.array([lowest[doc_id] for doc_id in reader.doc_ids(documents)], dtype=np.float32)
    passages, owners, found = reader.passages_near(vector, documents, limits, names.numbers(known))
    assert passages.tolist() == sorted(passages.tolist())
    keys = names.keys(passages)
    assert sorted(keys) == sorted(expected)
    np.testing.assert_allclose(found, [expected[key] for key in keys], atol=1e-5)
    assert reader.doc_ids(owners) == [key[0] for key in keys]


@pytest.mark.parametrize("text", TEXTS)
def test_an_explanation_adds_up_clause_by_clause(
    reader: IndexReader, plain: PlainIndex, names: Names, text: str
) -> None:
    query = words(plain, text)
    query = LexicalQuery((*query.clauses, Clause(("turbin", "blade"), weight=2.0)), 0.5, 0.5)
    found = reader.lexical(query, 6)
    explained = reader.explain_lexical(query, found.passages)
    for key, parts in zip(names.keys(found.passages), explained, strict=True):
        expected = {}
        for clause in query.clauses:
            alone = plain.bm25(LexicalQuery((clause,), query.title, query.headings, query.body))
            if key in alone:
                expected[clause] = alone[key]
        assert {clause for clause, _ in parts} == set(expected)
        for clause, score in parts:
            assert score == pytest.approx(expected[clause], rel=1e-5)
        scores = [score for _, score in parts]
        assert scores == sorted(scores, reverse=True)
    assert reader.explain_lexical(query, found.passages[:0]) == []


def test_nothing_asked_finds_nothing(reader: IndexReader, plain: PlainIndex, names: Names) -> None:
    vector = ENCODER.encode_query("turbine")
    query = words(plain, "turbine")
    nobody = reader.select(Eq("year", 1))
    assert nobody is not None
    assert nobody.count == 0
    for found in (
        reader.lexical(LexicalQuery(()), 5),
        reader.lexical(query, 0),
        reader.lexical(query, 5, nobody),
        reader.dense(vector, 0),
        reader.dense(vector, 5, nobody),
    ):
        assert len(found) == 0
    assert reader.whole_best(query, nobody) == 0.0
    assert reader.whole_best(LexicalQuery(())) == 0.0
    one = names.numbers(sorted(plain.passages)[:3])
    assert reader.lexical_scores(LexicalQuery(()), one).tolist() == [0, 0, 0]
    assert reader.lexical_scores(query, one[:0]).shape == (0,)
    assert reader.dense_scores(vector, one[:0]).shape == (0,)
    assert reader.whole_scores(query, one[:0]).shape == (0,)


def test_frequencies_are_counted_in_passages(reader: IndexReader, plain: PlainIndex) -> None:
    terms = sorted({term for word in ASKED for term in plain.analyser.terms(word)})
    assert reader.document_frequencies(terms) == [plain.frequency(term) for term in terms]
    assert reader.document_frequencies([]) == []


@pytest.mark.parametrize(
    "typed", ["turbin", "trubine", "flutterr", "superonic", "wnig", "nozzel", "zzzzzz", "涡论"]
)
def test_spellings_are_the_near_words_the_nearest_first(
    reader: IndexReader, plain: PlainIndex, typed: str
) -> None:
    from rapidfuzz.distance import OSA

    reach = 2 if len(typed) >= 6 else 1
    near = {
        word: OSA.distance(typed, word)
        for word in plain.words
        if word != typed
        and OSA.distance(typed, word) <= reach
        and all(plain.frequency(term) for term in plain.analyser.terms(word))
    }
    found = reader.spellings(typed)
    assert len(found) == min(5, len(near))
    distances = [near[word] for word, _ in found]
    assert distances == sorted(distances)
    assert distances == sorted(near.values())[: len(found)]
    for distance in set(distances):
        counts = [count for word, count in found if near[word] == distance]
        assert counts == sorted(counts, reverse=True)
    assert all(count > 0 for _, count in found)
    assert reader.spellings(typed, 1) == found[:1]
