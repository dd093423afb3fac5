"""The index as mining sees it agrees with the engine, and a real collection goes the whole way to examples."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from engine import Query, SearchEngine, SearchSettings
from eval.formats import read_collection
from indexer.document import Document
from indexer.encoder import HashingEncoder
from indexer.index import Index
from indexer.splitter import SplitterSettings
from quire.mining_source import IndexSource, placed_passages
from reranker.data import (
    ExampleFile,
    MiningReport,
    MiningSettings,
    TrainingData,
    check,
    check_judged,
    from_qrels,
    from_structure,
    made_from,
    mine,
    mine_one,
    split_queries,
    write_examples,
)
from reranker.overlap import OverlapScorer
from small_corpus import WORDS, make_document

ENCODER = HashingEncoder(48)
QUERIES = ["granite meadow", "number7 lantern copper violet", "falcon", "nowhere", "number3"]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    made = Index.create(
        tmp_path_factory.mktemp("mining") / "index",
        encoder=ENCODER,
        passages=SplitterSettings(tokens=24, overlap=4),
    )
    with made.writer() as writer:
        for number in range(50):
            writer.add(make_document(number, words=10 + 5 * (number % 9)))
        writer.add(Document("empty", "", title="Nothing"))
    with made.writer() as writer:
        writer.delete("doc-004")
    return made


@pytest.fixture(scope="module")
def source(index: Index) -> IndexSource:
    return IndexSource(index.reader(), ENCODER)


@pytest.mark.parametrize(
    "settings", [SearchSettings(), SearchSettings(alpha=0.0), SearchSettings(document_share=0.0)]
)
def test_scores_are_the_engines(index: Index, settings: SearchSettings) -> None:
    source = IndexSource(index.reader(), ENCODER, settings)
    engine = SearchEngine(index, ENCODER, replace(settings, rerank_depth=0))
    for text in QUERIES:
        best: dict[str, float] = {}
        for candidate in source.search(text, 200):
            best[candidate.doc_id] = max(best.get(candidate.doc_id, -9.0), candidate.score)
        hits = engine.search(Query(text, operators=False), k=60).hits
        assert len(hits) == len(best)
        for hit in hits:
            assert best[hit.doc_id] == pytest.approx(hit.score, abs=2e-6)
        # Whatever way a passage is asked for, its score is the same.
        for candidate in source.best(text, [hit.doc_id for hit in hits]):
            assert candidate.score == pytest.approx(best[candidate.doc_id], abs=2e-6)


def test_every_method_gives_the_same_candidate(index: Index, source: IndexSource) -> None:
    reader = index.reader()
    every = {(placed.doc_id, placed.ordinal): placed.passage for placed in placed_passages(reader)}
    assert len(every) == reader.passage_count
    assert {doc_id for doc_id, _ in every} == {f"doc-{n:03}" for n in range(50)} - {"doc-004"} | {"empty"}
    for text in QUERIES:
        searched = {candidate.key: candidate for candidate in source.search(text, 500)}
        exact = {candidate.key: candidate for candidate in source.exactly(text, list(every))}
        assert exact.keys() == every.keys()
        by_chance = source.random(text, 10_000, 1)
        assert {candidate.key for candidate in by_chance} == every.keys()
        for candidate in [*searched.values(), *by_chance, *source.near(text, "granite meadow", 20)]:
            twin = exact[candidate.key]
            assert candidate.score == pytest.approx(twin.score, abs=1e-9)
            assert candidate.passage == twin.passage == every[candidate.key]
            assert candidate.vector is not None
            assert candidate.vector @ twin.vector == pytest.approx(1.0, abs=1e-5)


def test_ranks_are_those_of_the_lists(index: Index, source: IndexSource) -> None:
    reader = index.reader()
    text = "granite meadow"
    found = source.search(text, 12)
    vector = ENCODER.encode_query(text)
    dense = reader.passages(reader.dense(vector, 12).passages)
    expected = [(row.passage.doc_id, row.passage.ordinal) for row in dense]
    by_rank = {c.dense_rank: c.key for c in found if c.dense_rank}
    assert [by_rank[rank] for rank in range(1, 13)] == expected
    fused = [c for c in found if c.fused_rank]
    assert [c.fused_rank for c in fused] == list(range(1, 13))
    assert [c.score for c in fused] == sorted((c.score for c in fused), reverse=True)
    assert {c.lexical_rank for c in found} == set(range(13))
    near = source.near(text, "willow ember", 5)
    nearest = reader.passages(reader.dense(ENCODER.encode_passages(["willow ember"])[0], 5).passages)
    assert [c.key for c in near] == [(row.passage.doc_id, row.passage.ordinal) for row in nearest]


def test_strangers(index: Index, source: IndexSource) -> None:
    assert source.best("granite", ["doc-004", "never"]) == []
    assert source.exactly("granite", [("doc-001", 99), ("never", 0), ("doc-001", -1)]) == []
    assert [c.key for c in source.exactly("granite", [("doc-001", 0)])] == [("doc-001", 0)]
    assert source.known("doc-001")
    assert not source.known("doc-004")
    assert not source.known("never")
    assert source.search("?!", 10) == []
    assert len(source.random("granite", 5, 1)) == 5
    keys = [[c.key for c in source.random("granite", 5, seed)] for seed in (1, 1, 2)]
    assert keys[0] == keys[1] != keys[2]


def test_chance_is_fair(source: IndexSource, index: Index) -> None:
    counts: dict[tuple[str, int], int] = {}
    for seed in range(400):
        for candidate in source.random("granite", 20, seed):
            counts[candidate.key] = counts.get(candidate.key, 0) + 1
    expected = 400 * 20 / index.reader().passage_count
    assert len(counts) == index.reader().passage_count
    assert max(counts.values()) < 2 * expected
    assert min(counts.values()) > expected / 2.5


def test_the_fingerprint_is_of_index_and_settings(index: Index, source: IndexSource, tmp_path: Path) -> None:
    assert IndexSource(index.reader(), ENCODER).fingerprint == source.fingerprint
    other = IndexSource(index.reader(), ENCODER, SearchSettings(alpha=0.3))
    assert other.fingerprint != source.fingerprint
    made = Index.create(tmp_path / "index", encoder=ENCODER)
    with made.writer() as writer:
        writer.add(Document("one", "granite"))
    assert IndexSource(made.reader(), ENCODER).fingerprint != source.fingerprint


def test_an_empty_index_proposes_nothing(tmp_path: Path) -> None:
    empty = IndexSource(Index.create(tmp_path / "index", encoder=ENCODER).reader(), ENCODER)
    assert empty.search("granite", 5) == empty.random("granite", 5, 0) == empty.near("granite", "x", 5) == []
    assert list(mine(from_qrels({"q": "granite"}, {"q": {"d": 1}}), empty)) == []


def test_headings_of_documents_become_questions(tmp_path: Path) -> None:
    chapters = "".join(
        f"## {n}. {WORDS[n]} {WORDS[n + 1]} of the {WORDS[n + 2]}\n\n"
        + (f"{WORDS[n]} is told of here. " * 30)
        + "\n\n"
        for n in range(8)
    )
    index = Index.create(
        tmp_path / "index", encoder=ENCODER, passages=SplitterSettings(tokens=100, overlap=0)
    )
    with index.writer() as writer:
        writer.add(Document("book", f"# A book of many words\n\n{chapters}", title="A book of many words"))
        for number in range(20):
            writer.add(make_document(number, words=60))
    source = IndexSource(index.reader(), ENCODER)
    queries = list(from_structure(placed_passages(index.reader())))
    headed = [query for query in queries if query.shown == "parents"]
    assert [query.query for query in headed] == [
        f"{WORDS[n]} {WORDS[n + 1]} of the {WORDS[n + 2]}" for n in range(8)
    ]
    for query, example in zip(headed, mine(headed, source), strict=True):
        right = example.passages[example.grades.index(1.0)]
        assert query.query.split()[0] in right.text
        assert all(query.query not in passage.full for passage in example.passages)
        assert right.title == "A book of many words"
        assert (
            sum(passage.title == right.title for passage in example.passages) == 5
        )  # and four of its sections


def test_a_real_collection_from_judgements_to_examples(datasets: Path, tmp_path: Path) -> None:
    """nq_oracle's first passages and their queries: index, check, split, mine twice, resume, read back, check."""
    collection = read_collection(datasets / "nq_oracle")
    documents = list(islice(collection.documents(), 200))
    index = Index.create(tmp_path / "index", encoder=ENCODER)
    with index.writer() as writer:
        for document in documents:
            writer.add(document)
    source = IndexSource(index.reader(), ENCODER)
    texts = {topic.query_id: topic.text for topic in collection.topics.values()}
    known = {document.doc_id for document in documents}
    qrels = {q: grades for q, grades in collection.judgements.qrels.items() if known & set(grades)}
    judged = list(from_qrels(texts, qrels, "nq_oracle"))
    parts = split_queries(judged, 0.2)
    assert parts.documents_apart
    found = check_judged(parts.train, parts.dev, source.known).refuse_errors()
    assert "leak" not in {finding.kind for finding in found}
    report = MiningReport()
    settings = MiningSettings(negatives=5)
    path, name = tmp_path / "train.jsonl.gz", made_from("nq", source, settings)

    def make(query: object) -> object:
        return mine_one(query, source, settings, None, report)

    write_examples(path, parts.train[:50], make, name)
    written = write_examples(path, parts.train, make, name)
    assert report.queries == 0
    assert written == len(parts.train)
    with ExampleFile(path) as train:
        assert list(train) == list(mine(parts.train, source, settings))
        data = TrainingData.of(train, list(mine(parts.dev, source, settings)))
        assert not check(data)
        assert data.fingerprint == TrainingData.of(list(train), list(data.dev)).fingerprint
        assert all(len(example.passages) == 6 for example in train)
        # The right passage is the one that answers, and the wrong ones are hard: nearer than chance is.
        overlap = OverlapScorer()
        rights, wrongs = [], []
        for example in train:
            scores = overlap.score(example.query, example.passages)
            rights.append(float(scores[0]))
            wrongs.append(float(scores[1:].mean()))
        assert sum(r > w for r, w in zip(rights, wrongs, strict=True)) > 0.9 * len(rights)
        lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        assert json.loads(lines[0])["made_from"] == name
        taught = list(mine(parts.train[:20], source, settings, teacher=overlap, report=report))
        assert len(taught) == 20
        assert report.negatives["teacher"] > 0
