"""`why_not` names the stage, and the figures it gives are those of a search."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from engine import SearchEngine, SearchSettings
from engine.why_not import describe
from indexer.document import Document
from indexer.filters import And, Eq, Exists, In, Not, Or, Range
from indexer.index import Index

from .conftest import ENCODER, FIRST, first_stage


def test_not_indexed(search_engine: SearchEngine) -> None:
    answer = search_engine.why_not("turbine", "nobody")
    assert answer.stage == "not indexed"
    assert "'nobody'" in str(answer)


@pytest.mark.parametrize(
    ("text", "filters", "stage", "told"),
    [
        ("turbine lang:de", None, "filter", "lang = de"),
        ("turbine lang:en year:>2010", None, "filter", "year > 2010"),
        ("turbine", {"year": {"gte": 1990, "lt": 1991}}, "filter", "year >= 1990 and year < 1991"),
        ("turbine +nowhere", None, "required", "nowhere"),
        ('turbine "panel panel panel panel"', None, "required", '"panel panel panel panel"'),
        ("", None, "no words", "empty"),
    ],
)
def test_conditions(
    search_engine: SearchEngine, text: str, filters: dict[str, object] | None, stage: str, told: str
) -> None:
    answer = search_engine.why_not(text, "d01", filters=filters)
    assert answer.stage == stage
    assert told in str(answer)


def test_excluded(search_engine: SearchEngine) -> None:
    found = search_engine.search("+turbine", k=1).hits[0].doc_id
    answer = search_engine.why_not("blade -turbine", found)
    assert answer.stage == "excluded"
    assert "turbine" in str(answer)


@pytest.mark.parametrize("k", [1, 5])
def test_every_document_of_a_list_has_the_rank_and_score_of_the_search(
    search_engine: SearchEngine, k: int
) -> None:

    asked = first_stage(depth=10_000)
    every = search_engine.search("turbine blade", k=1000, explain=True, settings=asked).hits
    for hit in every[::6]:
        answer = search_engine.why_not("turbine blade", hit.doc_id, k=k, settings=asked)
        assert answer.rank == hit.rank
        assert answer.ledger == hit.ledger
        assert answer.stage == ("found" if hit.rank <= k else "below")
        if answer.stage == "below":
            assert answer.last == every[k - 1].ledger
            assert answer.last.total >= answer.ledger.total


def test_not_proposed(make_index: Callable[..., Index]) -> None:
    documents = [Document(f"d{n}", f"turbine w{n}") for n in range(20)]
    engine = SearchEngine(make_index(Document("far", "other turbine words " * 3), *documents), ENCODER, FIRST)
    asked = first_stage(depth=3)
    listed = {hit.doc_id for hit in engine.search("turbine", k=3, settings=asked).hits}
    assert "far" not in listed
    answer = engine.why_not("turbine", "far", k=3, settings=asked)
    assert answer.stage == "not proposed"
    assert answer.depth == 3
    assert answer.bm25 > 0
    assert -1 <= answer.cosine <= 1
    assert "best 3" in str(answer)


def test_no_match(make_index: Callable[..., Index]) -> None:
    engine = SearchEngine(make_index(Document("a", "turbine"), Document("b", "wing")), ENCODER, FIRST)
    answer = engine.why_not("turbine", "b", settings=first_stage(alpha=0))
    assert answer.stage == "no match"
    assert answer.bm25 == 0


def test_k_of_nothing(search_engine: SearchEngine) -> None:
    assert search_engine.why_not("turbine", "d01", k=0).stage == "below"


@pytest.mark.parametrize("doc_id", ["nobody", "d01", "d02", "d03"])
def test_json(search_engine: SearchEngine, doc_id: str) -> None:
    answer = search_engine.why_not("turbine lang:en", doc_id, k=1)
    plain = json.loads(json.dumps(answer.to_json()))
    assert plain["stage"] == answer.stage
    assert " ".join(plain["sentences"]) == str(answer)


def test_a_ranking_as_json(search_engine: SearchEngine) -> None:
    ranking = search_engine.search("turbine", k=3, explain=True, settings=first_stage(facets=("tags",)))
    plain = json.loads(json.dumps(ranking.to_json()))
    assert [hit["doc_id"] for hit in plain["hits"]] == [hit.doc_id for hit in ranking.hits]
    assert plain["cursor"] == ranking.cursor
    assert plain["facets"]["tags"][0]["count"] >= plain["facets"]["tags"][1]["count"]
    for hit in plain["hits"]:
        assert sum(term["value"] for term in hit["ledger"]["terms"]) == pytest.approx(hit["score"], abs=1e-6)


def test_filters_in_words() -> None:
    assert describe(Eq("a", 1)) == "a = 1"
    assert describe(In("a", (1, 2))) == "a one of 1, 2"
    assert describe(Not(Exists("a"))) == "not (a has a value)"
    assert (
        describe(And((Eq("a", 1), Or((Eq("b", 2), Range("c", lt=3)))))) == "(a = 1) and ((b = 2) or (c < 3))"
    )
    assert describe(Or(())) == "nothing"
    assert describe(And(())) == "everything"


def test_reranking_is_named_where_it_moved_a_document(reranking_engine: SearchEngine) -> None:
    asked = SearchSettings(depth=10_000, rerank_depth=20, rerank_weight=5.0)
    every = reranking_engine.search("turbine blade cooling", k=1000, settings=asked).hits
    stages = set()
    for hit in every:
        answer = reranking_engine.why_not("turbine blade cooling", hit.doc_id, k=5, settings=asked)
        assert answer.rank == hit.rank
        was = hit.ledger.fused_rank
        stages.add(answer.stage)
        if hit.rank <= 5:
            assert answer.stage == "found"
        elif was <= 5:
            assert answer.stage == "reranked"
            assert f"number {was} before reranking" in str(answer)
        else:
            assert answer.stage == "below"
        if was > 20:
            assert "looks at the first 20 only" in str(answer)
    assert stages == {"found", "reranked", "below"}
