"""The second stage against a slow plain version, and what holds of it whatever the signals say."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Hit, Query, Ranking, SearchEngine, SearchSettings
from indexer.document import Document
from indexer.index import Index
from reranker.overlap import OverlapScorer
from reranker.pairs import PassageText

from .conftest import ENCODER, WORDS, fill, first_stage
from .late_reader import LateIndex, WordEncoder

EVERYTHING = 10_000
DEEP = SearchSettings(depth=EVERYTHING)
queries = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)


@pytest.fixture(scope="module")
def late_engine(index: Index) -> SearchEngine:
    return SearchEngine(LateIndex(index), WordEncoder(ENCODER.dim), reranker=OverlapScorer())


def shown(ranking: Ranking) -> list[tuple[str, float]]:
    return [(hit.doc_id, hit.score) for hit in ranking.hits]


def terms(hit: Hit) -> dict[str, float]:
    return {term.name: term.value for term in hit.ledger.terms}


@dataclass
class Looked:
    """One document as the plain version sees it."""

    doc_id: str
    fused: float
    numbers: list[int]
    late: float = math.nan
    gist: float = math.nan
    neighbours: float = math.nan
    rerank: float = math.nan


def lowest(values: list[float]) -> float:
    return min((value for value in values if not math.isnan(value)), default=0.0)


def plain(engine: SearchEngine, text: str, asked: SearchSettings) -> list[tuple[str, float]]:
    """Score the first stage's list again, one document at a time, by the definition."""
    first = replace(asked, rerank_depth=0, passages_per_hit=100)
    hits = engine.search(Query(text, operators=False), k=EVERYTHING, settings=first).hits
    reader = engine._current().reader
    documents = []
    for hit in hits:
        numbers = reader.passages_of(reader.find(hit.doc_id).number)
        at = {item.passage.start: item.number for item in reader.passages(numbers)}
        documents.append(Looked(hit.doc_id, hit.score, [at[passage.start] for passage in hit.passages]))
    head = documents[: asked.rerank_depth]
    tokens = WordEncoder(ENCODER.dim).encode_query_tokens(text)
    rare = {}
    for start, end in tokens.spans:
        (term,) = reader.analyser.terms(text[start:end])
        frequency = engine._current().frequencies([term])[term]
        rare[int(start)] = math.log1p((reader.passage_count - frequency + 0.5) / (frequency + 0.5))
    weights = np.array(list(rare.values()), dtype=np.float32)
    for one in head:
        scores = reader.late_scores(tokens.vectors, weights, np.array(one.numbers[:3]))
        one.late = max((float(score) for score in scores if score == score), default=math.nan)
    late = asked.late_weight > 0 and reader.has_token_vectors
    asking = ENCODER.encode_query(text).astype(float)
    vectors = {}
    for one in head:
        numbers = reader.passages_of(reader.find(one.doc_id).number)
        mean = reader.vectors(numbers).astype(float).sum(axis=0)
        vectors[one.doc_id] = mean / max(float(np.linalg.norm(mean)), 1e-9)
    nearest = float(reader.dense(asking.astype(np.float32), 1).scores[0])
    unrelated = reader.unrelated_cosine
    span = max(nearest - unrelated, 0.4 * (1 - unrelated))
    for one in head if late else ():
        one.gist = (float(asking @ vectors[one.doc_id]) - unrelated) / span
    least = {"late": lowest([one.late for one in head]) if late else 0.0, "gist": 0.0}

    def so_far(one: Looked) -> float:
        value = one.late if one.late == one.late else least["late"]
        return (
            one.fused
            + (asked.late_weight * value if late else 0.0)
            + (asked.gist_weight * one.gist if late else 0.0)
        )

    for one in head:
        mine = vectors[one.doc_id]
        likes = [(round(float(mine @ vectors[o.doc_id]), 6), o) for o in head if o is not one]
        near = [(like, o) for like, o in sorted(likes, key=lambda pair: -pair[0])[:5] if like > 0]
        if near:
            one.neighbours = sum(like * so_far(o) for like, o in near) / sum(like for like, _ in near)
        for item in reader.passages(one.numbers[: asked.rerank_passages]):
            title = reader.documents([item.document])[0].title
            body = reader.text(item.document, item.passage.start, item.passage.end)
            (score,) = OverlapScorer().score(text, [PassageText(body, title, item.passage.headings)])
            one.rerank = max(float(score), one.rerank) if one.rerank == one.rerank else float(score)
    least |= {
        "gist": lowest([one.gist for one in head]),
        "neighbours": lowest([one.neighbours for one in head]),
        "rerank": lowest([one.rerank for one in head]),
    }
    weighted = {
        "late": asked.late_weight if late else 0.0,
        "gist": asked.gist_weight if late else 0.0,
        "neighbours": asked.neighbours_weight,
        "rerank": asked.rerank_weight,
    }
    scores = {}
    for one in documents:
        values = {name: getattr(one, name) for name in weighted}
        scores[one.doc_id] = one.fused + sum(
            weight * (values[name] if values[name] == values[name] else least[name])
            for name, weight in weighted.items()
        )
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))


