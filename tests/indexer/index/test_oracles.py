"""The three ways to find passages against slow, plain versions of themselves."""

from __future__ import annotations

import math
import operator
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.document import Document
from indexer.encoder.hashing import HashingEncoder
from indexer.errors import InvalidFilter
from indexer.filters import And, Eq, Exists, Filter, In, Not, Or, Range, filter_from_json
from indexer.index import Index
from indexer.local.reader import LocalReader
from indexer.local.vectors import top
from indexer.protocol import Clause, LexicalQuery
from small_corpus import WORDS, make_document

COUNT = 120


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> LocalReader:
    """An index with a graph (made from 60 passages on), with deletions and updates, not compacted."""
    path = tmp_path_factory.mktemp("oracle") / "index"
    index = Index.create(path, encoder=HashingEncoder(32), exact_up_to=60)
    for start in range(0, COUNT, 40):
        with index.writer() as writer:
            for number in range(start, start + 40):
                # At most 40 terms a field: tantivy keeps such lengths exactly, longer ones to about 6%.
                writer.add(make_document(number, words=10 + number % 25))
    index.compact()  # from here on BM25 counts live passages only, as the oracle does
    assert index.stats().graph_passages >= 60
    return index.reader()


def all_passages(reader: LocalReader) -> list[int]:
    numbers = [reader.passages_of(int(document)) for document in reader.live_documents()]
    return [int(number) for part in numbers for number in part]


def fields_of(reader: LocalReader) -> dict[int, dict[str, list[str]]]:
    terms = reader.analyser.terms
    result = {}
    for stored in reader.passages(all_passages(reader)):
        title = reader.documents([stored.document])[0].title
        text = reader.text(stored.document, stored.passage.start, stored.passage.end)
        headings = [term for heading in stored.passage.headings for term in terms(heading)]
        result[stored.number] = {"title": terms(title), "headings": headings, "body": terms(text)}
    return result


def plain_bm25(
    entries: dict[int, dict[str, list[str]]], clauses: dict[tuple[str, ...], float], weights: dict[str, float]
) -> dict[int, float]:
    """BM25 as its papers write it, in double precision: a term or phrase is a unit with its own counts."""
    scores: dict[int, float] = dict.fromkeys(entries, 0.0)
    for field, weight in weights.items():
        lengths = {number: len(entry[field]) for number, entry in entries.items()}
        mean = sum(lengths.values()) / len(lengths)
        for clause, times in clauses.items():
            counts = {number: occurrences(entry[field], clause) for number, entry in entries.items()}
            idf = 0.0
            for term in clause:  # Lucene and tantivy give a phrase the sum of its terms' weights
                frequency = sum(term in entry[field] for entry in entries.values())
                if frequency:
                    idf += math.log(1 + (len(entries) - frequency + 0.5) / (frequency + 0.5))
            for number, count in counts.items():
                if count:
                    norm = 1.2 * (0.25 + 0.75 * lengths[number] / mean)
                    scores[number] += weight * times * idf * count / (count + norm)
    return scores


def occurrences(terms: list[str], clause: tuple[str, ...]) -> int:
    size = len(clause)
    return sum(tuple(terms[at : at + size]) == clause for at in range(len(terms) - size + 1))


clause_lists = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=2).map(tuple), min_size=1, max_size=4, unique=True
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(clause_lists, st.sampled_from([1.0, 2.0]), st.sampled_from([1.0, 3.0]))
def test_bm25_is_the_formula(
    reader: LocalReader, words: list[tuple[str, ...]], title: float, times: float
) -> None:
    clauses = [tuple(term for word in clause for term in reader.analyser.terms(word)) for clause in words]
    weighted = {clause: times if at == 0 else 1.0 for at, clause in enumerate(clauses)}
    expected = plain_bm25(fields_of(reader), weighted, {"title": title, "headings": 1.0, "body": 1.0})
    query = LexicalQuery(tuple(Clause(clause, weight=weighted[clause]) for clause in clauses), title=title)
    found = reader.lexical(query, COUNT)
    positive = {number: score for number, score in expected.items() if score > 0}
    assert set(found.passages.tolist()) == set(positive)
    for number, score in zip(found.passages.tolist(), found.scores.tolist(), strict=True):
        assert score == pytest.approx(positive[number], rel=1e-4)
    assert sorted(zip(-found.scores, found.passages, strict=True)) == list(
        zip(-found.scores, found.passages, strict=True)
    )
    every = np.array(sorted(expected), dtype=np.int64)[::-1]
    np.testing.assert_allclose(
        reader.lexical_scores(query, every), [expected[int(number)] for number in every], rtol=1e-4, atol=1e-6
    )


