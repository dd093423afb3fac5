"""What pipelines answer, against slow plain versions of what they claim to compute."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.configuration import IndexingSettings
from engine.query import Query
from engine.search_engine import SearchEngine
from engine.settings import SearchSettings
from eval.experiment.pipelines.bm25 import RankBM25
from eval.experiment.pipelines.naive import Naive
from eval.experiment.pipelines.quire import Quire
from eval.experiment.pipelines.scored import Scored
from eval.experiment.pipelines.vectors import FirstPassage, OneVector
from eval.experiment.result import ExperimentResult
from eval.formats import read_collection, read_run
from indexer.analyser import Analyser
from indexer.encoder import HashingEncoder
from indexer.index import Index
from indexer.pipeline import index_corpus

ir_measures = pytest.importorskip("ir_measures", reason="the extra eval is not installed")
pytest.importorskip("rank_bm25", reason="the extra eval is not installed")

Scores = Mapping[str, Mapping[str, float]]
SMALL = IndexingSettings(tokens=24, overlap=4)


def answers(result: ExperimentResult, pipeline: str, out: Path) -> dict[str, list[str]]:
    cell = result.row("small")[pipeline]
    run = read_run(out / cell.run_file)
    return {query: list(ranking) for query, ranking in run.rankings.items()}


def ranked(scores: Scores, k: int) -> dict[str, list[str]]:
    """Return documents by score descending, equal scores by name."""
    return {
        query: sorted(found, key=lambda doc_id: (-found[doc_id], doc_id))[:k]
        for query, found in scores.items()
    }


def close(found: dict[str, list[str]], scores: Scores, k: int) -> None:
    """Check an order against scores that another way of adding may have rounded otherwise."""
    for query, doc_ids in found.items():
        best = sorted(scores[query].values(), reverse=True)[:k]
        assert [scores[query][doc_id] for doc_id in doc_ids] == pytest.approx(best, abs=1e-5)
        assert len(set(doc_ids)) == len(doc_ids)


@pytest.mark.parametrize("alpha", [0.0, 0.55, 1.0])
def test_a_cell_measures_what_the_engine_itself_finds(run, collection, tmp_path: Path, alpha: float) -> None:
    result = run({"quire": Quire(SearchSettings(alpha=alpha), SMALL)})
    read = read_collection(collection)
    index = Index.create(tmp_path / "own", encoder=HashingEncoder(32), passages=_splitter(SMALL))
    index_corpus(index, read.documents())
    engine = SearchEngine(index, HashingEncoder(32), SearchSettings(alpha=alpha))
    found = {
        query: {
            hit.doc_id: 1 / hit.rank for hit in engine.search(Query(topic.text, operators=False), k=20).hits
        }
        for query, topic in read.topics.items()
    }
    measures = [ir_measures.parse_measure(name) for name in ("nDCG@10", "R@20")]
    expected = ir_measures.calc_aggregate(measures, read.judgements.qrels, found)
    cell = result.row("small")["quire"]
    got = {str(measure): cell.evaluation.mean(measure) for measure in result.measures}
    assert got == pytest.approx({str(measure): value for measure, value in expected.items()}, abs=1e-9)
    assert answers(result, "quire", tmp_path / "out") == {query: list(docs) for query, docs in found.items()}
    index.close()


def _splitter(settings: IndexingSettings):
    from indexer.splitter import SplitterSettings

    return SplitterSettings(settings.tokens, settings.overlap)


def okapi(documents: Mapping[str, list[str]], query: list[str], k1: float, b: float) -> dict[str, float]:
    """BM25 with the idf of Robertson and Spärck Jones; one below 0 becomes a quarter of the mean idf of all words."""
    mean_length = sum(map(len, documents.values())) / len(documents)
    holding = Counter(word for words in documents.values() for word in set(words))
    idf = {word: math.log((len(documents) - n + 0.5) / (n + 0.5)) for word, n in holding.items()}
    floor = 0.25 * sum(idf.values()) / len(idf)
    scores = dict.fromkeys(documents, 0.0)
    for doc_id, words in documents.items():
        counts = Counter(words)
        for word in query:
            weight = idf.get(word, 0.0)
            weight = floor if weight < 0 else weight
            tf = counts[word]
            scores[doc_id] += (
                weight * tf * (k1 + 1) / (tf + k1 * (1 - b + b * len(words) / mean_length)) if tf else 0
            )
    return scores


def whole_documents(collection: Path) -> dict[str, list[str]]:
    analyser = Analyser()
    return {
        doc.doc_id: analyser.terms(f"{doc.title}\n{doc.text}")
        for doc in read_collection(collection).documents()
    }


def test_rank_bm25_is_bm25_over_whole_documents(run, collection: Path, tmp_path: Path) -> None:
    result = run({"words": RankBM25(k1=1.2, b=0.6)})
    documents, analyser = whole_documents(collection), Analyser()
    for query, topic in read_collection(collection).topics.items():
        scores = okapi(documents, analyser.query_terms(topic.text), 1.2, 0.6)
        found = answers(result, "words", tmp_path / "out")[query]
        close({query: found}, {query: scores}, 20)
        matching = sum(score != 0 for score in scores.values())
        assert len(found) == min(20, matching)  # a document without any of the words is not an answer


def test_naive_is_the_mean_of_two_stretched_scores(run, collection: Path, tmp_path: Path) -> None:
    result = run({"naive": Naive(alpha=0.3, indexing=IndexingSettings(tokens=16, overlap=0))})
    documents, analyser, encoder = whole_documents(collection), Analyser(), HashingEncoder(32)
    texts = {doc.doc_id: f"{doc.title}\n{doc.text}" for doc in read_collection(collection).documents()}
    beginnings = {doc_id: encoder.encode_query(" ".join(text.split()[:16])) for doc_id, text in texts.items()}

    def stretched(scores: Mapping[str, float]) -> dict[str, float]:
        low, high = min(scores.values()), max(scores.values())
        return {
            doc_id: (score - low) / (high - low) if high > low else 0.0 for doc_id, score in scores.items()
        }

    scores = {}
    for query, topic in read_collection(collection).topics.items():
        words = stretched(okapi(documents, analyser.query_terms(topic.text), 1.5, 0.75))
        vector = encoder.encode_query(topic.text)
        meaning = stretched({doc_id: float(vector @ beginnings[doc_id]) for doc_id in texts})
        scores[query] = {doc_id: 0.7 * words[doc_id] + 0.3 * meaning[doc_id] for doc_id in texts}
    close(answers(result, "naive", tmp_path / "out"), scores, 20)


@pytest.mark.parametrize("kind", [OneVector, FirstPassage])
def test_pooled_vectors_are_ranked_by_cosine(run, collection: Path, tmp_path: Path, kind: type) -> None:
    result = run({"pooled": kind(SMALL)})
    read, encoder = read_collection(collection), HashingEncoder(32)
    index = Index.create(tmp_path / "own", encoder=encoder, passages=_splitter(SMALL))
    index_corpus(index, read.documents())
    reader = index.reader()
    scores: dict[str, dict[str, float]] = {query: {} for query in read.topics}
    for document in read.documents():
        numbers = reader.passages_of(reader.find(document.doc_id).number)
        rows = reader.vectors(numbers)
        pooled = sum(rows) / len(rows) if kind is OneVector else rows[0]
        pooled = pooled / math.sqrt(sum(float(x) ** 2 for x in pooled))
        for query, topic in read.topics.items():
            scores[query][document.doc_id] = float(pooled @ encoder.encode_query(topic.text))
    close(answers(result, "pooled", tmp_path / "out"), scores, 20)
    spans = read_run(tmp_path / "out" / result.cells[0].run_file).spans
    if kind is FirstPassage:  # what it shows is the passage that it read
        for query, found in answers(result, "pooled", tmp_path / "out").items():
            assert [span.doc_id for span in spans[query]] == found
            assert {span.start for span in spans[query]} == {0}
    else:
        assert not spans
    index.close()


@given(st.lists(st.integers(-3, 3), max_size=40), st.integers(0, 50), st.randoms(use_true_random=False))
def test_the_best_of_scores_are_those_of_sorting_them_all(scores: list[int], k: int, chance) -> None:
    doc_ids = [f"d{number}" for number in range(len(scores))]
    chance.shuffle(doc_ids)
    ordered = sorted(zip(doc_ids, map(float, scores), strict=True), key=lambda pair: (-pair[1], pair[0]))
    array = np.array(scores, dtype=np.float64)
    assert Scored(doc_ids).best(array, k) == ordered[:k]
    assert Scored(doc_ids).best(array, k, among=array != 0) == [pair for pair in ordered if pair[1]][:k]


def test_passages_are_kept_as_a_page_shows_them(run, tmp_path: Path) -> None:
    result = run({"quire": Quire(SearchSettings(passages_per_hit=2), SMALL)})
    stored = read_run(tmp_path / "out" / result.cells[0].run_file)
    for query, spans in stored.spans.items():
        order = list(dict.fromkeys(span.doc_id for span in spans))
        assert order == list(stored.rankings[query])[: len(order)]
        assert len(spans) <= 30
        assert max(Counter(span.doc_id for span in spans).values()) <= 2


def test_an_encoder_that_reads_no_document_is_no_ranking_by_name(
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HashingEncoder, "readable", lambda self, text: 0.0)
    result = run({"one": OneVector()})
    assert not result.cells
    assert "reads none of the documents" in result.failures[0].reason


def test_notices_are_counted_by_topic_whatever_their_numbers(run, collection: Path) -> None:
    queries = collection / "queries.jsonl"
    lines = queries.read_text(encoding="utf-8").splitlines()
    for at, words in ((0, 70), (1, 90)):
        lines[at] = json.dumps({"_id": f"q{at}", "text": " ".join(f"word{n}" for n in range(words))})
    queries.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (warning,) = [w for w in run({"quire": Quire()}).cells[0].warnings if "different words" in w]
    assert warning.startswith("2 answers carried the notice: The query has … different words")
