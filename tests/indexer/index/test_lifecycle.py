from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from indexer.document import Document, ReadFailure
from indexer.encoder.hashing import HashingEncoder
from indexer.encoding import Vectors
from indexer.errors import (
    FingerprintMismatch,
    IndexExists,
    IndexingError,
    IndexLocked,
    IndexNotFound,
    IndexVersionMismatch,
    ModelError,
)
from indexer.index import Index
from indexer.local import truth
from indexer.pipeline import index_corpus
from indexer.protocol import Clause, LexicalQuery
from indexer.transfer import export_documents, read_documents, write_documents
from small_corpus import CountingEncoder, make_document

Fill = Callable[[int], Index]


def ids(index: Index) -> list[str]:
    reader = index.reader()
    return sorted(reader.doc_ids(reader.live_documents()))


def found(index: Index, word: str) -> list[str]:
    reader = index.reader()
    terms = tuple(reader.analyser.terms(word))
    hits = reader.lexical(LexicalQuery((Clause(terms),)), 1000)
    return sorted(set(reader.doc_ids(hits.documents)))


def test_an_index_is_what_was_added(filled: Fill) -> None:
    index = filled(20)
    assert ids(index) == [f"doc-{number:03}" for number in range(20)]
    assert index.verify().sound
    reader = index.reader()
    for number in range(20):
        document = make_document(number)
        stored = reader.find(document.doc_id)
        assert stored is not None
        assert (stored.title, dict(stored.metadata)) == (document.title, dict(document.metadata))
        assert reader.text(stored.number, 0, stored.length) == document.text
        assert found(index, f"number{number}") == [document.doc_id]


def test_nothing_is_at_a_path_without_index(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound, match="no index in"):
        Index.open(tmp_path)
    with pytest.raises(IndexNotFound):
        Index.open(tmp_path / "absent")


def test_an_index_is_not_made_over_something_else(tmp_path: Path, encoder: CountingEncoder) -> None:
    (tmp_path / "letter.txt").write_text("dear reader")
    with pytest.raises(IndexExists, match="not an empty folder"):
        Index.create(tmp_path, encoder=encoder)
    assert (tmp_path / "letter.txt").read_text() == "dear reader"


def test_an_index_that_was_never_finished_being_made_is_made_again(
    tmp_path: Path, encoder: CountingEncoder
) -> None:
    (tmp_path / "index" / "epoch-1").mkdir(parents=True)
    (tmp_path / "index" / "epoch-1" / ".truth.sqlite.new").write_bytes(b"killed while writing")
    (tmp_path / "index" / "epoch-1" / ".truth.sqlite.new-wal").write_bytes(b"")
    index = Index.create(tmp_path / "index", encoder=encoder)
    assert ids(index) == []


@pytest.mark.parametrize("count", [0, 1])
def test_tiny_indexes_work(filled: Fill, count: int) -> None:
    index = filled(count)
    with index.writer():
        pass
    assert len(ids(index)) == count
    assert index.verify().sound
    reopened = Index.open(index.path, encoder=index.encoder)
    assert len(ids(reopened)) == count
    query = index.encoder.encode_query("harbour")
    assert len(index.reader().dense(query, 10)) == count


def test_a_document_of_no_words_is_kept(tmp_path: Path, encoder: CountingEncoder) -> None:
    index = Index.create(tmp_path / "index", encoder=encoder)
    with index.writer() as writer:
        writer.add(Document("empty", ""))
        writer.add(Document("blank", " \n\t "))
        writer.add(Document("titled", "", title="Harbour"))
        writer.add(Document("signs", "... !!! ???"))
    assert ids(index) == ["blank", "empty", "signs", "titled"]
    assert found(index, "harbour") == ["titled"]
    assert index.verify().sound


def test_an_unchanged_document_costs_no_encoding(filled: Fill, encoder: CountingEncoder) -> None:
    index = filled(10)
    before, generation = encoder.encoded, index.reader().generation
    with index.writer() as writer:
        assert {writer.add(make_document(number)) for number in range(10)} == {"unchanged"}
    assert encoder.encoded == before
    assert index.reader().generation == generation


def test_only_changed_passages_of_an_update_are_encoded(tmp_path: Path, encoder: CountingEncoder) -> None:
    index = Index.create(tmp_path / "index", encoder=encoder)
    paragraphs = [make_document(number, words=150).text + "." for number in range(20)]
    with index.writer() as writer:
        writer.add(Document("long", "\n\n".join(paragraphs)))
    first = encoder.encoded
    assert first >= 15
    paragraphs[-1] = "an entirely new ending."
    with index.writer() as writer:
        assert writer.add(Document("long", "\n\n".join(paragraphs))) == "updated"
    assert encoder.encoded - first <= 4
    assert index.verify().sound