@given(
    text=queries,
    depth=st.sampled_from([1, 2, 7, 30, 1000]),
    passages=st.integers(1, 4),
    late=st.sampled_from([0.0, 0.5, 2.0]),
    gist=st.sampled_from([0.0, 0.2, 2.0]),
    neighbours=st.sampled_from([0.0, 0.25, 1.0]),
    rerank=st.sampled_from([0.0, 0.05, 1.0]),
    with_tokens=st.booleans(),
)
@settings(deadline=None, max_examples=15)
def test_agrees_with_the_definition(
    reranking_engine: SearchEngine,
    late_engine: SearchEngine,
    text: str,
    depth: int,
    passages: int,
    late: float,
    gist: float,
    neighbours: float,
    rerank: float,
    with_tokens: bool,
) -> None:
    engine = late_engine if with_tokens else reranking_engine
    text = " ".join(dict.fromkeys(text.split()))
    asked = replace(
        DEEP,
        rerank_depth=depth,
        rerank_passages=passages,
        late_weight=late,
        gist_weight=gist,
        neighbours_weight=neighbours,
        rerank_weight=rerank,
    )
    expected = dict(plain(engine, text, asked))
    found = engine.search(Query(text, operators=False), k=EVERYTHING, settings=asked)
    assert {doc_id for doc_id, _ in shown(found)} == set(expected)
    for doc_id, score in shown(found):
        assert score == pytest.approx(expected[doc_id], abs=1e-5)
    assert shown(found) == sorted(shown(found), key=lambda pair: (-pair[1], pair[0]))
    assert found.reranked_depth == (min(depth, len(found.hits)) if rerank else 0)


@given(text=queries, k=st.integers(1, 30), depth=st.sampled_from([20, 200]))
@settings(deadline=None, max_examples=30)
def test_without_a_second_stage_the_list_is_that_of_the_first(
    search_engine: SearchEngine, late_engine: SearchEngine, text: str, k: int, depth: int
) -> None:
    first = search_engine.search(text, k=k, settings=first_stage(depth=depth))
    none = late_engine.search(text, k=k, settings=first_stage(depth=depth))
    assert none == first
    assert not {"late", "gist", "neighbours", "rerank"} & set(first.timings)
    silent = replace(DEEP, late_weight=0, gist_weight=0, neighbours_weight=0, rerank_weight=0)
    weightless = late_engine.search(text, k=k, settings=silent)
    assert shown(weightless) == shown(search_engine.search(text, k=k, settings=first_stage(depth=EVERYTHING)))
    assert not {"late", "gist", "neighbours", "rerank"} & set(weightless.timings)


