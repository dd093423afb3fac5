"""A cross-encoder that is late, broken or not there: the best order so far, and a sentence that says so."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine.reranking as reranking
from engine import InvalidSearchSettings, Ranking, SearchCancelled, SearchEngine, SearchSettings
from indexer.document import Document
from indexer.index import Index
from reranker.errors import RerankerModelError
from reranker.overlap import OverlapScorer
from reranker.pairs import PassageText
from reranker.scorer import Judgement

from .conftest import ENCODER, WORDS, first_stage

EVERYTHING = 10_000
ONLY = SearchSettings(depth=EVERYTHING, late_weight=0, gist_weight=0, neighbours_weight=0)
Asked: TypeAlias = Sequence[str | PassageText]
queries = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)


class Broken(OverlapScorer):
    """Breaks in the way it is told to."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    def reads(self, text: str) -> float:
        if self.how == "reads":
            raise RerankerModelError("its script table is damaged")
        return 0.49 if self.how == "script" else 1.0

    def judge(
        self,
        query: str,
        passages: Asked,
        *,
        deadline: float | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> Judgement:
        count = len(passages)
        scores, cut = np.zeros(count, np.float32), np.zeros(count, np.int64)
        if self.how == "raises":
            raise RerankerModelError("its weights are damaged\nfetch it again")
        if self.how == "crashes":
            raise MemoryError
        if self.how == "nan":
            return Judgement(np.full(count, np.nan, np.float32), cut, np.ones(count, bool))
        if self.how == "shape":
            return Judgement(scores[:-1], cut, np.ones(count, bool))
        if self.how == "table":
            return Judgement(scores.reshape(-1, 1), cut, np.ones(count, bool))
        return super().judge(query, passages, deadline=deadline)


def shown(ranking: Ranking) -> list[tuple[str, float]]:
    return [(hit.doc_id, hit.score) for hit in ranking.hits]


@pytest.mark.parametrize("how", ["raises", "crashes", "nan", "shape", "table", "reads"])
def test_a_failing_reranker_leaves_the_order_before_it(
    index: Index, search_engine: SearchEngine, how: str
) -> None:
    ranking = SearchEngine(index, ENCODER, reranker=Broken(how)).search("turbine blade", k=20, settings=ONLY)
    before = search_engine.search("turbine blade", k=20, settings=first_stage(depth=EVERYTHING))
    assert shown(ranking) == shown(before)
    assert ranking.reranked_depth == 0
    (notice,) = ranking.notices
    assert "reranker failed" in notice
    assert "\n" not in notice
    assert all("rerank" not in {term.name for term in hit.ledger.terms} for hit in ranking.hits)


def test_a_failing_reranker_leaves_the_other_signals(index: Index) -> None:
    ranking = SearchEngine(index, ENCODER, reranker=Broken("raises")).search("turbine blade")
    assert {"neighbours"} <= {term.name for term in ranking.hits[0].ledger.terms}


def test_a_script_that_the_reranker_cannot_read_is_not_read_to_it(
    index: Index, search_engine: SearchEngine
) -> None:
    ranking = SearchEngine(index, ENCODER, reranker=Broken("script")).search("turbine", k=20, settings=ONLY)
    assert shown(ranking) == shown(
        search_engine.search("turbine", k=20, settings=first_stage(depth=EVERYTHING))
    )
    assert ranking.notices == ()
    assert ranking.reranked_depth == 0
    assert "rerank" not in ranking.timings


@pytest.mark.parametrize("files", [{}, {"config.json": "{"}, {"adapter_config.json": "[]"}])
def test_a_model_that_cannot_be_loaded_is_tried_once(
    index: Index, tmp_path: Path, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    attempts: list[str] = []
    load = reranking._loaded

    def counted(name: str) -> object:
        attempts.append(name)
        return load(name)

    monkeypatch.setattr(reranking, "_loaded", counted)
    with SearchEngine.open(index.path, encoder=ENCODER, reranker=str(tmp_path)) as engine:
        assert engine.settings.reranker == str(tmp_path)
        first = engine.search("turbine", k=5)
        second = engine.search("turbine", k=5)
    assert len(first.hits) == 5
    assert first == second
    assert len(attempts) == 1
    (notice,) = first.notices
    assert "reranker failed" in notice
    assert "RerankerModelError" in notice


def test_two_names_are_two_models(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = {"good": OverlapScorer(), "bad": Broken("nan")}
    monkeypatch.setattr(reranking, "_loaded", loaded.__getitem__)
    engine = SearchEngine(index, ENCODER)
    assert engine.search("turbine", settings=SearchSettings(reranker="good")).reranked_depth == 50
    assert engine.search("turbine", settings=SearchSettings(reranker="bad")).reranked_depth == 0
    assert "KeyError" in engine.search("turbine", settings=SearchSettings(reranker="another")).notices[0]


def test_without_a_cross_encoder_the_other_signals_remain(index: Index) -> None:
    ranking = SearchEngine(index, ENCODER).search("turbine", settings=SearchSettings(reranker="none"))
    assert ranking.notices == ()
    assert ranking.reranked_depth == 0
    assert "rerank" not in ranking.timings
    assert {"words", "document", "meaning", "neighbours"} <= {
        term.name for term in ranking.hits[0].ledger.terms
    }


def test_a_reranker_has_a_name(index: Index) -> None:
    with pytest.raises(InvalidSearchSettings, match="reranker"):
        SearchEngine.open(index.path, encoder=ENCODER, reranker=" ")


@given(text=queries, k=st.integers(1, 80))
@settings(deadline=None, max_examples=20)
def test_without_any_time_every_hit_is_there(
    reranking_engine: SearchEngine, search_engine: SearchEngine, text: str, k: int
) -> None:
    asked = replace(ONLY, budget_ms=0)
    ranking = reranking_engine.search(text, k=k, settings=asked)
    assert shown(ranking) == shown(search_engine.search(text, k=k, settings=first_stage(depth=EVERYTHING)))
    assert ranking.reranked_depth == 0
    assert "time budget of 0 ms" in ranking.notices[0]


class Slow(OverlapScorer):
    """Has time for the first few passages only, whatever the time."""

    def __init__(self, count: int) -> None:
        super().__init__(1.0, clock=lambda: 0.0)
        self.count = count
        self.order: list[str] = []

    def judge(
        self,
        query: str,
        passages: Asked,
        *,
        deadline: float | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> Judgement:
        assert deadline is not None
        self.order = [passage.text for passage in passages if isinstance(passage, PassageText)]
        return super().judge(query, passages, deadline=self.count)


class Watched(OverlapScorer):
    """Says what it is asked, before it answers."""

    def __init__(self, tell: Callable[[Asked, float | None, Callable[[], bool]], None]) -> None:
        super().__init__()
        self._tell = tell

    def judge(
        self,
        query: str,
        passages: Asked,
        *,
        deadline: float | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> Judgement:
        self._tell(passages, deadline, cancelled)
        return super().judge(query, passages, cancelled=cancelled)


@given(text=queries, count=st.integers(0, 40), passages=st.integers(1, 3))
@settings(deadline=None, max_examples=30)
def test_the_best_are_read_while_there_is_time(index: Index, text: str, count: int, passages: int) -> None:
    scorer = Slow(count)
    engine = SearchEngine(index, ENCODER, reranker=scorer)
    asked = SearchSettings(
        depth=EVERYTHING, budget_ms=1000, rerank_depth=20, rerank_passages=passages, rerank_weight=3.0
    )
    ranking = engine.search(text, k=EVERYTHING, settings=asked)
    every = engine.search(text, k=EVERYTHING, settings=first_stage(depth=EVERYTHING))
    assert {hit.doc_id for hit in ranking.hits} == {hit.doc_id for hit in every.hits}
    assert ranking.reranked_depth <= min(count, 20)
    read = [hit for hit in ranking.hits if hit.ledger.reranked_rank <= ranking.reranked_depth]
    told = [{term.name: term for term in hit.ledger.terms}.get("rerank") for hit in ranking.hits]
    if ranking.reranked_depth == 0:
        assert not any(told)
    else:
        # Those that were read stand first: nobody passes them for not having been read.
        details = [term.detail for term in told]
        assert all("cross-encoder" in detail for detail in details[: len(read)])
        assert all("counted as the lowest" in detail for detail in details[len(read) :])
    if ranking.reranked_depth < 20:
        assert f"when {ranking.reranked_depth} of 20 documents were reranked" in ranking.notices[0]
    else:
        assert ranking.notices == ()


def test_the_most_promising_passages_are_read_first(index: Index, search_engine: SearchEngine) -> None:
    scorer = Slow(0)
    asked = SearchSettings(depth=EVERYTHING, budget_ms=1000, rerank_depth=20)
    ranking = SearchEngine(index, ENCODER, reranker=scorer).search("turbine blade", k=20, settings=asked)
    reader = search_engine._current().reader
    best = [
        reader.text(reader.find(hit.doc_id).number, hit.passages[0].start, hit.passages[0].end)
        for hit in ranking.hits
    ]
    assert scorer.order == best


def test_the_stages_before_count(index: Index) -> None:
    given: list[float] = []

    def watch(passages: Asked, deadline: float | None, cancelled: Callable[[], bool]) -> None:
        given.append(deadline if deadline is not None else np.inf)

    engine = SearchEngine(index, ENCODER, reranker=Watched(watch))
    before = time.monotonic()
    engine.search("turbine", settings=SearchSettings(budget_ms=60_000))
    assert before + 60 <= given[0] <= time.monotonic() + 60
    engine.search("turbine")
    assert given[1] == np.inf


def test_a_search_that_nobody_waits_for_ends_while_passages_are_read(index: Index) -> None:
    left: list[bool] = []

    def leave(passages: Asked, deadline: float | None, cancelled: Callable[[], bool]) -> None:
        assert not cancelled()
        left.append(True)  # the client, in the middle of it
        assert cancelled()

    engine = SearchEngine(index, ENCODER, reranker=Watched(leave))
    with pytest.raises(SearchCancelled, match="after the stage 'rerank'"):
        engine.search("turbine", cancelled=lambda: bool(left))
    assert left == [True]


def test_tokens_that_did_not_fit_are_told(index: Index) -> None:
    class Cutting(OverlapScorer):
        def judge(
            self,
            query: str,
            passages: Asked,
            *,
            deadline: float | None = None,
            cancelled: Callable[[], bool] = bool,
        ) -> Judgement:
            judgement = super().judge(query, passages)
            return Judgement(judgement.scores, np.full(len(passages), 3), judgement.scored)

    engine = SearchEngine(index, ENCODER, reranker=Cutting())
    asked = SearchSettings(rerank_depth=5, rerank_passages=2, depth=EVERYTHING)
    for hit in engine.search("turbine", k=20, settings=asked).hits:
        (term,) = (term for term in hit.ledger.terms if term.name == "rerank")
        if hit.ledger.fused_rank <= 5:
            assert hit.ledger.tokens_cut in (3, 6)
            assert f"{hit.ledger.tokens_cut} tokens cut" in term.detail
        else:
            assert hit.ledger.tokens_cut == 0


def test_title_and_headings_are_read_too(make_index: Callable[..., Index]) -> None:
    read: list[PassageText] = []

    def watch(passages: Asked, deadline: float | None, cancelled: Callable[[], bool]) -> None:
        read.extend(passage for passage in passages if isinstance(passage, PassageText))

    text = "# Rotors\n\nThe turbine.\n\n# Wings\n\nThe turbine too."
    index = make_index(Document("a", text, "Machines"))
    SearchEngine(index, ENCODER, reranker=Watched(watch)).search(
        "turbine", settings=SearchSettings(rerank_passages=3)
    )
    assert {passage.title for passage in read} == {"Machines"}
    assert all(passage.text and passage.text in text for passage in read)


def test_threads_share_a_reranker(reranking_engine: SearchEngine) -> None:
    texts = [" ".join(WORDS[n : n + 3]) for n in range(12)]
    expected = [reranking_engine.search(text, k=10) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda text: reranking_engine.search(text, k=10), texts)) == expected


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys, engine\nengine.SearchEngine, engine.SearchSettings()\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'onnxruntime', 'reranker.load')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