def test_the_parts_of_an_explanation_add_up(reader: LocalReader) -> None:
    clauses = tuple(Clause(tuple(reader.analyser.terms(word))) for word in WORDS[:5])
    query = LexicalQuery(clauses, title=3.0)
    found = reader.lexical(query, 5)
    explained = reader.explain_lexical(query, found.passages)
    assert len(explained) == len(found) > 0
    for parts, score in zip(explained, found.scores, strict=True):
        assert sum(part for _, part in parts) == pytest.approx(float(score), rel=1e-5)
        assert [part for _, part in parts] == sorted((part for _, part in parts), reverse=True)


scalars = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([0.5, -1.5]),
    st.booleans(),
    st.sampled_from(["a", "b", "é", "2020"]),
    st.dates(date(2020, 1, 1), date(2020, 1, 5)),
)
metadata = st.dictionaries(
    st.sampled_from(["p", "q"]), st.one_of(scalars, st.lists(scalars, max_size=3).map(tuple)), max_size=2
)


def kind(value: object) -> str:
    return (
        "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
    )


def plain_match(filters: Filter, values: dict[str, object]) -> bool:
    """The meaning of filters, spelled out on one document."""

    def of(name: str) -> list[object]:
        value = values.get(name, ())
        return list(value) if isinstance(value, tuple) else [value]

    match filters:
        case And(parts):
            return all(plain_match(part, values) for part in parts)
        case Or(parts):
            return any(plain_match(part, values) for part in parts)
        case Not(inner):
            return not plain_match(inner, values)
        case Exists(name):
            return bool(of(name))
        case Eq(name, wanted):
            return any(kind(value) == kind(wanted) and value == wanted for value in of(name))
        case In(name, several):
            return any(
                kind(value) == kind(wanted) and value == wanted for value in of(name) for wanted in several
            )
        case Range(name):
            bounds = [
                (compare, bound)
                for compare, bound in (
                    (operator.ge, filters.gte),
                    (operator.gt, filters.gt),
                    (operator.le, filters.lte),
                    (operator.lt, filters.lt),
                )
                if bound is not None
            ]
            return any(
                all(kind(v) == kind(bound) and compare(v, bound) for compare, bound in bounds)
                for v in of(name)
            )
    raise AssertionError(filters)


names = st.sampled_from(["p", "q"])
leaves = st.one_of(
    st.builds(Eq, names, scalars),
    st.builds(In, names, st.lists(scalars, max_size=3).map(tuple)),
    st.builds(Exists, names),
    st.builds(lambda name, low: Range(name, gte=low), names, scalars),
    st.builds(lambda name, high: Range(name, lt=high), names, scalars),
    st.builds(
        lambda name, low, high: Range(name, gt=low, lte=high), names, st.integers(-3, 0), st.integers(0, 3)
    ),
)
filter_trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(inner, max_size=3).map(lambda parts: Or(tuple(parts))),
        inner.map(Not),
    ),
    max_leaves=5,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(metadata, min_size=1, max_size=12), st.lists(filter_trees, min_size=1, max_size=15))
def test_filters_mean_what_they_say(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]], filters: list[Filter]
) -> None:
    index = Index.create(tmp_path_factory.mktemp("filters") / "index", encoder=HashingEncoder(8))
    with index.writer() as writer:
        # One document has every field with a value of every kind, so that no comparison is refused.
        full = {name: (0, "a", True, date(2020, 1, 1)) for name in ("p", "q")}
        for number, row in enumerate([full, *rows]):
            writer.add(Document(str(number), "words", metadata=row))  # type: ignore[arg-type]
    reader = index.reader()
    for condition in filters:
        selection = reader.select(condition)
        assert selection is not None
        expected = [number for number, row in enumerate([full, *rows]) if plain_match(condition, row)]
        assert np.flatnonzero(selection.mask).tolist() == expected
    index.close()


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (Eq("nubmer", 3), "did you mean 'number'"),
        (Eq("number", "three"), "holds values of kind number; 'three' is none"),
        (Range("parity", gte=3), "holds values of kind string"),
        (Exists("colour"), "no document has a field 'colour'. The fields are: number, parity"),
    ],
)
def test_impossible_filters_are_refused(reader: LocalReader, condition: Filter, message: str) -> None:
    with pytest.raises(InvalidFilter, match=message):
        reader.select(condition)


def test_strings_are_read_as_what_the_field_holds(reader: LocalReader) -> None:
    for one, other in (
        (Eq("number", "7"), Eq("number", 7)),
        (Range("number", gte="100"), Range("number", gte=100)),
    ):
        first, second = reader.select(one), reader.select(other)
        assert first is not None
        assert second is not None
        assert first.count == second.count > 0