@pytest.mark.parametrize("fusion", ["convex", "rrf", "combsum", "combmnz", "dbsf"])
@pytest.mark.parametrize("grouping", ["max", "mean", "sum"])
@pytest.mark.parametrize("diversity", [0.0, 0.4])
def test_every_ledger_adds_up(
    late_engine: SearchEngine, fusion: str, grouping: str, diversity: float
) -> None:
    asked = SearchSettings(
        fusion=fusion,  # type: ignore[arg-type]
        grouping=grouping,  # type: ignore[arg-type]
        diversity=diversity,
        rerank_depth=15,
        rerank_passages=2,
    )
    for text in ("turbine blade", "shell"):
        ranking = late_engine.search(text, k=25, settings=asked, explain=True)
        assert len(ranking.hits) == 25
        assert {"late", "gist", "neighbours", "rerank"} <= set(ranking.timings)
        for hit in ranking.hits:
            assert math.fsum(terms(hit).values()) == pytest.approx(hit.score, abs=1e-6)
            assert {"words", "meaning", "late", "gist", "neighbours", "rerank"} <= set(terms(hit))
            shares = sum(share.bm25 for share in hit.ledger.words)
            assert shares == pytest.approx(hit.ledger.bm25, abs=1e-3)
        assert shown(ranking) == sorted(shown(ranking), key=lambda pair: (-pair[1], pair[0]))
        assert len(ranking.hits) == len({hit.doc_id for hit in ranking.hits})


@given(text=queries, depth=st.integers(1, 30), weight=st.sampled_from([0.05, 1.0, 20.0]))
@settings(deadline=None, max_examples=30)
def test_nobody_gains_by_having_been_left_out(
    late_engine: SearchEngine, text: str, depth: int, weight: float
) -> None:
    asked = replace(DEEP, rerank_depth=depth, rerank_weight=weight)
    hits = late_engine.search(text, k=EVERYTHING, settings=asked).hits
    beyond = [hit for hit in hits if hit.ledger.fused_rank > depth]
    assert [hit.ledger.fused_rank for hit in beyond] == list(range(depth + 1, len(hits) + 1))
    within = [hit for hit in hits if hit.ledger.fused_rank <= depth]
    assert hits == tuple(within + beyond)
    for hit in beyond:
        told = {term.name: term.detail for term in hit.ledger.terms}
        assert told["rerank"] == "not reranked: counted as the lowest"
        assert terms(hit)["rerank"] == min(terms(other)["rerank"] for other in within)


def test_other_fusions_are_weighted_on_their_own_scale(reranking_engine: SearchEngine) -> None:
    """Reciprocal ranks are a thirtieth of a convex score: unscaled, the second stage would decide alone."""
    asked = replace(DEEP, fusion="rrf")
    hits = reranking_engine.search("turbine blade", k=EVERYTHING, settings=asked).hits
    highest = max(terms(hit)["words"] + terms(hit)["meaning"] for hit in hits)
    assert highest < 0.1
    assert max(terms(hit)["rerank"] for hit in hits) == pytest.approx(0.05 * highest, abs=1e-6)


@pytest.mark.parametrize("text", ["turbine blade", "shock wave drag"])
def test_a_reranker_without_an_opinion_changes_no_order(index: Index, text: str) -> None:
    class Same(OverlapScorer):
        def score(self, query: str, passages: object) -> np.ndarray:
            return np.full(len(passages), 3.25, np.float32)  # type: ignore[arg-type]

    engine = SearchEngine(index, ENCODER, reranker=Same())
    asked = replace(DEEP, late_weight=0, gist_weight=0, neighbours_weight=0)
    before = engine.search(text, k=EVERYTHING, settings=first_stage(depth=EVERYTHING)).hits
    after = engine.search(text, k=EVERYTHING, settings=asked).hits
    assert [hit.doc_id for hit in after] == [hit.doc_id for hit in before]
    assert all(
        hit.score == pytest.approx(old.score + 0.05 * 3.25) for hit, old in zip(after, before, strict=True)
    )


