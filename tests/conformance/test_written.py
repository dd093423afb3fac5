"""What a writer does: add, replace, delete, commit; what readers see of it, and when; what is refused."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from indexer.document import Document, ReadFailure
from indexer.encoder.hashing import HashingEncoder
from indexer.encoding import Vectors
from indexer.errors import FingerprintMismatch, IndexExists, IndexingError, IndexNotFound, ModelError
from indexer.pipeline import index_corpus
from indexer.protocol import Clause, LexicalQuery
from indexer.sharding import Shard
from indexer.transfer import export_documents, read_documents, write_documents
from small_corpus import CountingEncoder, make_document

from .conftest import Backend, Opened, fill, names_of
from .corpus import ENCODER, PASSAGES, documents
from .plain import PlainIndex

Make = Callable[..., Opened]


def ids(index: Opened) -> list[str]:
    reader = index.reader()
    return sorted(reader.doc_ids(reader.live_documents()))


def found(index: Opened, word: str) -> list[str]:
    reader = index.reader()
    hits = reader.lexical(LexicalQuery((Clause(tuple(reader.analyser.terms(word))),)), 1000)
    return sorted(set(reader.doc_ids(hits.documents)))


def agrees(index: Opened, expected: Sequence[Document]) -> None:
    """Check that an index holds these documents and answers as the plain one of them does."""
    plain = PlainIndex(expected, ENCODER, PASSAGES)
    reader = index.reader()
    names = names_of(reader)
    assert ids(index) == sorted(plain.documents)
    assert set(names.number_of) == set(plain.passages)
    assert reader.document_count == len(plain.documents)
    assert reader.passage_count == len(plain.passages)
    vector = ENCODER.encode_query("harbour lantern granite")
    cosines = plain.cosines(vector)
    near = reader.dense(vector, 1000)
    assert dict(zip(names.keys(near.passages), near.scores.tolist(), strict=True)) == pytest.approx(
        cosines, abs=1e-5
    )
    query = LexicalQuery((Clause(("harbour",)), Clause(("lantern",)), Clause(("granit",), weight=2.0)))
    scores = plain.bm25(query)
    words = reader.lexical(query, 1000)
    assert set(names.keys(words.passages)) == set(scores)
    for document in plain.documents.values():
        stored = reader.find(document.doc_id)
        assert stored is not None
        assert reader.text(stored.number, 0, stored.length) == document.text
        assert (stored.title, dict(stored.metadata)) == (document.title, dict(document.metadata))


def test_what_a_writer_says_it_did(make: Make) -> None:
    index = make(encoder=CountingEncoder(), passages=None)
    with index.writer() as writer:
        assert [writer.add(make_document(number)) for number in range(5)] == ["added"] * 5
        assert writer.add(make_document(2)) == "unchanged"
        assert writer.add(make_document(3, seed=1)) == "updated"
        assert writer.delete("doc-004")
        assert not writer.delete("doc-004")
        assert not writer.delete("never")
        first = writer.commit()
        assert writer.generation == first
        assert writer.commit() == first
        assert writer.add(make_document(4)) == "added"
        assert writer.commit() > first
        assert dict(writer.sources()) == dict.fromkeys(ids(index), "")
    assert ids(index) == [f"doc-{number:03}" for number in range(5)]
    assert index.verify().sound
    with pytest.raises(IndexingError, match="closed"):
        writer.add(make_document(1))


def test_random_changes_leave_what_they_should(make: Make) -> None:
    chance = random.Random(4)
    index = make()
    state: dict[str, Document] = {}
    for _ in range(4):
        with index.writer() as writer:
            for _ in range(12):
                number = chance.randrange(15)
                if chance.random() < 0.3:
                    doc_id = f"doc-{number:03}"
                    assert writer.delete(doc_id) == (state.pop(doc_id, None) is not None)
                else:
                    document = make_document(
                        number, words=chance.choice([0, 8, 90]), seed=chance.randrange(3)
                    )
                    writer.add(document)
                    state[document.doc_id] = document
        agrees(index, list(state.values()))
    assert index.verify().sound


def test_a_document_that_shrinks_leaves_nothing_behind(make: Make) -> None:
    long, short = make_document(1, words=200), make_document(1, words=20, seed=5)
    index = make(long, make_document(2))
    before = index.reader().passage_count
    fill(index, [short])
    assert index.reader().passage_count < before
    agrees(index, [short, make_document(2)])
    fill(index, [Document(short.doc_id, "")])
    agrees(index, [Document(short.doc_id, ""), make_document(2)])
    fill(index, deleted=[short.doc_id, "doc-002"])
    agrees(index, [])


def test_after_compacting_scores_are_those_of_an_index_made_afresh(make: Make) -> None:
    kept = [make_document(number, words=10 + number) for number in range(20)]
    index = make(*(make_document(number, seed=9) for number in range(30)))
    fill(index, kept, [f"doc-{number:03}" for number in range(20, 30)])
    index.compact()
    assert index.verify().sound
    agrees(index, kept)
    plain = PlainIndex(kept, ENCODER, PASSAGES)
    query = LexicalQuery((Clause(("harbour",)), Clause(("granit", "meadow")), Clause(("cobalt",))))
    reader = index.reader()
    hits = reader.lexical(query, 1000)
    scores = dict(zip(names_of(reader).keys(hits.passages), hits.scores.tolist(), strict=True))
    assert scores == pytest.approx(plain.bm25(query), rel=1e-5)


def test_only_changed_passages_are_encoded_again(make: Make) -> None:
    encoder = CountingEncoder()
    index = make(encoder=encoder, passages=None)
    paragraphs = [make_document(number, words=150).text + "." for number in range(12)]
    fill(index, [Document("long", "\n\n".join(paragraphs))])
    before = encoder.encoded
    passages = index.reader().passage_count
    fill(index, [Document("long", "\n\n".join(paragraphs))])
    assert encoder.encoded == before
    paragraphs[6] = make_document(99, words=150).text + "."
    fill(index, [Document("long", "\n\n".join(paragraphs))])
    assert 0 < encoder.encoded - before < passages / 2


def test_a_reader_is_of_one_generation(make: Make, backend: Backend) -> None:
    index = make(*(make_document(number) for number in range(6)))
    old = index.reader()
    assert index.reader() is old
    query = LexicalQuery((Clause(("harbour",)), Clause(("lantern",))))
    vector = ENCODER.encode_query("harbour")
    words, near = old.lexical(query, 50), old.dense(vector, 50)
    texts = [old.text(stored.number, 0, stored.length) for stored in old.documents(old.live_documents())]
    fill(index, [make_document(1, seed=7), make_document(77)], ["doc-003"])
    new = index.reader()
    assert new.generation > old.generation
    assert (old.document_count, new.document_count) == (6, 6)
    assert new.find("doc-003") is None
    assert old.find("doc-003") is not None
    assert old.find("doc-077") is None
    assert old.lexical(query, 50).passages.tolist() == words.passages.tolist()
    np.testing.assert_allclose(old.lexical(query, 50).scores, words.scores)
    assert old.dense(vector, 50).passages.tolist() == near.passages.tolist()
    assert [old.text(s.number, 0, s.length) for s in old.documents(old.live_documents())] == texts
    other = backend.open(index.place)
    assert other.reader().generation == new.generation
    assert ids(other) == ids(index)
    other.close()


def test_what_was_not_committed_is_not_seen(make: Make, backend: Backend) -> None:
    index = make(make_document(1))
    writer = index.writer()
    writer.add(make_document(2))
    writer.delete("doc-001")
    assert ids(index) == ["doc-001"]
    assert found(index, "number1") == ["doc-001"]
    writer.commit()
    assert ids(index) == ["doc-002"]
    writer.close()


def test_other_words_and_other_vectors_are_refused_by_name(make: Make, backend: Backend) -> None:
    index = make(make_document(1))
    other = HashingEncoder(16)
    with pytest.raises(FingerprintMismatch) as refused:
        backend.open(index.place, other)
    assert (refused.value.part, refused.value.stored, refused.value.given) == (
        "encoder",
        ENCODER.fingerprint,
        other.fingerprint,
    )
    assert ENCODER.fingerprint in str(refused.value)
    assert other.fingerprint in str(refused.value)


def test_another_analyser_is_refused_by_name(
    make: Make, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = make(make_document(1))
    stored = index.analyser.fingerprint
    monkeypatch.setattr("indexer.analyser.FORMAT", 999)
    with pytest.raises(FingerprintMismatch, match="analyser") as refused:
        backend.open(index.place)
    assert refused.value.stored == stored
    assert refused.value.given.startswith("quire-analyser-999:english:")


def test_an_index_is_made_once_and_opened_where_it_is(make: Make, backend: Backend) -> None:
    index = make(make_document(1))
    with pytest.raises(IndexExists):
        backend.create(place=index.place)
    assert ids(index) == ["doc-001"]
    with pytest.raises(IndexNotFound):
        backend.open(backend.place())


@pytest.mark.parametrize("count", [0, 1])
def test_tiny_indexes_work(make: Make, count: int) -> None:
    index = make(*(make_document(number) for number in range(count)))
    with index.writer():
        pass
    reader = index.reader()
    assert reader.document_count == count
    assert index.verify().sound
    query = LexicalQuery((Clause(("harbour",)),))
    vector = ENCODER.encode_query("harbour")
    assert len(reader.dense(vector, 10)) == reader.passage_count
    assert len(reader.lexical(query, 10)) <= reader.passage_count
    assert reader.whole_best(query) >= 0
    assert reader.document_frequencies(["harbour"])[0] <= reader.passage_count
    assert reader.spellings("harbuor") == ([] if count == 0 else reader.spellings("harbuor"))
    assert len(reader.live_documents()) == count
    assert reader.document_centre().shape == (ENCODER.dim,)
    assert reader.fields().keys() == (set() if count == 0 else {"number", "parity"})


def test_without_token_vectors_there_is_no_late_interaction(make: Make) -> None:
    index = make(make_document(1), token_vectors=False)
    reader = index.reader()
    assert not reader.has_token_vectors
    assert not index.keeps_token_vectors
    numbers = reader.passages_of(int(reader.live_documents()[0]))
    tokens = ENCODER.encode_query_tokens("harbour")
    assert np.isnan(reader.late_scores(tokens.vectors, np.ones(1, np.float32), numbers)).all()
    assert index.stats().token_vectors is None


def test_a_word_that_is_gone_is_suggested_no_more(make: Make) -> None:
    index = make(Document("one", "the harbour"), Document("two", "the lanterns"))
    assert [word for word, _ in index.reader().spellings("harbuor")] == ["harbour"]
    fill(index, deleted=["one"])
    assert index.reader().spellings("harbuor") == []


class FailingEncoder(HashingEncoder):
    """Fails at one word."""

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        if any("poison" in text for text in texts):
            raise ModelError("the model has failed")
        return super().encode_passages(texts)


def test_an_encoder_that_fails_fails_the_writer_and_not_the_index(make: Make) -> None:
    index = make(encoder=FailingEncoder(ENCODER.dim), token_vectors=False)
    fill(index, [make_document(1)])
    with pytest.raises(ModelError, match="has failed"):
        fill(index, [make_document(2), Document("bad", "poison")])
    assert ids(index) == ["doc-001"]
    fill(index, [make_document(3)])
    assert {"doc-001", "doc-003"} <= set(ids(index))
    assert "bad" not in ids(index)
    assert index.verify().sound


def test_a_corpus_goes_in_with_its_failures_counted(make: Make) -> None:
    index = make()
    items: list[Document | ReadFailure] = [*documents()[:20], ReadFailure("broken.pdf", "cannot be read")]
    report = index_corpus(index.index, iter(items))
    assert report.added == 20
    assert len(report.failures) == 1
    agrees(index, documents()[:20])
    again = index_corpus(index.index, iter(items))
    assert (again.added, again.unchanged) == (0, 20)


def test_documents_go_from_any_backend_to_any_as_they_were(make: Make, tmp_path: Path) -> None:
    first, second = make(*documents()), make()
    path = tmp_path / "documents.jsonl"
    assert write_documents(export_documents(first.index), path) == len(documents())
    index_corpus(second.index, read_documents(path))
    assert ids(second) == ids(first)
    one, other = first.reader(), second.reader()
    for doc_id in ids(first)[::7]:
        left, right = one.find(doc_id), other.find(doc_id)
        assert left is not None
        assert right is not None
        assert (left.title, left.source, left.metadata, left.pages) == (
            right.title,
            right.source,
            right.metadata,
            right.pages,
        )
        assert one.text(left.number, 0, left.length) == other.text(right.number, 0, right.length)


def test_what_is_put_is_settled_by_the_commit(make: Make) -> None:
    index = make(make_document(1), make_document(2))
    with index.writer() as writer:
        for document in (make_document(1), make_document(2, seed=3), make_document(3), make_document(4)):
            writer.put(document)
        writer.put(make_document(4, seed=5))  # of one id twice: in their order
        first = writer.settled()
        writer.commit()
        both = {one.doc_id: one.outcome for one in [*first, *writer.settled()]}
        assert both == {
            "doc-001": "unchanged",
            "doc-002": "updated",
            "doc-003": "added",
            "doc-004": "updated",
        }
        assert writer.settled() == []
        assert writer.delete_all(["doc-001", "absent", "doc-003"]) == 2
        assert not writer.failed
    agrees(index, [make_document(2, seed=3), make_document(4, seed=5)])


def test_shards_of_a_corpus_make_the_whole_of_it(make: Make) -> None:
    index = make()
    items = [*documents(), *map(make_document, range(30))]
    for number in (1, 2, 3):
        index_corpus(index.index, iter(items), shard=Shard(number, 3), delete_missing=True)
    assert ids(index) == sorted(document.doc_id for document in items)
    report = index_corpus(index.index, iter(items[:100]), shard=Shard(2, 3), delete_missing=True)
    gone = [document.doc_id for document in items[100:] if document.doc_id in Shard(2, 3)]
    assert report.deleted == len(gone) > 0
    assert ids(index) == sorted({document.doc_id for document in items} - set(gone))
