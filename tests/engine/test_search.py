"""The engine against a slow plain search: every passage scored, every document grouped, everything sorted."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Query, Ranking, SearchEngine, SearchSettings
from engine.errors import InvalidCursor
from engine.plan import make_plan
from indexer.analyser import Analyser
from indexer.document import Document
from indexer.encoding import Vectors
from indexer.filters import Eq, Filter, In, Not, Or, Range
from indexer.index import Index
from indexer.local.reader import LocalReader
from indexer.protocol import Candidates, IndexReader, Selection

from .conftest import ENCODER, FIRST, WORDS, first_stage

EVERYTHING = 10_000
shares = st.sampled_from([0.0, 0.5, 0.8, 1.0])
queries = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)


def plain_scores(
    reader: IndexReader, text: str, asked: SearchSettings, chosen: Filter | None = None
) -> dict[str, float]:
    """Score every passage that may answer, one document at a time."""
    lexical = make_plan(text, reader, asked).lexical
    vector = ENCODER.encode_query(text)
    selection = reader.select(chosen)
    documents = np.array([n for n in range(reader.document_count) if selection is None or n in selection])
    numbers = np.concatenate([reader.passages_of(n) for n in documents])
    bm25 = reader.lexical_scores(lexical, numbers).astype(float)
    cosine = reader.dense_scores(vector, numbers).astype(float)
    highest_bm25, highest_cosine = bm25.max(), np.nanmax(cosine)
    alpha = asked.alpha if highest_bm25 > 0 else 1.0
    whole = reader.whole_scores(lexical, documents).astype(float)
    share = asked.document_share if whole.max() > 0 else 0.0
    of_whole = {
        doc_id: (1 - alpha) * share * score / max(whole.max(), 1e-9)
        for doc_id, score in zip(reader.doc_ids(documents), whole, strict=True)
    }
    by_document = defaultdict(list)
    for passage, words, meaning in zip(reader.passages(numbers), bm25, cosine, strict=True):
        if alpha == 0 and words <= 0:
            continue
        score = (1 - alpha) * (1 - share) * words / highest_bm25 if highest_bm25 else 0.0
        if not math.isnan(meaning):
            unrelated = reader.unrelated_cosine
            score += alpha * (meaning - unrelated) / max(highest_cosine - unrelated, 0.4 * (1 - unrelated))
        by_document[passage.passage.doc_id].append(score)
    grouped = {}
    for doc_id, scores in by_document.items():
        if alpha == 0:  # its other passages match no word
            number = reader.find(doc_id).number
            scores += [0.0] * (len(reader.passages_of(number)) - len(scores))
        best = sorted(scores, reverse=True)[: asked.group_top]
        grouped[doc_id] = {"max": best[0], "mean": sum(best) / len(best), "sum": sum(best)}[asked.grouping]
        grouped[doc_id] += of_whole[doc_id]
    return grouped


def plain_ranking(scores: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(((d, round(s, 6)) for d, s in scores.items()), key=lambda pair: (-pair[1], pair[0]))


def shown(ranking: Ranking) -> list[tuple[str, float]]:
    return [(hit.doc_id, hit.score) for hit in ranking.hits]


@pytest.mark.parametrize("grouping", ["max", "mean", "sum"])
@given(
    text=queries,
    alpha=st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    share=shares,
    depth=st.sampled_from([60, EVERYTHING]),
    chosen=st.sampled_from([None, None, Eq("lang", "de"), Range("year", lt=1995)]),
)
@settings(deadline=None, max_examples=30)
def test_agrees_with_scoring_everything(
    search_engine: SearchEngine,
    index: Index,
    grouping: str,
    text: str,
    alpha: float,
    share: float,
    depth: int,
    chosen: Filter | None,
) -> None:
    asked = first_stage(alpha=alpha, grouping=grouping, depth=depth, document_share=share)  # type: ignore[arg-type]
    expected = plain_scores(index.reader(), text, asked, chosen)
    found = shown(search_engine.search(Query(text, filters=chosen), k=EVERYTHING, settings=asked))
    assert {doc_id for doc_id, _ in found} == set(expected)
    for doc_id, score in found:
        assert score == pytest.approx(expected[doc_id], abs=2e-6)
    assert found == sorted(found, key=lambda pair: (-pair[1], pair[0]))


@given(
    text=queries,
    alpha=st.sampled_from([0.0, 0.4, 1.0]),
    share=shares,
    depth=st.integers(1, 80),
    k=st.integers(1, 30),
    chosen=st.sampled_from([None, Eq("lang", "en"), Range("year", lt=1995)]),
)
@settings(deadline=None, max_examples=80)
def test_a_score_depends_on_neither_depth_nor_k(
    search_engine: SearchEngine,
    text: str,
    alpha: float,
    share: float,
    depth: int,
    k: int,
    chosen: Filter | None,
) -> None:
    query = Query(text, filters=chosen)
    asked = first_stage(alpha=alpha, document_share=share, depth=EVERYTHING)
    every = dict(shown(search_engine.search(query, k=EVERYTHING, settings=asked)))
    some = shown(search_engine.search(query, k=k, settings=replace(asked, depth=depth)))
    assert len(some) == min(k, len(every))
    for doc_id, score in some:
        assert score == pytest.approx(every[doc_id], abs=2e-7)


@pytest.mark.parametrize("fusion", ["convex", "rrf", "combsum", "combmnz", "dbsf"])
@pytest.mark.parametrize("grouping", ["max", "mean", "sum"])
@pytest.mark.parametrize("diversity", [0.0, 0.4])
def test_every_ledger_adds_up(
    search_engine: SearchEngine, fusion: str, grouping: str, diversity: float
) -> None:
    asked = first_stage(fusion=fusion, grouping=grouping, diversity=diversity, depth=30)  # type: ignore[arg-type]
    for text in ("turbine blade", "shock wave drag", "shell"):
        ranking = search_engine.search(text, k=20, settings=asked, explain=True)
        assert len(ranking.hits) == 20
        for hit in ranking.hits:
            assert math.fsum(term.value for term in hit.ledger.terms) == pytest.approx(hit.score, abs=1e-6)
            shares = sum(share.bm25 for share in hit.ledger.words)
            assert shares == pytest.approx(hit.ledger.bm25, abs=1e-3)
        found = shown(ranking)
        assert found == sorted(found, key=lambda pair: (-pair[1], pair[0]))
        assert len({doc_id for doc_id, _ in found}) == len(found)


def test_a_ledger_can_be_recomputed_from_its_facts(search_engine: SearchEngine) -> None:
    for hit in search_engine.search("turbine blade cooling", k=20).hits:
        ledger = hit.ledger
        words = (1 - ledger.alpha) * 0.5 * ledger.bm25 / ledger.bounds.lexical
        document = (1 - ledger.alpha) * 0.5 * ledger.document_bm25 / ledger.bounds.document
        unrelated = ledger.bounds.unrelated
        assert ledger.bounds.dense > unrelated + 0.2
        meaning = ledger.alpha * (ledger.cosine - unrelated) / (ledger.bounds.dense - unrelated)
        assert {term.name: term.value for term in ledger.terms} == pytest.approx(
            {"words": words, "document": document, "meaning": meaning}, abs=1e-4
        )


def test_equal_documents_come_in_the_order_of_their_ids(
    search_engine: SearchEngine, corpus: list[Document]
) -> None:
    hits = search_engine.search(corpus[5].text[:60], k=EVERYTHING).hits
    equal = [hit.doc_id for hit in hits if hit.doc_id in ("aa", "d05", "zz")]
    assert equal == ["aa", "d05", "zz"]


@pytest.mark.parametrize("k", [0, 1, 3, EVERYTHING])
@pytest.mark.parametrize("depth", [1, 2, 200])
def test_as_many_as_asked_for(
    search_engine: SearchEngine, corpus: list[Document], k: int, depth: int
) -> None:
    ranking = search_engine.search("turbine", k=k, settings=first_stage(depth=depth))
    assert len(ranking.hits) == min(k, len(corpus))
    assert [hit.rank for hit in ranking.hits] == list(range(1, len(ranking.hits) + 1))


FILTERS = st.sampled_from(
    [
        Eq("lang", "de"),
        Range("year", gte=2000, lt=2003),
        In("tags", ("t1", "t6")),
        Not(Eq("lang", "en")),
        Eq("lang", "de") & Range("year", gt=2005),
        Or((Eq("year", 1993), Eq("tags", "t0"))),
        Eq("year", 1991) & Eq("lang", "en") & Eq("tags", "t1"),
    ]
)


def matches(document: Document, condition: Filter) -> bool:
    match condition:
        case Eq(name, value):
            held = document.metadata.get(name, ())
            return value in held if isinstance(held, tuple) else held == value
        case In(name, values):
            return any(matches(document, Eq(name, value)) for value in values)
        case Range(name, gte, gt, lte, lt):
            held = document.metadata.get(name)
            return (
                held is not None
                and (gte is None or held >= gte)
                and (gt is None or held > gt)
                and (lte is None or held <= lte)
                and (lt is None or held < lt)
            )
        case Not(inner):
            return not matches(document, inner)
    parts = [matches(document, part) for part in condition.filters]
    return any(parts) if isinstance(condition, Or) else all(parts)


@given(text=queries, condition=FILTERS, k=st.integers(1, 80), depth=st.integers(1, 40))
@settings(deadline=None, max_examples=50)
def test_filters_leave_exactly_those_that_match(
    search_engine: SearchEngine, corpus: list[Document], text: str, condition: Filter, k: int, depth: int
) -> None:
    expected = {document.doc_id for document in corpus if matches(document, condition)}
    found = search_engine.search(text, k=k, filters=condition, settings=first_stage(depth=depth))
    assert {hit.doc_id for hit in found.hits} <= expected
    assert len(found.hits) == min(k, len(expected))


def test_the_same_filter_as_text_value_or_json(search_engine: SearchEngine) -> None:
    expected = shown(search_engine.search("turbine", filters=Eq("lang", "de"), k=50))
    assert shown(search_engine.search("turbine lang:de", k=50)) == expected
    assert shown(search_engine.search("turbine", filters={"lang": "de"}, k=50)) == expected
    assert shown(search_engine.search(Query("turbine", filters=Eq("lang", "de")), k=50)) == expected


def holds(document: Document, words: str, field: str = "any") -> bool:
    texts = {"any": [document.title, document.text], "title": [document.title], "body": [document.text]}[
        field
    ]
    return any(words in text.lower().replace(".", " |") for text in texts)


@given(one=st.sampled_from(WORDS), two=st.sampled_from(WORDS), three=st.sampled_from(WORDS))
@settings(deadline=None, max_examples=40)
def test_required_and_excluded_words(
    search_engine: SearchEngine, corpus: list[Document], one: str, two: str, three: str
) -> None:
    found = search_engine.search(f"{one} +{two} -{three}", k=EVERYTHING)
    expected = {d.doc_id for d in corpus if holds(d, two) and not holds(d, three)}
    assert {hit.doc_id for hit in found.hits} == expected


def quotes(document: Document, words: str) -> bool:
    """Whether the words' stems follow each other in the text or title: a little more than `holds` allows."""
    analyser = Analyser()
    wanted = analyser.terms(words)
    return any(
        terms[at : at + len(wanted)] == wanted
        for terms in (analyser.terms(document.text), analyser.terms(document.title))
        for at in range(len(terms))
    )