def test_the_passage_that_the_cross_encoder_prefers_comes_first(index: Index) -> None:
    class Later(OverlapScorer):
        """Likes the passage most that the first stage likes least."""

        def score(self, query: str, passages: object) -> np.ndarray:
            return np.arange(len(passages), dtype=np.float32)  # type: ignore[arg-type]

    engine = SearchEngine(index, ENCODER, reranker=Later())
    asked = replace(DEEP, rerank_passages=2, rerank_depth=5)
    before = {
        hit.doc_id: hit
        for hit in engine.search("turbine blade", k=50, settings=replace(asked, rerank_depth=0)).hits
    }
    moved = 0
    for hit in engine.search("turbine blade", k=50, settings=asked, explain=True).hits:
        old = before[hit.doc_id]
        starts = [passage.start for passage in old.passages]
        if hit.ledger.fused_rank <= 5 and len(starts) > 1:
            starts[:2] = reversed(starts[:2])
            moved += 1
        assert [passage.start for passage in hit.passages] == starts
        # The facts are still of the passage that the fused score is of.
        assert (hit.ledger.bm25, hit.ledger.cosine) == (old.ledger.bm25, old.ledger.cosine)
        assert sum(share.bm25 for share in hit.ledger.words) == pytest.approx(hit.ledger.bm25, abs=1e-3)
        one = engine.search("turbine blade", k=50, settings=replace(asked, passages_per_hit=1))
    assert moved > 2
    for hit in one.hits:
        assert len(hit.passages) == 1


def test_ranks_tell_both_orders(late_engine: SearchEngine) -> None:
    ranking = late_engine.search("turbine blade cooling", k=EVERYTHING, settings=replace(DEEP, diversity=0.5))
    assert sorted(hit.ledger.fused_rank for hit in ranking.hits) == list(range(1, len(ranking.hits) + 1))
    by_reranking = sorted(ranking.hits, key=lambda hit: hit.ledger.reranked_rank)
    assert [hit.ledger.reranked_rank for hit in by_reranking] == list(range(1, len(ranking.hits) + 1))
    sums = [hit.score - terms(hit).get("diversity", 0.0) for hit in by_reranking]
    assert all(one >= two - 1e-6 for one, two in pairwise(sums))
    ranks = ranking.hits[0].to_json()["ledger"]["ranks"]  # type: ignore[index]
    assert set(ranks) == {"lexical", "dense", "fused", "reranked", "anonymous"}


def test_vectors_have_no_say_where_meaning_has_none(late_engine: SearchEngine) -> None:
    """Words alone are words alone, but for the cross-encoder, which reads words too."""
    ranking = late_engine.search("turbine blade", k=5, settings=replace(DEEP, alpha=0.0))
    assert all(set(terms(hit)) == {"words", "document", "meaning", "rerank"} for hit in ranking.hits)
    assert all(terms(hit)["meaning"] == 0 for hit in ranking.hits)


def test_operators_are_not_read_to_the_cross_encoder(index: Index) -> None:
    asked: list[str] = []

    class Listening(OverlapScorer):
        def judge(
            self,
            query: str,
            passages: object,
            *,
            deadline: float | None = None,
            cancelled: Callable[[], bool] = bool,
        ) -> object:
            asked.append(query)
            return super().judge(query, passages, deadline=deadline)  # type: ignore[arg-type]

    engine = SearchEngine(index, ENCODER, reranker=Listening())  # type: ignore[arg-type]
    engine.search('"turbine blade" +wing -shock lang:en title:cone')
    assert asked == ["turbine blade wing cone"]


@given(text=queries, small=st.integers(1, 30), large=st.integers(1, 50))
@settings(deadline=None, max_examples=30)
def test_a_list_does_not_depend_on_how_much_of_it_is_wanted(
    late_engine: SearchEngine, text: str, small: int, large: int
) -> None:
    small, large = sorted((small, large))
    asked = SearchSettings(depth=20)
    some = late_engine.search(text, k=small, settings=asked)
    more = late_engine.search(text, k=large, settings=asked)
    assert more.hits[: len(some.hits)] == some.hits


def test_an_index_without_tokens(tmp_path: Path) -> None:
    """An index made without tokens' vectors has no late interaction, and is searched as ever."""
    index = Index.create(tmp_path / "index", encoder=ENCODER, token_vectors=False)
    fill(index, [Document("a", "turbine blade"), Document("b", "turbine wing")])
    ranking = SearchEngine(index, ENCODER, reranker=OverlapScorer()).search("turbine blade")
    assert ranking.notices == ()
    assert [set(terms(hit)) for hit in ranking.hits] == [
        {"words", "document", "meaning", "neighbours", "rerank"}
    ] * 2
