"""Writers on a real server: what they store, what they spare, and what is left when they die."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import elastic_children
import numpy as np
import pytest

from indexer.analyser import Analyser
from indexer.document import Document
from indexer.elastic.index import ElasticIndex
from indexer.elastic.shape.numbers import CHUNK, document_number
from indexer.elastic.shape.records import vectors_of
from indexer.elastic.writing import intake, parcels
from indexer.encoder.hashing import HashingEncoder
from indexer.encoding import Vectors
from indexer.errors import IndexingError, ModelError
from indexer.passage_encoding import passage_hash
from indexer.pipeline import index_corpus
from indexer.splitter import Splitter, contextual_text
from small_corpus import CountingEncoder, make_document

Create = Callable[..., ElasticIndex]
Held = Callable[[str, str], dict[str, Any]]


def documents_in(index: ElasticIndex) -> dict[str, Document]:
    return {document.doc_id: document for document in index.documents()}


def by_id(documents: list[Document]) -> dict[str, Document]:
    return {document.doc_id: document for document in documents}


def without_commit(record: Any) -> Any:
    """Return what is held, without the number of the commit that it came with."""
    source, fields = record
    return {name: value for name, value in source.items() if name != "generation"}, fields


def test_what_is_stored_of_a_document(create: Create, held: Held, encoder: CountingEncoder) -> None:
    text = "\n\n".join(f"Chapter {n}\n\n" + "the quick brown foxes jumped over it. " * 60 for n in range(20))
    text += "x" * CHUNK  # more than one piece
    document = Document("a/b c.txt", text, "The Title", {"year": 1999, "tags": ("x", "y")}, "here.txt")
    index = create()
    with index.writer() as writer:
        assert writer.add(document) == "added"
    passages = Splitter(encoder, index.passages).split(document)
    number = document_number(document.doc_id)
    found = held(index.address, "passages")
    assert set(found) == {f"{number}-{passage.ordinal}" for passage in passages}
    contexts = [contextual_text("The Title", p.headings, text[p.start : p.end]) for p in passages]
    expected = HashingEncoder(32).encode_passages(contexts)
    for passage, context, vector in zip(passages, contexts, expected, strict=True):
        source, fields = found[f"{number}-{passage.ordinal}"]
        assert source["text"] == text[passage.start : passage.end]
        assert (source["start"], source["end"], source["tokens"]) == (
            passage.start,
            passage.end,
            passage.tokens,
        )
        assert source["number"] == number + passage.ordinal
        assert source["hash"] == passage_hash(context).hex()
        assert source["meta"] == {"year": {"n": [1999.0]}, "tags": {"s": ["x", "y"]}}
        np.testing.assert_array_equal(np.array(source["vector"], dtype=np.float32), vector)
        assert fields["codes"]
        assert not {"title", "body", "headings"} & set(source)
    records = held(index.address, "documents")
    record, columns = records[str(number)]
    assert (record["passages"], record["vectors"], record["length"]) == (
        len(passages),
        len(passages),
        len(text),
    )
    mean = expected.astype(np.float64).mean(axis=0)
    stored = np.frombuffer(__import__("base64").b64decode(columns["mean"][0]), "<f4")
    np.testing.assert_allclose(stored, mean / np.linalg.norm(mean), atol=1e-6)
    pieces = [records[f"{number}@{start}"][0]["chunk"] for start in range(0, len(text), CHUNK)]
    assert "".join(pieces) == text
    assert index.verify().sound
    assert documents_in(index) == {document.doc_id: document}


def test_words_are_found_as_the_analyser_makes_them(create: Create, elasticsearch_url: str) -> None:
    from elasticsearch_server import call

    index = create()
    with index.writer() as writer:
        writer.put(Document("one", "Foxes were jumping over the dogs. " * 3, "Running Foxes"))
    name = index.address.rsplit("/", 1)[1]
    for side, field, text in (("passages", "body", "fox jump"), ("documents", "text", "fox jump run")):
        for term in Analyser().terms(text):
            body = {"query": {"term": {field: term}}}
            told = call(elasticsearch_url, "POST", f"/{name}-{side}/_search", body)
            assert told["hits"]["total"]["value"] == 1, (field, term)
    told = call(
        elasticsearch_url, "POST", f"/{name}-documents/_search", {"query": {"term": {"words": "jumping"}}}
    )
    assert told["hits"]["total"]["value"] == 1


def test_what_is_unchanged_costs_nothing(
    create: Create, encoder: CountingEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = create()
    documents = [make_document(number) for number in range(150)]
    first = index_corpus(index, documents)
    assert (first.added, first.generation) == (150, 1)
    before, asked = encoder.encoded, []
    ask = type(index.cluster).request

    def noting(self: Any, method: str, path: str, **words: Any) -> Any:
        asked.append(path)
        return ask(self, method, path, **words)

    monkeypatch.setattr(type(index.cluster), "request", noting)
    again = index_corpus(index, documents)
    assert (again.unchanged, again.seen, again.generation) == (150, 150, 1)
    assert encoder.encoded == before
    assert "/_bulk" not in asked
    assert sum(path.endswith("/_mget") for path in asked) == 3  # 150 documents, 64 at a time


def test_of_a_changed_document_only_changed_passages_are_encoded(
    create: Create, held: Held, encoder: CountingEncoder
) -> None:
    words = "alpha beta gamma delta. "
    parts = [f"Part {n} begins. " + words * 30 for n in range(12)]
    index, other = create(), create()
    index_corpus(index, [Document("long", "\n\n".join(parts))])
    count = index.reader().passage_count
    before = encoder.encoded
    changed = Document("long", "\n\n".join([*parts[:5], "Part 5 is another now. " + words * 30, *parts[6:]]))
    report = index_corpus(index, [changed])
    assert report.updated == 1
    assert 0 < encoder.encoded - before < count / 2
    index_corpus(other, [changed])
    fresh, updated = held(other.address, "passages"), held(index.address, "passages")
    assert updated == fresh


@pytest.mark.parametrize(("before", "after"), [(4000, 40), (40, 4000), (4000, 0), (0, 40)])
def test_no_part_of_an_older_version_is_left(create: Create, held: Held, before: int, after: int) -> None:
    index, other = create(), create()
    old, new = (
        Document("doc", " ".join(random.Random(n).choices(["ax", "boy", "cat."], k=n)) * 5, "T" if n else "")
        for n in (before, after)
    )
    index_corpus(index, [old])
    index_corpus(index, [new])
    index_corpus(other, [new])
    assert held(index.address, "passages") == held(other.address, "passages")
    mine, fresh = (held(each.address, "documents") for each in (index, other))
    assert mine.keys() - {"state"} == fresh.keys() - {"state"}
    assert index.verify().sound


def test_a_document_put_twice_before_a_commit_is_its_last_version(create: Create) -> None:
    index = create()
    versions = [make_document(1, words=400 - 90 * seed, seed=seed) for seed in range(4)]
    with index.writer() as writer:
        for version in versions:
            writer.put(version)
        writer.commit()
        assert [each.outcome for each in writer.settled()] == ["added", "updated", "updated", "updated"]
    assert documents_in(index) == by_id(versions[-1:])
    assert index.verify().sound


def test_deleting(create: Create) -> None:
    index = create()
    index_corpus(index, [make_document(number) for number in range(10)])
    with index.writer() as writer:
        assert writer.delete("doc-003")
        assert not writer.delete("doc-003")
        assert not writer.delete("nobody")
        writer.put(make_document(11))
        assert writer.delete("doc-011"), "although it was not committed"
        assert dict(writer.sources()).keys() == {f"doc-{n:03}" for n in range(10)} - {"doc-003"}
        assert writer.delete_all(f"doc-{n:03}" for n in (4, 5, 99)) == 2
    assert documents_in(index).keys() == {f"doc-{n:03}" for n in (0, 1, 2, 6, 7, 8, 9)}
    assert index.verify().sound
    report = index_corpus(index, [make_document(0)], delete_missing=True)
    assert (report.unchanged, report.deleted) == (1, 6)
    assert documents_in(index) == by_id([make_document(0)])


class OffUnit(HashingEncoder):
    """Gives vectors that the server refuses to texts that ask for it."""

    def encode_passages(self, texts: Any) -> Vectors:
        scale = [[2.0] if "refuse me" in text else [1.0] for text in texts]
        return super().encode_passages(texts) * np.array(scale, dtype=np.float32)

    def encode_passages_with_tokens(self, texts: Any) -> Any:
        _, tokens = super().encode_passages_with_tokens(texts)
        return self.encode_passages(texts), tokens


def test_one_in_a_thousand_refused_by_the_server_is_reported_and_all_others_are_there(create: Create) -> None:
    index = create(OffUnit(32), bulk_megabytes=0.5)
    documents = [make_document(number) for number in range(1000)]
    good = [*documents[:500], *documents[501:]]
    long = "plain words here. " * 400
    documents[500] = Document("bad", f"{long} refuse me {long}", source="bad.txt")
    report = index_corpus(index, documents)
    assert (report.added, len(report.failures), report.seen) == (999, 1, 1000)
    assert report.failures[0].source == "bad.txt"
    assert "unit" in report.failures[0].reason
    assert documents_in(index) == by_id(good)
    assert index.verify().sound, "nothing of the refused document is left"


def test_of_a_refused_new_version_the_old_one_does_not_stay_either(create: Create) -> None:
    index = create(OffUnit(32))
    index_corpus(index, [Document("a", "good words " * 500), Document("b", "as good")])
    report = index_corpus(index, [Document("a", "good words " * 100 + "refuse me"), Document("b", "as good")])
    assert (report.updated, report.unchanged, len(report.failures)) == (0, 1, 1)
    assert "the version before is gone too" in report.failures[0].reason
    assert documents_in(index).keys() == {"b"}
    assert index.verify().sound
    with index.writer() as writer:
        assert writer.add(Document("a", "refuse me")) == "added"
        assert writer.add(Document("c", "good")) == "added"
        with pytest.raises(IndexingError, match=r"1 documents were refused.*a: "):
            writer.commit()
    assert documents_in(index).keys() == {"b", "c"}


def test_a_document_whose_fields_the_mapping_has_no_room_for_is_refused(
    create: Create, elasticsearch_url: str
) -> None:
    from elasticsearch_server import call

    index = create()
    name = index.address.rsplit("/", 1)[1]
    limits = {"index.mapping.total_fields.limit": 60}
    call(elasticsearch_url, "PUT", f"/{name}-documents,{name}-passages/_settings", limits)
    documents = [Document("many", "x", metadata={f"field {n}": n for n in range(50)})]
    documents += [Document("few", "x", metadata={"year": 1}), Document("long", "x", metadata={"n" * 600: 1})]
    report = index_corpus(index, documents)
    assert report.added == 1
    reasons = " ".join(failure.reason for failure in report.failures)
    assert "fields" in reasons
    assert "shorten" in reasons
    assert documents_in(index).keys() == {"few"}


def test_a_document_whose_number_another_has_is_refused(
    create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (intake, parcels):
        monkeypatch.setattr(module, "document_number", lambda doc_id: document_number(doc_id[:3]))
    index = create()
    report = index_corpus(index, [Document("abc-1", "first")])
    report = index_corpus(index, [Document("abc-2", "second"), Document("xyz", "third")])
    assert report.added == 1
    assert "same number as that of 'abc-1'" in report.failures[0].reason
    assert documents_in(index)["abc-1"].text == "first"


def test_a_writer_that_failed_takes_nothing_more_and_what_was_committed_stays(create: Create) -> None:
    class Failing(HashingEncoder):
        def encode_passages_with_tokens(self, texts: Any) -> Any:
            if any("fail" in text for text in texts):
                raise ModelError("out of memory")
            return super().encode_passages_with_tokens(texts)

    index = create(Failing(32))
    writer = index.writer()
    writer.put(make_document(1))
    writer.commit()
    writer.put(Document("bad", "fail"))
    with pytest.raises(ModelError):
        writer.commit()
    assert writer.failed
    with pytest.raises(IndexingError, match="failed before"):
        writer.put(make_document(2))
    writer.close()
    with pytest.raises(IndexingError, match="closed"):
        writer.put(make_document(2))
    assert documents_in(index) == by_id([make_document(1)])
    index_corpus(index, [make_document(2)])
    assert index.verify().sound
    assert documents_in(index) == by_id([make_document(1), make_document(2)])


def run(target: Callable[..., None], *args: object) -> int | None:
    child = multiprocessing.get_context("spawn").Process(target=target, args=args)
    child.start()
    child.join()
    return child.exitcode


@pytest.mark.parametrize(
    ("limit", "after"), [(4, False), (8, True), (11, False), (14, True), (18, False), (24, True)]
)
def test_killed_at_any_request_and_run_again_it_is_complete(
    create: Create, held: Held, settings_of: Any, limit: int, after: bool
) -> None:
    index = create(HashingEncoder(elastic_children.DIM))
    usual = settings_of(index.address)
    index_corpus(index, elastic_children.first())
    status = run(elastic_children.index_until, index.address, limit, after)
    assert status == -9, "it was to be killed on its way"
    assert run(elastic_children.index_until, index.address, 10**9, after) == 0
    assert documents_in(index) == by_id(elastic_children.second())
    verified = index.verify()
    assert verified.sound, verified.problems
    assert not [name for name in held(index.address, "documents") if name.startswith("load-")]
    assert settings_of(index.address) == usual


def test_two_workers_with_shards_make_what_one_makes(create: Create, held: Held) -> None:
    together, alone = (create(HashingEncoder(elastic_children.DIM), shards=2) for _ in range(2))
    for index in (together, alone):
        index_corpus(index, elastic_children.first())
    context = multiprocessing.get_context("spawn")
    children = [
        context.Process(target=elastic_children.index_shard, args=(together.address, f"{number}/2"))
        for number in (1, 2)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0]
    index_corpus(alone, elastic_children.second(), delete_missing=True)
    assert held(together.address, "passages") == held(alone.address, "passages")
    one, two = (held(index.address, "documents") for index in (together, alone))
    assert one.keys() == two.keys()
    assert [without_commit(one[name]) for name in sorted(one)] == [
        without_commit(two[name]) for name in sorted(two)
    ]
    assert together.verify().sound


def test_vectors_travel_as_they_are() -> None:
    from indexer.elastic.shape.records import vector_text

    vectors = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
    assert np.array_equal(vectors_of([vector_text(vector) for vector in vectors]), vectors)


def test_settings_do_not_change_what_is_stored(create: Create, held: Held) -> None:
    documents = [make_document(number, words=300) for number in range(40)]
    indexes = [create(bulk_megabytes=0.1), create(bulk_megabytes=8.0)]
    for index in indexes:
        assert index_corpus(index, documents).added == 40
    one, other = (held(index.address, "passages") for index in indexes)
    assert one == other
    assert replace(indexes[0].stats(), path="", megabytes=0.0) == replace(
        indexes[1].stats(), path="", megabytes=0.0
    )
