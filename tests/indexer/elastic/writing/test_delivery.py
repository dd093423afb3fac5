"""The order in which things are sent, and what happens when the index is closed to writers on the way."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from indexer.document import Document
from indexer.elastic.index import ElasticIndex
from indexer.elastic.names import concrete, documents_alias, passages_alias
from indexer.elastic.reading.stored import stored_documents
from indexer.elastic.rebuilding.generations import Generation, Generations
from indexer.elastic.shape.mappings import documents_body, passages_body
from indexer.elastic.wire.connection import Cluster
from indexer.elastic.writing import writer as writer_module
from indexer.elastic.writing.journal import entries
from indexer.elastic.writing.state import change_state
from indexer.pipeline import index_corpus
from small_corpus import make_document

Create = Callable[..., ElasticIndex]


def generations_of(index: ElasticIndex) -> Generations:
    return Generations(index.cluster, index.address.rsplit("/", 1)[1])


def test_a_record_comes_after_the_journal_and_all_parts_are_acknowledged(
    create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = create(bulk_megabytes=0.1)
    documents = [make_document(number, words=600) for number in range(40)]
    noted: set[int] = set()
    acknowledged: set[str] = set()
    wrong: list[str] = []
    lock, ask = threading.Lock(), Cluster.request

    def watching(self: Cluster, method: str, path: str, **words: Any) -> Any:
        ids: list[str] = []
        if path == "/_bulk":
            lines = [json.loads(line) for line in words["lines"].splitlines()]
            ids = [line["index"]["_id"] for line in lines if "index" in line]
            records = [line for line in lines if line.get("kind") == "document"]
            with lock:
                for name in ids:
                    if int(name.split("-")[0].split("@")[0]) not in noted:
                        wrong.append(f"{name} was not in the journal")
                for record in records:
                    number = record["number"]
                    parts = {f"{number}-{n}" for n in range(record["passages"])} | {f"{number}@0"}
                    if not parts <= acknowledged:
                        wrong.append(f"the record of {number} came before {parts - acknowledged}")
        answer = ask(self, method, path, **words)
        with lock:
            if "/_doc/load-" in path and method == "PUT":
                noted.update(map(int, words["body"]["pending"]))
            acknowledged.update(ids)
        return answer

    monkeypatch.setattr(Cluster, "request", watching)
    assert index_corpus(index, documents).added == 40
    assert len(noted) == 40
    assert wrong == []


def test_writing_waits_while_a_rebuild_holds_writers_back(create: Create) -> None:
    index = create()
    generations = generations_of(index)
    with index.writer() as writer:
        writer.put(make_document(1))
        writer.commit()
        current = generations.current()
        generations.close(current)
        opener = threading.Timer(0.5, generations.reopen, [current])
        opener.start()
        writer.put(make_document(2))
        assert writer.delete("doc-001")
        assert writer.commit() == 2
        opener.join()
    assert [document.doc_id for document in index.documents()] == ["doc-002"]
    assert index.verify().sound


@pytest.mark.parametrize("blocked_at", ["parts", "record", "commit"])
def test_writing_goes_on_in_the_generation_that_counts_then(
    create: Create, monkeypatch: pytest.MonkeyPatch, blocked_at: str
) -> None:
    index = create(bulk_megabytes=0.1)
    generations = generations_of(index)
    name = generations.name
    moved: list[int] = []

    def switch() -> None:
        """Make another, empty generation count."""
        old = generations.current()
        for alias, body_of in (
            (passages_alias(name), passages_body),
            (documents_alias(name), documents_body),
        ):
            body = body_of(index._made, shards=1, replicas=0)
            index.cluster.request("PUT", f"/{concrete(alias, 2)}", body=body)
        change_state(index.cluster, concrete(documents_alias(name), 2), lambda found: found)
        actions = [
            {way: {"index": concrete(alias, number), "alias": alias}}
            for alias in (passages_alias(name), documents_alias(name))
            for way, number in (("remove", 1), ("add", 2))
        ]
        index.cluster.request("PUT", f"/{old.both}/_block/write")
        index.cluster.request("POST", "/_aliases", body={"actions": actions})

    def go_on(cluster: Cluster, written: Generation) -> Generation:
        moved.append(written.number)
        return generations.current()

    ask, lock, switched = Cluster.request, threading.RLock(), threading.Event()

    def switching(self: Cluster, method: str, path: str, **words: Any) -> Any:
        due = {
            "parts": path == "/_bulk",
            "record": path == "/_bulk" and b'"kind":"document"' in words["lines"],
            "commit": method == "PUT" and "/_doc/state" in path and started,
        }[blocked_at]
        with lock:
            if due and not switched.is_set():
                switched.set()
                monkeypatch.setattr(Cluster, "request", ask)
                switch()
        return ask(self, method, path, **words)

    documents = [make_document(number, words=500) for number in range(30)]
    documents.append(Document("fields", "x", metadata={"only here": 1}))
    started = False
    monkeypatch.setattr(writer_module, "where_to_go_on", go_on)
    monkeypatch.setattr(Cluster, "request", switching)
    with index.writer() as writer:
        started = True
        for document in documents:
            writer.put(document)
        writer.commit()
        settled = writer.settled()
    assert switched.is_set()
    assert set(moved) == {1}
    assert [each.outcome for each in settled] == ["added"] * 31
    found = {document.doc_id: document for document in index.documents()}
    expected = {document.doc_id: document for document in documents}
    # What was acknowledged before is in the old generation, for the rebuild to copy; all else is in the new one.
    old = Generations(index.cluster, name).all()[0].documents
    index.cluster.request("POST", f"/{old}/_refresh")
    before = {document.doc_id: document for document in stored_documents(index.cluster, old)}
    assert before | found == expected
    assert found or blocked_at == "commit"
    assert index.verify().sound
    assert entries(index.cluster, generations.current().documents) == []


def test_nothing_stays_in_the_journal(create: Create) -> None:
    index = create()
    writer = index.writer()
    writer.put(make_document(1))
    writer.commit()
    documents = generations_of(index).current().documents
    assert len(entries(index.cluster, documents)) == 1
    writer.close()
    assert entries(index.cluster, documents) == []
