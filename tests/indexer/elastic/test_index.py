"""The index on a real server: made, opened, read at each commit, verified, exported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from elasticsearch_server import call

from indexer.document import Block, Document
from indexer.elastic import making
from indexer.elastic.index import ElasticIndex
from indexer.elastic.rebuilding.generations import Generations
from indexer.elastic.shape.numbers import CHUNK, document_number
from indexer.elastic.writing import compacting
from indexer.encoder.hashing import HashingEncoder
from indexer.errors import FingerprintMismatch, IndexCorrupt, IndexExists, IndexNotFound
from indexer.index import Index
from indexer.pipeline import index_corpus
from indexer.splitter import SplitterSettings
from indexer.transfer import export_documents, read_documents, write_documents
from small_corpus import CountingEncoder, make_document

Create = Callable[..., ElasticIndex]


def names(index: ElasticIndex) -> tuple[str, str]:
    generation = Generations(index.cluster, index.address.rsplit("/", 1)[1]).current()
    return generation.passages, generation.documents


def test_an_index_is_opened_as_it_was_made(elasticsearch_address: Callable[[], str]) -> None:
    address = elasticsearch_address()
    with ElasticIndex.create(
        address, encoder=HashingEncoder(16), language="german", passages=SplitterSettings(64, 8)
    ) as made:
        assert made.address == address
    with ElasticIndex.open(address, encoder=HashingEncoder(16)) as index:
        assert index.passages == SplitterSettings(64, 8)
        assert index.analyser.fingerprint.split(":")[1] == "german"
        assert index.encoder_identity.dim == 16
        assert index.keeps_token_vectors
    with pytest.raises(FingerprintMismatch, match=r"hashing:16.*hashing:32"):
        ElasticIndex.open(address, encoder=HashingEncoder(32))
    with pytest.raises(IndexExists, match="already"):
        ElasticIndex.create(address, encoder=HashingEncoder(16))


def test_there_is_no_index_where_none_was_made(elasticsearch_address: Callable[[], str]) -> None:
    with pytest.raises(IndexNotFound):
        ElasticIndex.open(elasticsearch_address())


def test_what_a_crash_left_half_made_is_made_anew(
    elasticsearch_address: Callable[[], str], elasticsearch_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "_MAKING_SECONDS", 0.0)
    address = elasticsearch_address()
    call(elasticsearch_url, "PUT", f"/{address.rsplit('/', 1)[1]}-documents-000001")
    with pytest.raises(IndexNotFound):
        ElasticIndex.open(address)
    with ElasticIndex.create(address, encoder=HashingEncoder(16)) as index:
        index_corpus(index, [make_document(1)])
        assert index.verify().sound


def test_an_index_that_lost_its_aliases_is_not_made_anew_over_its_documents(
    create: Create, elasticsearch_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "_MAKING_SECONDS", 0.0)
    index = create(HashingEncoder(16))
    index_corpus(index, [make_document(1)])
    name = index.address.rsplit("/", 1)[1]
    actions = [
        {"remove": {"index": f"{name}-{side}-000001", "alias": f"{name}-{side}"}}
        for side in ("passages", "documents")
    ]
    call(elasticsearch_url, "POST", "/_aliases", {"actions": actions})
    with pytest.raises(IndexExists, match="no alias"):
        ElasticIndex.create(index.address, encoder=HashingEncoder(16))
    told = call(elasticsearch_url, "GET", f"/{name}-documents-000001/_doc/{document_number('doc-001')}")
    assert "error" not in told


def test_a_reader_is_the_same_until_a_commit(create: Create) -> None:
    index = create()
    empty = index.reader()
    assert (empty.document_count, empty.generation) == (0, 0)
    with ElasticIndex.open(index.address, encoder=CountingEncoder()) as other:
        with other.writer() as writer:
            writer.put(make_document(1))
            assert index.reader() is empty
            assert writer.commit() == 1
            first = index.reader()
            assert (first.document_count, first.generation) == (1, 1)
            assert index.reader() is first
            assert writer.commit() == 1, "nothing has changed"
            writer.put(make_document(2))
        assert index.reader().document_count == 2
    assert (empty.document_count, first.document_count) == (0, 1)


def test_what_it_holds(create: Create, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compacting, "_WAIT_SECONDS", 0.0)
    index = create(CountingEncoder())
    index_corpus(index, [make_document(number) for number in range(20)])
    index_corpus(index, [make_document(number) for number in range(15)], delete_missing=True)
    stats = index.stats()
    assert (stats.documents, stats.passages, stats.vectors, stats.token_vectors) == (15, 15, 15, 15)
    assert stats.path == index.address
    assert stats.fields == {"number": ("number",), "parity": ("string",)}
    assert stats.megabytes > 0
    index.compact()
    assert index.stats().documents == 15


def test_documents_come_back_from_one_backend_to_the_other(create: Create, tmp_path: Path) -> None:
    text = "Heading\n\n" + "Long words here. " * (CHUNK // 10)
    documents = [
        Document("long", text, "T", {"n": (1, 2.5)}, "s", (Block("heading", 0, 7, 1),), (0, 40_000)),
        Document("empty", "", ""),
        *(make_document(number) for number in range(5)),
    ]
    here = create(CountingEncoder())
    index_corpus(here, documents)
    write_documents(export_documents(here), tmp_path / "export.jsonl.gz")
    folder = Index.create(tmp_path / "index", encoder=HashingEncoder(32))
    assert index_corpus(folder, read_documents(tmp_path / "export.jsonl.gz")).added == 7
    back = create(CountingEncoder())
    index_corpus(back, export_documents(folder))
    for index in (here, folder, back):
        found = {document.doc_id: document for document in export_documents(index)}
        assert found == {document.doc_id: document for document in documents}


def broken(index: ElasticIndex, url: str, how: str) -> None:
    """Break an index of one document in some way."""
    passages, documents = names(index)
    number = document_number("doc")
    route = f"?routing={number}&refresh=true"
    match how:
        case "a passage is missing":
            call(url, "DELETE", f"/{passages}/_doc/{number}-2{route}")
        case "a passage too many":
            part = {"number": number + 50, "document": number, "ordinal": 50, "doc_id": "doc"}
            call(url, "PUT", f"/{passages}/_doc/{number}-50{route}", part)
        case "a passage in a wrong place":
            part = {"number": number + 7, "document": number, "ordinal": 0, "doc_id": "doc"}
            call(url, "PUT", f"/{passages}/_doc/{number}-0{route}", part)
        case "its vector is missing":
            told = call(url, "GET", f"/{passages}/_doc/{number}-1{route}")["_source"]
            call(url, "PUT", f"/{passages}/_doc/{number}-1{route}", told)
        case "a piece of text is missing":
            call(url, "DELETE", f"/{documents}/_doc/{number}@0{route}")
        case "its record is missing":
            call(url, "DELETE", f"/{documents}/_doc/{number}{route}")
        case "its record says something else":
            told = call(url, "GET", f"/{documents}/_doc/{number}{route}")["_source"]
            call(url, "PUT", f"/{documents}/_doc/{number}{route}", told | {"title_text": "Another"})
        case "numbers overlap":
            told = call(url, "GET", f"/{documents}/_doc/{number}{route}")["_source"]
            near = told | {"number": number + 1, "passages": 0, "vectors": 0, "doc_id": "near"}
            call(url, "PUT", f"/{documents}/_doc/{number + 1}{route}", near)


@pytest.mark.parametrize(
    ("how", "found"),
    [
        ("a passage is missing", "passages, found"),
        ("a passage too many", "passages, found"),
        ("a passage in a wrong place", "not where they belong"),
        ("its vector is missing", "vectors, found"),
        ("a piece of text is missing", "content hash differs"),
        ("its record is missing", "no record"),
        ("its record says something else", "content hash differs"),
        ("numbers overlap", "have numbers of 'near'"),
    ],
)
def test_verify_finds_what_is_broken(create: Create, elasticsearch_url: str, how: str, found: str) -> None:
    index = create()
    index_corpus(index, [Document("doc", "a few words that make passages. " * 400, "T"), make_document(1)])
    assert index.verify().sound
    broken(index, elasticsearch_url, how)
    verified = index.verify()
    assert any(found in problem.found for problem in verified.problems), verified.problems


def test_an_index_without_token_vectors(elasticsearch_address: Callable[[], str]) -> None:
    with ElasticIndex.create(
        elasticsearch_address(), encoder=CountingEncoder(), token_vectors=False
    ) as index:
        index_corpus(index, [make_document(number) for number in range(5)])
        index_corpus(index, [make_document(number, seed=number % 2) for number in range(5)])
        assert not index.keeps_token_vectors
        assert index.verify().sound
        assert (index.stats().token_vectors, index.stats().vectors) == (None, 5)


def test_a_document_that_cannot_be_read_back_is_named(create: Create, elasticsearch_url: str) -> None:
    index = create()
    index_corpus(index, [Document("doc", "a few words. " * 400)])
    broken(index, elasticsearch_url, "a piece of text is missing")
    with pytest.raises(IndexCorrupt, match="'doc'"):
        list(index.documents())


def test_an_index_that_was_rebuilt_for_another_encoder_is_to_be_opened_again(
    create: Create, elasticsearch_url: str
) -> None:
    index = create(HashingEncoder(16))
    name = index.address.rsplit("/", 1)[1]
    index.reader()
    for side in ("passages", "documents"):
        told: dict[str, Any] = call(elasticsearch_url, "GET", f"/{name}-{side}-000001/_mapping")
        mappings = told[f"{name}-{side}-000001"]["mappings"]
        mappings["_meta"]["encoder"] = mappings["_meta"]["encoder"].replace("hashing:16", "another")
        body = {
            "mappings": mappings,
            "settings": {"similarity": {"quire": {"type": "BM25"}}, "number_of_replicas": 0},
        }
        assert call(elasticsearch_url, "PUT", f"/{name}-{side}-000002", body)["acknowledged"]
    state = {"kind": "state", "generation": 3}
    call(elasticsearch_url, "PUT", f"/{name}-documents-000002/_doc/state?routing=state", state)
    actions = [
        {way: {"index": f"{name}-{side}-00000{number}", "alias": f"{name}-{side}"}}
        for side in ("passages", "documents")
        for way, number in (("remove", 1), ("add", 2))
    ]
    call(elasticsearch_url, "POST", "/_aliases", {"actions": actions})
    for ask in (index.reader, index.writer):
        with pytest.raises(FingerprintMismatch, match="another"):
            ask()