@pytest.mark.parametrize("sign", ["", "+"])
def test_phrases_are_required(search_engine: SearchEngine, corpus: list[Document], sign: str) -> None:
    phrases = [("turbine", "blade"), ("blade", "turbine"), ("cooling", "turbine", "turbine")]
    for phrase in phrases:
        words = " ".join(phrase)
        expected = {d.doc_id for d in corpus if holds(d, words)}
        found = search_engine.search(f'{sign}"{words}"', k=EVERYTHING)
        assert (
            expected <= {hit.doc_id for hit in found.hits} <= {d.doc_id for d in corpus if quotes(d, words)}
        )


def test_a_text_field_restricts_where_to_look(search_engine: SearchEngine, corpus: list[Document]) -> None:
    found = search_engine.search("+title:turbine", k=EVERYTHING)
    assert {hit.doc_id for hit in found.hits} == {d.doc_id for d in corpus if "turbine" in d.title}


def test_facets_count_what_was_found(search_engine: SearchEngine, corpus: list[Document]) -> None:
    asked = first_stage(facets=("lang", "tags"))
    ranking = search_engine.search("+turbine year:>=2000", k=2, settings=asked)
    matching = [
        d
        for d in corpus
        if holds(d, "turbine") and isinstance(y := d.metadata.get("year", 0), int) and y >= 2000
    ]
    assert ranking.found == len(matching)
    for name in ("lang", "tags"):
        counts: dict[object, int] = defaultdict(int)
        for document in matching:
            value = document.metadata[name]
            for item in set(value) if isinstance(value, tuple) else {value}:
                counts[item] += 1
        assert dict(ranking.facets[name]) == counts