def test_update_and_delete(filled: Fill) -> None:
    index = filled(10)
    with index.writer() as writer:
        assert writer.add(Document("doc-003", "now about xylophones", metadata={"number": 3.5})) == "updated"
        assert writer.delete("doc-004")
        assert not writer.delete("doc-004")
        assert not writer.delete("never there")
    assert found(index, "number3") == []
    assert found(index, "xylophones") == ["doc-003"]
    assert found(index, "number4") == []
    assert len(ids(index)) == 9
    assert index.verify().sound


def test_a_document_changed_twice_before_the_commit_counts_once(filled: Fill) -> None:
    index = filled(2)
    with index.writer() as writer:
        writer.add(Document("doc-000", "first version alpha"))
        writer.add(Document("doc-000", "second version beta"))
        writer.delete("doc-001")
        writer.add(Document("doc-001", "came back gamma"))
    assert found(index, "alpha") == []
    assert found(index, "beta") == ["doc-000"]
    assert found(index, "gamma") == ["doc-001"]
    assert index.verify().sound


def test_an_exception_in_the_writers_block_undoes_all_of_it(filled: Fill) -> None:
    index = filled(3)

    def interrupted() -> None:
        with index.writer() as writer:
            writer.delete("doc-000")
            writer.add(Document("new", "never seen zephyr"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(ids(index)) == 3
    assert found(index, "zephyr") == []
    with index.writer() as writer:
        writer.add(Document("new", "seen at last zephyr"))
    assert found(index, "zephyr") == ["new"]
    assert index.verify().sound


def test_a_reader_keeps_its_generation(filled: Fill) -> None:
    index = filled(5)
    old = index.reader()
    with index.writer() as writer:
        writer.delete("doc-000")
        writer.add(Document("doc-001", "rewritten entirely"))
        writer.add(Document("newcomer", "harbour"))
    assert sorted(old.doc_ids(old.live_documents())) == [f"doc-{n:03}" for n in range(5)]
    stored = old.find("doc-001")
    assert stored is not None
    assert old.text(stored.number, 0, stored.length) == make_document(1).text
    assert old.find("newcomer") is None
    assert old.find("doc-000") is not None
    assert len(old.dense(index.encoder.encode_query("harbour"), 100)) == 5
    assert index.reader().generation == old.generation + 1
    assert len(ids(index)) == 5


def test_two_writers_are_refused(filled: Fill) -> None:
    index = filled(1)
    other = Index.open(index.path, encoder=index.encoder)
    with index.writer():
        with pytest.raises(IndexLocked, match=r"process [0-9]+ on .* is writing"):
            other.writer()
        assert len(ids(other)) == 1
    with other.writer() as writer:
        writer.add(Document("later", "now it is free"))


def test_another_encoder_is_refused(filled: Fill) -> None:
    index = filled(1)
    with pytest.raises(FingerprintMismatch, match="made with encoder"):
        Index.open(index.path, encoder=HashingEncoder(48))


def _made_with(index: Index, key: str, value: str) -> None:
    """Make the index as if another release had written it."""
    connection = truth.connect(index.truth_path())
    meta = {**truth.read_meta(connection), key: value}
    connection.close()
    index.close()
    index.truth_path().unlink()
    truth.create(index.truth_path(), meta)


def test_another_analyser_is_refused(filled: Fill) -> None:
    index = filled(1)
    _made_with(index, "analyser", "some-other-analyser")
    with pytest.raises(FingerprintMismatch, match="some-other-analyser"):
        Index.open(index.path, encoder=index.encoder)


def test_another_format_version_is_refused(filled: Fill) -> None:
    index = filled(1)
    _made_with(index, "format", "99")
    with pytest.raises(IndexVersionMismatch, match="version 99"):
        Index.open(index.path, encoder=index.encoder)


def test_compacting_takes_what_was_deleted_off_the_disk(filled: Fill) -> None:
    index = filled(6)
    with index.writer() as writer:
        writer.add(Document("secret", "the password is quetzalcoatl", title="Quetzalcoatl"))
    with index.writer() as writer:
        writer.delete("secret")
        writer.add(Document("doc-000", "replaced"))

    def on_disk() -> bool:
        files = [path for path in index.path.rglob("*") if path.is_file()]
        return any(b"quetzalcoatl" in path.read_bytes().lower() for path in files)

    old = index.reader()
    before = {doc_id: found(index, doc_id.replace("doc-00", "number")) for doc_id in ids(index)}
    assert on_disk()
    index.compact()
    assert not on_disk()
    assert index.verify().sound
    assert {doc_id: found(index, doc_id.replace("doc-00", "number")) for doc_id in ids(index)} == before
    assert index.stats().removed_passages == 0
    assert len(old.dense(index.encoder.encode_query("harbour"), 100)) == 6  # the old reader goes on
    stored = old.find("doc-001")
    assert stored is not None
    assert old.text(stored.number, 0, stored.length) == make_document(1).text
    with index.writer() as writer:
        writer.add(Document("after", "compaction goes on"))
    assert index.verify().sound


def test_export_and_import_give_the_same_documents(filled: Fill, tmp_path: Path) -> None:
    index = filled(8)
    for name in ("dump.jsonl", "dump.jsonl.gz"):
        assert write_documents(export_documents(index), tmp_path / name) == 8
        copy = Index.create(tmp_path / f"copy of {name}", encoder=index.encoder)
        report = index_corpus(copy, read_documents(tmp_path / name))
        assert (report.added, report.failures) == (8, [])
        assert list(export_documents(copy)) == list(export_documents(index))


def test_a_damaged_export_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "dump.jsonl").write_text(
        '{"doc_id": "a", "text": "fine"}\n{"doc_id": 7, "text": "x"}\nnot json\n'
    )
    good, wrong_type, no_json = read_documents(tmp_path / "dump.jsonl")
    assert isinstance(good, Document)
    assert str(wrong_type).count("dump.jsonl:2") == 1
    assert str(no_json).count("dump.jsonl:3") == 1


def test_increments_and_one_go_answer_the_same(tmp_path: Path, encoder: CountingEncoder) -> None:
    """After compaction even the BM25 statistics are those of an index made in one go."""
    grown = Index.create(tmp_path / "grown", encoder=encoder)
    for start in range(0, 30, 3):
        with grown.writer() as writer:
            for number in range(start, start + 3):
                writer.add(make_document(number, seed=1))
    with grown.writer() as writer:
        for number in range(0, 30, 2):
            writer.add(make_document(number))
        for number in range(1, 30, 4):
            writer.delete(f"doc-{number:03}")
    grown.compact()
    made = Index.create(tmp_path / "made", encoder=encoder)
    with made.writer() as writer:
        for document in export_documents(grown):
            writer.add(document)
    for word in ("harbour", "ember", "cobalt"):
        query = LexicalQuery((Clause(tuple(made.analyser.terms(word))),))
        vector = encoder.encode_query(word)
        for one, other in (
            (grown.reader().lexical(query, 50), made.reader().lexical(query, 50)),
            (grown.reader().dense(vector, 50), made.reader().dense(vector, 50)),
        ):
            assert grown.reader().doc_ids(one.documents) == made.reader().doc_ids(other.documents)
            np.testing.assert_allclose(one.scores, other.scores, rtol=1e-6)


def test_text_is_read_in_pieces_across_chunks(tmp_path: Path, encoder: CountingEncoder) -> None:
    text = "".join(chr(0x4E00 + at % 20000) if at % 7 else " " for at in range(3 * truth.CHUNK + 17))
    index = Index.create(tmp_path / "index", encoder=encoder)
    with index.writer() as writer:
        writer.add(Document("long", text))
    reader = index.reader()
    edges = [0, 1, truth.CHUNK - 1, truth.CHUNK, truth.CHUNK + 1, 2 * truth.CHUNK, len(text) - 1, len(text)]
    for start in edges:
        for end in edges:
            assert reader.text(0, start, end) == text[start:end]
    assert reader.text(0, -5, len(text) + 5) == text


class FailingEncoder(CountingEncoder):
    """Fails on passages that say so."""

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        if any("explode" in text for text in texts):
            raise ModelError("the model exploded")
        return super().encode_passages(texts)


def test_a_writer_that_failed_commits_nothing_more(tmp_path: Path) -> None:
    index = Index.create(tmp_path / "index", encoder=FailingEncoder())
    with index.writer() as writer:
        writer.add(make_document(1))
    writer = index.writer()
    writer.add(make_document(2))
    writer.add(Document("bad", "this will explode"))
    with pytest.raises(ModelError, match="exploded"):
        writer.commit()
    for again in (writer.commit, lambda: writer.add(make_document(3)), lambda: writer.delete("doc-001")):
        with pytest.raises(IndexingError, match="failed before"):
            again()
    writer.close()
    with pytest.raises(IndexingError, match="closed"):
        writer.commit()
    assert ids(index) == ["doc-001"]
    assert index.verify().sound
    with index.writer() as writer:
        writer.add(make_document(2))
    assert ids(index) == ["doc-001", "doc-002"]
    assert index.verify().sound


def test_what_cannot_be_indexed_is_reported_and_the_rest_is_kept(tmp_path: Path) -> None:
    index = Index.create(tmp_path / "index", encoder=CountingEncoder())
    items = [
        make_document(1),
        ReadFailure("broken.pdf", "it is encrypted"),
        make_document(2),
        make_document(1),
    ]
    report = index_corpus(index, items)
    assert (report.added, report.seen) == (2, 4)
    assert [failure.source for failure in report.failures] == ["broken.pdf", "doc-001"]
    assert "used by an earlier document" in report.failures[1].reason
    again = index_corpus(index, [make_document(2)], delete_missing=True)
    assert (again.unchanged, again.deleted) == (1, 1)
    stopped = index_corpus(
        index, (make_document(n) for n in range(9)), should_stop=iter([False] * 3 + [True]).__next__
    )
    assert (stopped.interrupted, stopped.added) == (True, 2)
    assert ids(index) == ["doc-000", "doc-001", "doc-002"]
