"""One vector for a document: against the mean taken plainly, however much is remembered; and documents by id."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.document import Document
from indexer.index import Index
from indexer.local.catalogue import Catalogue
from indexer.local.document_vectors import DocumentVectors
from indexer.local.reader import LocalReader
from indexer.local.vectors import VectorFile
from indexer.splitter import SplitterSettings
from small_corpus import CountingEncoder, make_document


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> LocalReader:
    index = Index.create(
        tmp_path_factory.mktemp("vectors") / "index",
        encoder=CountingEncoder(),
        passages=SplitterSettings(tokens=16, overlap=0),
    )
    with index.writer() as writer:
        for number in range(12):
            writer.add(make_document(number, words=10 + 20 * (number % 4)))
        writer.add(Document("empty", ""))
    with index.writer() as writer:
        writer.delete("doc-003")
        writer.add(make_document(5, words=90, seed=1))  # in the place of the one before
        writer.add(make_document(20))
    return index.reader()


def plain(reader: LocalReader, document: int) -> np.ndarray:
    vectors = reader.vectors(reader.passages_of(document)).astype(np.float64)
    total = vectors.sum(axis=0)
    length = float(np.linalg.norm(total))
    return total / length if length else total


def catalogue(reader: LocalReader) -> tuple[Catalogue, VectorFile]:
    return reader._catalogue, reader._vectors


@given(asked=st.lists(st.integers(0, 12), max_size=30), room=st.sampled_from([1, 3, 7, 100]), data=st.data())
@settings(deadline=None, max_examples=40)
def test_it_is_the_mean_of_the_passages(
    reader: LocalReader, asked: list[int], room: int, data: st.DataObject
) -> None:
    kept = DocumentVectors(*catalogue(reader), kept_bytes=room * 4 * 32)
    live = reader.live_documents()
    for _ in range(3):
        documents = live[np.array(data.draw(st.permutations(asked)), dtype=np.int64)]
        found = kept.of(documents)
        assert found.shape == (len(asked), 32)
        assert found.dtype == np.float32
        for vector, document in zip(found, documents.tolist(), strict=True):
            np.testing.assert_allclose(vector, plain(reader, document), atol=1e-6)
            # Bit for bit the same, whatever it was asked with and whatever was remembered.
            np.testing.assert_array_equal(vector, reader.document_vectors(np.array([document]))[0])


def test_a_document_without_passages_has_none(reader: LocalReader) -> None:
    [number] = reader.find_all(["empty"])
    assert not reader.document_vectors(np.array([number])).any()


def test_the_centre_is_the_mean_of_documents_that_have_a_vector(reader: LocalReader) -> None:
    vectors = [plain(reader, int(document)) for document in reader.live_documents()]
    expected = np.mean([vector for vector in vectors if vector.any()], axis=0)
    np.testing.assert_allclose(reader.document_centre(), expected, atol=1e-6)
    assert reader.document_centre().dtype == np.float32


def test_an_index_without_documents_has_its_centre_at_zero(tmp_path: Path) -> None:
    reader = Index.create(tmp_path / "index", encoder=CountingEncoder()).reader()
    assert reader.document_centre().tolist() == [0.0] * 32
    assert reader.document_vectors(np.zeros(0, dtype=np.int64)).shape == (0, 32)
    assert reader.find_all(["a"]).tolist() == [-1]


def test_memory_is_bounded(reader: LocalReader) -> None:
    kept = DocumentVectors(*catalogue(reader), kept_bytes=5 * 4 * 32)
    for document in reader.live_documents():
        kept.of(np.array([document]))
    assert len(kept._rows) <= 5


@given(
    asked=st.lists(st.sampled_from([*(f"doc-{n:03}" for n in range(22)), "empty", "", "none"]), max_size=40)
)
@settings(deadline=None, max_examples=30)
def test_documents_are_found_by_id_like_one_by_one(reader: LocalReader, asked: list[str]) -> None:
    one_by_one = [found.number if (found := reader.find(doc_id)) else -1 for doc_id in asked]
    assert reader.find_all(asked).tolist() == one_by_one


def test_many_ids_at_once(reader: LocalReader) -> None:
    asked = [f"doc-{n % 30:03}" for n in range(1300)]
    assert reader.find_all(asked).tolist() == [
        found.number if (found := reader.find(doc_id)) else -1 for doc_id in asked
    ]


def test_an_older_reader_finds_what_it_saw(tmp_path: Path) -> None:
    index = Index.create(tmp_path / "index", encoder=CountingEncoder())
    with index.writer() as writer:
        writer.add(make_document(1))
    before = index.reader()
    with index.writer() as writer:
        writer.add(make_document(1, seed=1))
        writer.add(make_document(2))
    after = index.reader()
    for reader, there in ((before, [True, False]), (after, [True, True])):
        found = reader.find_all(["doc-001", "doc-002"])
        assert (found >= 0).tolist() == there
        assert reader.doc_ids(found[found >= 0]) == ["doc-001", "doc-002"][: sum(there)]