def test_filters_are_written_as_json() -> None:
    spec = {
        "lang": "en",
        "year": {"gte": 2000, "lt": 2010},
        "not": {"tag": ["a", "b"]},
        "or": [{"x": {"exists": True}}],
    }
    expected = And(
        (
            Eq("lang", "en"),
            Range("year", gte=2000, lt=2010),
            Not(In("tag", ("a", "b"))),
            Or((Exists("x"),)),
        )
    )
    assert filter_from_json(spec) == expected
    for wrong in (
        3,
        {"and": 3},
        {"x": {"near": 3}},
        {"x": {}},
        {"x": None},
        {"x": [None]},
        {"x": {"exists": "yes"}},
    ):
        with pytest.raises(InvalidFilter):
            filter_from_json(wrong)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3, 0.9, 1.0])
@pytest.mark.parametrize("depth", [1, 10, 200])
def test_never_fewer_than_asked_when_enough_match(reader: LocalReader, share: float, depth: int) -> None:
    limit = max(int(COUNT * share), 1)
    selection = reader.select(Range("number", lt=limit))
    assert selection is not None
    assert selection.count == limit
    vector = HashingEncoder(32).encode_query("harbour ember")
    words = LexicalQuery(tuple(Clause(tuple(reader.analyser.terms(word))) for word in WORDS))
    whole = reader.lexical(words, COUNT)
    for found, candidates in (
        (reader.dense(vector, depth, selection), limit),
        (
            reader.lexical(words, depth, selection),
            sum(int(document) in selection for document in whole.documents),
        ),
    ):
        assert len(found) == min(depth, candidates)
        assert all(int(document) in selection for document in found.documents)
        assert len(set(found.passages.tolist())) == len(found)
    kept = [
        int(n)
        for n, document in zip(whole.passages, whole.documents, strict=True)
        if int(document) in selection
    ]
    assert reader.lexical(words, depth, selection).passages.tolist() == kept[:depth]


def test_the_graph_finds_what_exact_search_finds(reader: LocalReader) -> None:
    encoder = HashingEncoder(32)
    numbers = np.array(all_passages(reader), dtype=np.int64)
    matrix = reader.vectors(numbers)
    hits = 0
    for word in WORDS:
        vector = encoder.encode_query(word)
        exact = matrix @ vector
        found = reader.dense(vector, 10)
        floor = np.sort(exact)[-10]
        hits += int(np.sum(found.scores >= floor - 1e-6))
        np.testing.assert_allclose(found.scores, reader.dense_scores(vector, found.passages))
    assert hits >= 0.95 * 10 * len(WORDS)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, -1.0]), max_size=30), st.integers(0, 35))
def test_top_is_sort_and_cut(scores: list[float], depth: int) -> None:
    names = np.arange(len(scores), dtype=np.int64) * 3
    expected = sorted(names.tolist(), key=lambda name: (-scores[name // 3], name))[:depth]
    assert top(np.array(scores, dtype=np.float32), names, depth).tolist() == expected


def test_spellings_are_the_near_words(tmp_path: Path) -> None:
    index = Index.create(tmp_path / "index", encoder=HashingEncoder(8))
    with index.writer() as writer:
        writer.add(Document("a", "harbour harbour harbours lantern lanterns harvest"))
    near = index.reader().spellings
    assert near("harbuor")[0] == ("harbour", 2)
    assert [word for word, _ in near("lantrn")] == ["lantern", "lanterns"]
    assert near("zzzzzz") == []
    assert Counter(word for word, _ in near("harbour"))["harbour"] == 0


def test_scores_of_few_passages_are_the_scores_of_many(reader: LocalReader) -> None:
    vector = HashingEncoder(32).encode_query("copper saddle")
    numbers = np.array(all_passages(reader), dtype=np.int64)
    together = reader.dense_scores(vector, numbers)
    for at in range(0, len(numbers), 7):
        assert reader.dense_scores(vector, numbers[at : at + 1])[0] == together[at]


def test_passages_of_documents_are_each_documents_passages(reader: LocalReader) -> None:
    documents = np.array([50, 3, 119, 4], dtype=np.int64)
    passages, owners = reader.passages_of_all(documents)
    expected = [(int(n), int(d)) for d in documents for n in reader.passages_of(int(d))]
    assert list(zip(passages.tolist(), owners.tolist(), strict=True)) == expected
    assert reader.passages_of_all(documents[:0])[0].tolist() == []


def test_a_graph_that_leads_nowhere_still_gives_as_many_as_asked(tmp_path: Path) -> None:
    """Many copies of one text, and one unlike them: HNSW does not get from here to there, exact search does."""
    encoder = HashingEncoder(32)
    index = Index.create(tmp_path / "index", encoder=encoder, exact_up_to=20)
    with index.writer() as writer:
        for number in range(300):
            writer.add(Document(f"same-{number:03}", "granite meadow thunder", metadata={"kind": "same"}))
        writer.add(Document("other", "violet saddle ember", metadata={"kind": "other"}))
    reader = index.reader()
    vector = encoder.encode_query("violet saddle ember")
    assert len(reader.dense(vector, 301)) == 301
    found = reader.dense(vector, 5, reader.select(Eq("kind", "other")))
    assert reader.doc_ids(found.documents) == ["other"]