def test_snippets_lead_back_to_the_source(search_engine: SearchEngine, corpus: list[Document]) -> None:
    texts = {document.doc_id: document.text for document in corpus}
    analyser = search_engine._current().reader.analyser
    wanted = set(analyser.terms("turbine blade cooling"))
    highlighted = 0
    for hit in search_engine.search("turbine blade cooling", k=40).hits:
        for passage in hit.passages:
            snippet = passage.snippet
            assert passage.start <= snippet.start <= snippet.end <= passage.end
            assert snippet.text == texts[hit.doc_id][snippet.start : snippet.end]
            for start, end in snippet.highlights:
                assert set(analyser.terms(texts[hit.doc_id][start:end])) <= wanted
                highlighted += 1
        assert [p.score for p in hit.passages] == sorted((p.score for p in hit.passages), reverse=True)
    assert highlighted > 40


def test_diversity_moves_copies_apart(search_engine: SearchEngine, corpus: list[Document]) -> None:
    def ranks(diversity: float) -> list[int]:
        asked = replace(search_engine.settings, diversity=diversity)
        hits = search_engine.search(corpus[5].text[:60], k=EVERYTHING, settings=asked).hits
        assert len(hits) == len(corpus)
        return [hit.rank for hit in hits if hit.doc_id in ("aa", "d05", "zz")]

    first, second, third = ranks(0.0)
    assert (second, third) == (first + 1, first + 2)
    first, second, third = ranks(0.5)
    assert second > first + 1
    assert third > second


