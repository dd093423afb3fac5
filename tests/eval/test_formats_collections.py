"""Whole collections: BEIR folders in all their layouts, the real ones of this project, and ir_datasets."""

from __future__ import annotations

import gzip
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from eval.collection import Topic
from eval.errors import FormatError, InvalidEvaluation, MissingDependency
from eval.formats import read_collection
from eval.run import Span
from indexer.document import Document

DATASETS = Path(os.environ.get("QUIRE_DATASETS", Path(__file__).parents[3] / "shared" / "datasets"))
CORPUS = [
    {"_id": "d1", "title": "One", "text": "The lamp turns.", "metadata": {"year": 1999}},
    {"_id": "d2", "title": "", "text": "The keeper sleeps."},
]
QUERIES = [{"_id": "q1", "text": "lamp"}, {"_id": "q2", "text": "keeper"}, {"_id": "q3", "text": "unjudged"}]
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t2\n"


def lines(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def folder(path: Path, files: dict[str, str]) -> Path:
    for name, content in ({"corpus.jsonl": lines(CORPUS), "queries.jsonl": lines(QUERIES)} | files).items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        data = content.encode()
        (path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def test_a_folder_is_read_with_its_judged_topics_and_documents_on_demand(tmp_path: Path) -> None:
    collection = read_collection(folder(tmp_path / "sea", {"qrels.tsv": QRELS}))
    assert collection.name == "sea"
    assert collection.topics == {"q1": Topic("q1", "lamp"), "q2": Topic("q2", "keeper")}
    assert collection.judgements.qrels == {"q1": {"d1": 1}, "q2": {"d2": 2}}
    for _ in range(2):
        documents = list(collection.documents())
        assert [document.doc_id for document in documents] == ["d1", "d2"]
        assert documents[0].metadata == {"year": 1999}


def test_evidence_and_subtopics_come_along(tmp_path: Path) -> None:
    spans = [
        {"query": "q1", "doc": "d1", "spans": [[4, 8], [9, 14]], "answer": "turns"},
        {"query": "q1", "doc": "d2", "spans": [[0, 3]]},
        {"query": "q3", "doc": "d1", "spans": [[0, 3]]},
    ]
    files = {
        "qrels.tsv": QRELS,
        "spans.jsonl.gz": lines(spans),
        "subtopics.tsv": "q1\tlight\td1\t1\nq1\tturning\td1\t1\n",
    }
    judgements = read_collection(folder(tmp_path, files)).judgements
    assert judgements.evidence == {"q1": [Span("d1", 4, 8), Span("d1", 9, 14), Span("d2", 0, 3)]}
    assert judgements.subtopics == {"q1": {"light": {"d1": 1}, "turning": {"d1": 1}}}


def test_gzip_changes_neither_content_nor_fingerprint(tmp_path: Path) -> None:
    plain = read_collection(folder(tmp_path / "a" / "sea", {"qrels.tsv": QRELS}))
    packed = tmp_path / "b" / "sea"
    packed.mkdir(parents=True)
    for path in (tmp_path / "a" / "sea").iterdir():
        (packed / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    other = read_collection(packed)
    assert (other.topics, other.judgements, other.fingerprint) == (
        plain.topics,
        plain.judgements,
        plain.fingerprint,
    )
    assert [document.text for document in other.documents()] == [d.text for d in plain.documents()]


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels.tsv"])
def test_any_change_changes_the_fingerprint(tmp_path: Path, name: str) -> None:
    path = folder(tmp_path, {"qrels.tsv": QRELS})
    before = read_collection(path).fingerprint
    (path / name).write_text((path / name).read_text() + "\n")
    assert read_collection(path).fingerprint != before


@pytest.mark.parametrize(
    "layout", ["qrels/dev.tsv", "qrels.dev.tsv", "qrels_dev.tsv.gz", "dev_qrels.tsv", "qrels/dev.tsv.gz"]
)
def test_a_split_is_found_in_every_layout(tmp_path: Path, layout: str) -> None:
    train = layout.replace("dev", "train")
    path = folder(tmp_path / "sea", {layout: QRELS, train: "query-id\tcorpus-id\tscore\nq3\td1\t1\n"})
    assert read_collection(path, split="dev").name == "sea/dev"
    assert list(read_collection(path, split="dev").topics) == ["q1", "q2"]
    assert list(read_collection(path, split="train").topics) == ["q3"]
    with pytest.raises(InvalidEvaluation, match="several splits; name one of dev, train"):
        read_collection(path)
    with pytest.raises(FormatError, match="holds none of"):
        read_collection(path, split="test")


def test_without_a_name_it_is_the_only_split_or_test(tmp_path: Path) -> None:
    files = {"personal_qrels.tsv": QRELS, "personal_queries.jsonl": lines(QUERIES[:2])}
    assert read_collection(folder(tmp_path / "one", files)).name == "one/personal"
    files = {f"qrels/{split}.tsv": QRELS for split in ("dev", "test", "train")}
    assert read_collection(folder(tmp_path / "beir", files)).name == "beir/test"


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "holds no judgements"),
        ({"qrels.tsv": "query-id\tcorpus-id\tscore\n"}, "so that nothing can be measured"),
        ({"qrels.tsv": QRELS + "q9\td1\t1\n"}, "judges 1 queries that queries.jsonl does not hold"),
        (
            {"qrels.tsv": QRELS, "spans.jsonl": '{"query": "q1", "doc": "d1", "spans": [[3]]}\n'},
            r"spans.jsonl:1: spans",
        ),
        ({"qrels.tsv": QRELS, "queries.jsonl": '{"_id": "q1"}\n'}, r"queries.jsonl:1: "),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(tmp_path: Path, files: dict[str, str], says: str) -> None:
    with pytest.raises(FormatError, match=says):
        read_collection(folder(tmp_path, files))


def test_a_bad_document_ends_the_reading_and_is_named(tmp_path: Path) -> None:
    path = folder(tmp_path, {"qrels.tsv": QRELS, "corpus.jsonl": lines(CORPUS) + '{"title": "no id"}\n'})
    with pytest.raises(FormatError) as caught:
        list(read_collection(path).documents())
    assert (caught.value.path, caught.value.line) == (path / "corpus.jsonl", 3)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="is no folder"):
        read_collection(tmp_path / "nowhere")


@pytest.mark.skipif(not DATASETS.is_dir(), reason="no collections; set QUIRE_DATASETS to their folder")
@pytest.mark.parametrize(
    ("name", "split", "topics", "judgements", "documents"),
    [
        ("cranfield", "", 225, 1837, 1400),
        ("scifact", "", 809, 919, 5183),
        ("qmsum", "", 1576, 1576, 232),
        ("citeulike_a_text", "", 1272, 2116, 1906),
        ("dureader_demo_zh", "", 200, 916, 916),
    ],
)
def test_the_development_collections_are_read_whole(
    name: str, split: str, topics: int, judgements: int, documents: int
) -> None:
    collection = read_collection(DATASETS / name, split=split)
    assert len(collection.topics) == topics
    assert sum(map(len, collection.judgements.qrels.values())) == judgements
    assert sum(1 for _ in collection.documents()) == documents


@pytest.mark.skipif(not DATASETS.is_dir(), reason="no collections; set QUIRE_DATASETS to their folder")
def test_evidence_of_a_real_collection_lies_inside_its_documents() -> None:
    collection = read_collection(DATASETS / "qmsum")
    lengths = {document.doc_id: len(document.text) for document in collection.documents()}
    assert set(collection.judgements.evidence) == set(collection.topics)
    for query, spans in collection.judgements.evidence.items():
        for span in spans:
            assert span.doc_id in collection.judgements.qrels[query]
            assert 0 <= span.start < span.end <= lengths[span.doc_id]


class Doc(NamedTuple):
    doc_id: str
    title: str
    body: str
    url: str

    def default_text(self) -> str:
        return f"{self.title} {self.body}"


class Bare(NamedTuple):
    doc_id: str
    headline: str

    def default_text(self) -> str:
        return self.headline


class Query(NamedTuple):
    query_id: str
    title: str
    description: str


class Qrel(NamedTuple):
    query_id: str
    doc_id: str
    relevance: int
    subtopic_id: str


class FakeDataset:
    """As much of a dataset of ir_datasets as is asked of one."""

    parts = ("docs", "queries", "qrels")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("has_"):
            return lambda: name[4:] in self.parts
        raise AttributeError(name)

    def docs_count(self) -> int:
        return 2

    def docs_iter(self) -> Iterator[Any]:
        yield Doc("d1", "One", "The lamp turns.", "http://x")
        yield Bare("d2", "The keeper sleeps.")

    def queries_iter(self) -> Iterator[Any]:
        yield Query("1", "lamp", "What turns?")
        yield Query("2", "unjudged", "")

    def qrels_iter(self) -> Iterator[Any]:
        yield from (Qrel("1", "d1", 0, "a"), Qrel("1", "d1", 2, "b"), Qrel("1", "d2", 1, "b"))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeDataset:
    dataset = FakeDataset()
    known = {"sea": dataset, "sea/test": dataset}
    monkeypatch.setitem(sys.modules, "ir_datasets", SimpleNamespace(load=known.__getitem__))
    return dataset


def test_a_name_of_ir_datasets_is_a_collection(fake: FakeDataset) -> None:
    collection = read_collection("irds:sea")
    assert collection.topics == {"1": Topic("1", "lamp", metadata={"description": "What turns?"})}
    assert collection.judgements.qrels == {"1": {"d1": 2, "d2": 1}}
    assert collection.judgements.subtopics == {"1": {"a": {"d1": 0}, "b": {"d1": 2, "d2": 1}}}
    assert list(collection.documents()) == [
        Document("d1", "The lamp turns.", "One", {"url": "http://x"}),
        Document("d2", "The keeper sleeps.", "", {"headline": "The keeper sleeps."}),
    ]
    assert read_collection("irds:sea", split="test").name == "sea/test"


def test_what_ir_datasets_lacks_is_said(fake: FakeDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidEvaluation, match="knows no collection 'land'"):
        read_collection("irds:land")
    fake.parts = ("docs", "queries")
    with pytest.raises(InvalidEvaluation, match="irds:sea has no qrels"):
        read_collection("irds:sea")
    monkeypatch.setitem(sys.modules, "ir_datasets", None)
    with pytest.raises(MissingDependency, match="ir_datasets, which is not installed"):
        read_collection("irds:sea")


def test_a_dataset_that_ir_datasets_itself_made_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IR_DATASETS_HOME", str(tmp_path / "home"))
    ir_datasets: Any = pytest.importorskip("ir_datasets")
    from ir_datasets.formats import TrecQrels, TsvDocs, TsvQueries

    (tmp_path / "docs.tsv").write_text("d1\tThe lamp turns.\nd2\tThe keeper sleeps.\n")
    (tmp_path / "queries.tsv").write_text("1\tlamp\n")
    (tmp_path / "qrels.txt").write_text("1 0 d1 1\n1 0 d2 0\n")

    class Local:
        def __init__(self, name: str) -> None:
            self.at = tmp_path / name

        def path(self, force: bool = True) -> str:
            return str(self.at)

        def stream(self) -> Any:
            return self.at.open("rb")

    dataset = ir_datasets.Dataset(
        TsvDocs(Local("docs.tsv")),
        TsvQueries(Local("queries.tsv")),
        TrecQrels(Local("qrels.txt"), {1: "relevant", 0: "not"}),
    )
    ir_datasets.registry.register("quire-test-sea", dataset)
    collection = read_collection("irds:quire-test-sea")
    assert collection.topics == {"1": Topic("1", "lamp")}
    assert collection.judgements.qrels == {"1": {"d1": 1, "d2": 0}}
    assert collection.judgements.subtopics == {}
    assert [document.text for document in collection.documents()] == ["The lamp turns.", "The keeper sleeps."]
