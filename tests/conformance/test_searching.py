"""The engine on both backends: the same documents, scores, passages, facets, pages, reasons and summaries."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from engine import Hit, InvalidQuery, Query, Ranking, SearchEngine, SearchSettings
from indexer.filters import Eq, Filter, Range

from .conftest import SHARDS, Backend, fill
from .corpus import documents

NEAR = 1e-4
TEXTS = [
    "turbine blade cooling",
    "flutter",
    "supersonic wing drag -lift",
    '"boundary layer" flow',
    "+nozzle heat year:>=2000",
    "涡轮叶片冷却",
    "turbine 涡轮",
    "title:turbine",
    "absentword",
    "πτερύγιο ψύξη",
]
ALL = 10_000
SETTINGS = {
    "default": SearchSettings(depth=ALL),
    "words": SearchSettings(alpha=0.0, depth=ALL),
    "meaning": SearchSettings(alpha=1.0, depth=ALL),
    "mean": SearchSettings(grouping="mean", depth=ALL),
    "sum": SearchSettings(grouping="sum", rerank_depth=0, depth=ALL),
    "combsum": SearchSettings(fusion="combsum", depth=ALL),
    "combmnz": SearchSettings(fusion="combmnz", rerank_depth=0, depth=ALL),
    "dbsf": SearchSettings(fusion="dbsf", depth=ALL),
    "diverse": SearchSettings(diversity=0.4, depth=ALL),
    "passages alone": SearchSettings(document_share=0.0, rerank_depth=0, depth=ALL),
}
FILTERS: list[Filter | None] = [None, Eq("lang", "de"), Range("year", gte=2004)]


@dataclass(frozen=True)
class Pair:
    """An engine on each backend, over the same documents."""

    local: SearchEngine
    elastic: SearchEngine


@pytest.fixture(scope="module")
def pair(both: tuple[Backend, Backend]) -> Iterator[Pair]:
    engines = []
    for backend in both:
        index = backend.create(shards=SHARDS)
        fill(index, documents())
        index.close()
        engines.append(backend.engine(index.place))
    yield Pair(*engines)
    for engine in engines:
        engine.close()


def same_list(one: Ranking, other: Ranking) -> None:
    """Check that two rankings are one but for the order of what scores the same."""
    assert (one.found, one.notices, one.suggestions, one.facets) == (
        other.found,
        other.notices,
        other.suggestions,
        other.facets,
    )
    assert len(one.hits) == len(other.hits)
    scores = {hit.doc_id: hit for hit in one.hits}
    last = one.hits[-1].score if one.hits else 0.0
    for place, hit in enumerate(other.hits):
        assert hit.score == pytest.approx(one.hits[place].score, abs=NEAR)
        assert math.isclose(hit.ledger.total, hit.score, abs_tol=1e-6)
        twin = scores.get(hit.doc_id)
        if twin is None:  # equals at the end of the list may be others
            assert hit.score == pytest.approx(last, abs=NEAR)
        else:
            same_hit(twin, hit)


def alike(one: float | None, other: float | None) -> bool:
    """Whether two figures are nearly one, or neither is known."""
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-4, abs_tol=NEAR)


def same_hit(one: Hit, other: Hit) -> None:
    """Check that two hits are one: score, what is shown, and the facts of the account."""
    assert one.score == pytest.approx(other.score, abs=NEAR)
    assert (one.title, one.source, one.metadata) == (other.title, other.source, other.metadata)
    assert [(p.start, p.end, p.headings, p.page, p.snippet) for p in one.passages] == [
        (p.start, p.end, p.headings, p.page, p.snippet) for p in other.passages
    ]
    assert [p.score for p in one.passages] == pytest.approx([p.score for p in other.passages], abs=NEAR)
    left, right = one.ledger, other.ledger
    assert {term.name: term.value for term in left.terms} == pytest.approx(
        {term.name: term.value for term in right.terms}, abs=NEAR
    )
    for fact in ("bm25", "cosine", "document_bm25"):
        assert alike(getattr(left, fact), getattr(right, fact)), fact
    assert (left.alpha, left.fusion, left.grouping) == (right.alpha, right.fusion, right.grouping)
    for bound in ("lexical", "dense", "unrelated", "document"):
        assert alike(getattr(left.bounds, bound), getattr(right.bounds, bound)), bound
    assert {share.word: share.bm25 for share in left.words} == pytest.approx(
        {share.word: share.bm25 for share in right.words}, rel=1e-4
    )


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", SETTINGS)
def test_the_same_list_whatever_the_settings(pair: Pair, text: str, name: str) -> None:
    asked = SETTINGS[name]
    one = pair.local.search(text, k=15, settings=asked, explain=True)
    other = pair.elastic.search(text, k=15, settings=asked, explain=True)
    same_list(one, other)
    if text == TEXTS[0]:
        assert len(one.hits) == 15


@pytest.mark.parametrize("text", [TEXTS[0], *TEXTS[2:5]])
@pytest.mark.parametrize("chosen", FILTERS, ids=str)
def test_the_same_documents_on_top_at_the_usual_depth(pair: Pair, text: str, chosen: Filter | None) -> None:
    """For words that many have: of many passages at cosine 0, which are the last to be looked at differs."""
    asked = SearchSettings(depth=60)
    query = Query(text, filters=chosen)
    one = pair.local.search(query, k=10, settings=asked)
    other = pair.elastic.search(query, k=10, settings=asked)
    scores = {hit.doc_id: hit.score for hit in one.hits}
    assert one.hits
    assert [hit.score for hit in other.hits] == pytest.approx([hit.score for hit in one.hits], abs=NEAR)
    for hit in other.hits:
        assert math.isclose(hit.ledger.total, hit.score, abs_tol=1e-6)
        assert hit.score == pytest.approx(scores.get(hit.doc_id, one.hits[-1].score), abs=NEAR)


@pytest.mark.parametrize("text", TEXTS[:4])
def test_ranks_fuse_alike_where_none_are_equal(pair: Pair, text: str) -> None:
    """Reciprocal ranks hang on the order of equals, which no two indexes share: most of the list is the same."""
    asked = SearchSettings(fusion="rrf", rerank_depth=0, depth=ALL)
    one = {hit.doc_id for hit in pair.local.search(text, k=20, settings=asked).hits}
    other = {hit.doc_id for hit in pair.elastic.search(text, k=20, settings=asked).hits}
    assert len(one & other) >= 0.8 * len(one)


@pytest.mark.parametrize("text", ["turbine flow", "涡轮", "flutter year:>=1995"])
def test_pages_join_up_to_the_whole_list(pair: Pair, text: str) -> None:
    asked = SearchSettings(depth=80)
    for engine in (pair.local, pair.elastic):
        whole = engine.search(text, k=23, settings=asked)
        pages, cursor = [], None
        for _ in range(4):
            page = engine.search(text, k=6, cursor=cursor, settings=asked)
            pages += page.hits
            cursor = page.cursor
            if cursor is None:
                break
        pages = pages[:23]
        assert [hit.doc_id for hit in pages] == [hit.doc_id for hit in whole.hits]
        assert [hit.rank for hit in pages] == list(range(1, len(pages) + 1))
        assert [hit.score for hit in pages] == pytest.approx([hit.score for hit in whole.hits])


def test_facets_count_the_same(pair: Pair) -> None:
    asked = SearchSettings(depth=ALL, facets=("lang", "tags", "year", "open", "作者", "mixed", "published"))
    for text in ("turbine", "mixed kinds", "涡轮"):
        one = pair.local.search(text, k=3, settings=asked)
        other = pair.elastic.search(text, k=3, settings=asked)
        assert dict(one.facets) == dict(other.facets)
        assert any(one.facets.values())


@pytest.mark.parametrize("text", ["turbin balde", "superonic fluter", "nozzel"])
def test_what_was_perhaps_meant(pair: Pair, text: str) -> None:
    one, other = pair.local.search(text), pair.elastic.search(text)
    assert one.suggestions == other.suggestions


@pytest.mark.parametrize(
    "doc_id", ["d07", "d33", "empty", "absent", "long-1", "greek", "title only", "中文-3", "half greek"]
)
@pytest.mark.parametrize(
    "text", ["turbine blade cooling", "+flutter nozzle", "turbine -blade", "year:>=2005 flow", "..."]
)
def test_why_a_document_is_not_there(pair: Pair, text: str, doc_id: str) -> None:
    asked = SearchSettings(depth=40)
    one = pair.local.why_not(text, doc_id, k=3, settings=asked)
    other = pair.elastic.why_not(text, doc_id, k=3, settings=asked)
    assert (one.stage, one.k, one.depth) == (other.stage, other.k, other.depth)
    for fact in ("bm25", "cosine", "document_bm25"):
        assert alike(getattr(one, fact), getattr(other, fact)), fact
    if one.ledger is not None:
        assert other.ledger is not None
        assert one.ledger.total == pytest.approx(other.ledger.total, abs=NEAR)


@pytest.mark.parametrize("doc_id", ["long-2", "d08", "中文-7", "empty", "title only", "half greek"])
@pytest.mark.parametrize("query", ["", "turbine flow"])
def test_summaries_are_the_same_sentences(pair: Pair, doc_id: str, query: str) -> None:
    one = pair.local.summarise(doc_id, query=query, length=300)
    other = pair.elastic.summarise(doc_id, query=query, length=300)
    assert str(one) == str(other)


def test_phrases_that_name_documents_are_the_same(pair: Pair) -> None:
    asked = ["d01", "d02", "long-3", "中文-7"]
    one, other = pair.local.keyphrases(asked), pair.elastic.keyphrases(asked)
    assert [phrase.text for phrase in one] == [phrase.text for phrase in other]
    assert one


@pytest.mark.parametrize(
    ("chosen", "facets"), [(Eq("yaer", 3), ()), (Eq("year", "three"), ()), (None, ("langg",)), (None, ("",))]
)
def test_what_cannot_be_asked_is_refused_in_the_same_words(
    pair: Pair, chosen: Filter | None, facets: tuple[str, ...]
) -> None:
    messages = []
    for engine in (pair.local, pair.elastic):
        with pytest.raises(InvalidQuery) as refused:
            engine.search("turbine", filters=chosen, settings=SearchSettings(facets=facets))
        messages.append(str(refused.value))
    assert messages[0] == messages[1]