def test_words_alone_and_meaning_alone(search_engine: SearchEngine) -> None:
    asked = first_stage(alpha=0, document_share=0)
    words = search_engine.search("turbine", settings=asked).hits[0].ledger
    assert words.cosine is None
    assert words.document_bm25 is None
    assert dict((term.name, term.value) for term in words.terms) == {"words": 1.0, "meaning": 0.0}
    whole = search_engine.search("turbine", settings=replace(asked, document_share=1)).hits[0].ledger
    parts = {term.name: term.value for term in whole.terms}
    assert parts == pytest.approx({"words": 0.0, "document": 1.0, "meaning": 0.0}, abs=1e-6)
    meaning = search_engine.search("turbine", settings=first_stage(alpha=1)).hits[0].ledger
    assert meaning.bm25 is None
    assert meaning.document_bm25 is None
    assert dict((term.name, term.value) for term in meaning.terms) == {"words": 0.0, "meaning": 1.0}


def test_results_are_the_same_every_time(search_engine: SearchEngine, index: Index) -> None:
    first = search_engine.search("shock wave drag lift", k=30, explain=True)
    again = SearchEngine(index, ENCODER, FIRST).search("shock wave drag lift", k=30, explain=True)
    assert first == again
    assert first.cursor == again.cursor


def test_without_operators_a_text_is_all_words(search_engine: SearchEngine) -> None:
    """What a topic of a test collection or a pasted sentence holds is no command."""
    words = " ".join(WORDS[:3])
    text = f'"{WORDS[0]} {WORDS[1]}" -{WORDS[2]} year:1999'
    words_alone = first_stage(alpha=0.0)
    plain = search_engine.search(Query(text, operators=False), k=EVERYTHING, settings=words_alone)
    assert not plain.notices
    assert shown(plain) == shown(
        search_engine.search(f"{words} year 1999", k=EVERYTHING, settings=words_alone)
    )
    page = search_engine.search(Query(text, operators=False), k=2)
    assert page.cursor is not None
    with pytest.raises(InvalidCursor):
        search_engine.search(text, k=2, cursor=page.cursor)


class Depths(LocalReader):
    """A reader that remembers how deep it was asked."""

    asked: ClassVar[list[int]] = []

    def dense(self, vector: Vectors, depth: int, selection: Selection | None = None) -> Candidates:
        self.asked.append(depth)
        return super().dense(vector, depth, selection)


def test_one_long_document_is_not_searched_to_its_end(tmp_path: Path) -> None:
    """Asked for ten documents where there is one, a search must not fetch every passage to find nine more."""
    index = Index.create(tmp_path / "index", encoder=ENCODER)
    text = "\n\n".join(f"{word} {number} " * 100 for number in range(20) for word in WORDS[:5])
    with index.writer() as writer:
        writer.add(Document("book", text))
        writer.add(Document("note", WORDS[0]))
    reader = index.reader()
    assert reader.passage_count > 90
    reader.__class__ = Depths
    engine = SearchEngine(index, ENCODER, FIRST)
    ranking = engine.search(WORDS[0], k=10, settings=first_stage(depth=10))
    assert {hit.doc_id for hit in ranking.hits} == {"book", "note"}
    assert not ranking.notices
    assert max(Depths.asked) < reader.passage_count
    expected = plain_ranking(plain_scores(reader, WORDS[0], first_stage()))
    assert dict(shown(ranking)) == pytest.approx(dict(expected), abs=2e-6)
