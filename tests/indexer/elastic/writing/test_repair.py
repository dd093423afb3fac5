"""What is left when writers die, and how the next one tidies up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from elasticsearch_server import call

from indexer.document import Document
from indexer.elastic.index import ElasticIndex
from indexer.elastic.rebuilding.generations import Generation, Generations
from indexer.elastic.shape.numbers import document_number
from indexer.elastic.writing import liveness
from indexer.elastic.writing.journal import Entry, Journal, entries, now, write_entry
from indexer.elastic.writing.repair import tidy_up
from indexer.errors import IndexLocked
from indexer.pipeline import index_corpus

Create = Callable[..., ElasticIndex]
OLD = Document("doc", "a version with a few passages. " * 400, "Old")
DEAD = "somewhere 999999999"  # no process has such a number


def current(index: ElasticIndex) -> Generation:
    return Generations(index.cluster, index.address.rsplit("/", 1)[1]).current()


def died(index: ElasticIndex, pending: dict[int, tuple[str, str]], **words: Any) -> Entry:
    """Leave the note of a writer of this machine that is gone."""
    entry = Entry("load-dead", (0, 0), DEAD, liveness.machine(), now(), now(), pending, repairing=False)
    entry = replace(entry, **words)
    write_entry(index.cluster, current(index).documents, entry, None)
    return entry


def tidied(index: ElasticIndex) -> list[Entry]:
    """Open and close a writer; return the notes that are left."""
    with index.writer():
        pass
    return entries(index.cluster, current(index).documents)


@pytest.fixture
def server(elasticsearch_url: str) -> Callable[..., Any]:
    """Asks the server without the code under test."""

    def ask(method: str, path: str, body: Any = None) -> Any:
        told = call(elasticsearch_url, method, path, body)
        assert "error" not in told, told
        return told

    return ask


def test_a_torn_document_is_removed_and_comes_back_when_indexed(
    create: Create, server: Callable[..., Any]
) -> None:
    index = create()
    index_corpus(index, [OLD, Document("other", "stays")])
    number = document_number("doc")
    server("DELETE", f"/{current(index).passages}/_doc/{number}-1?routing={number}")
    died(index, {number: (OLD.content_hash(), "the hash of what was to be")})
    assert tidied(index) == []
    assert [document.doc_id for document in index.documents()] == ["other"]
    assert index.verify().sound
    assert index_corpus(index, [OLD]).added == 1
    assert index.verify().sound


def test_parts_without_a_record_are_removed(create: Create, server: Callable[..., Any]) -> None:
    index = create()
    index_corpus(index, [OLD])
    number = document_number("doc")
    server("DELETE", f"/{current(index).documents}/_doc/{number}?routing={number}")
    assert not index.verify().sound
    died(index, {number: ("", OLD.content_hash())})
    tidied(index)
    assert list(index.documents()) == []
    assert index.verify().sound


def test_a_document_that_was_written_whole_stays_without_what_lies_beyond_its_end(
    create: Create, server: Callable[..., Any]
) -> None:
    index = create()
    index_corpus(index, [OLD])
    number, passages = document_number("doc"), index.reader().passage_count
    beyond = {
        "number": number + passages,
        "document": number,
        "doc_id": "doc",
        "ordinal": passages,
        "start": 0,
        "end": 1,
    }
    server("PUT", f"/{current(index).passages}/_doc/{number}-{passages}?routing={number}", beyond)
    piece = {"kind": "chunk", "document": number, "start": 1 << 20, "chunk": "x"}
    server("PUT", f"/{current(index).documents}/_doc/{number}@{1 << 20}?routing={number}", piece)
    died(index, {number: ("what was before", OLD.content_hash())})
    assert tidied(index) == []
    assert list(index.documents()) == [OLD]
    assert index.verify().sound


def test_what_a_living_writer_has_under_way_is_left_to_it(create: Create) -> None:
    index = create()
    index_corpus(index, [OLD])
    generation, number = current(index), document_number("doc")
    died(index, {number: (OLD.content_hash(), "new")})
    living = Journal(index.cluster, generation.documents)
    living.open()
    living.begin({number: (OLD.content_hash(), "newer")})
    [left] = [each for each in tidied(index) if each.id == "load-dead"]
    assert left.pending == {number: (OLD.content_hash(), "new")}
    assert list(index.documents()) == [OLD]
    living.done(number)
    living.close()
    assert tidied(index) == []
    assert list(index.documents()) == [], "nobody has written it since, so it may be torn"


@pytest.mark.parametrize("moves", [True, False])
def test_a_note_from_another_machine_is_looked_at_twice(create: Create, moves: bool) -> None:
    index = create()
    index_corpus(index, [OLD])
    generation, number = current(index), document_number("doc")
    entry = died(
        index,
        {number: (OLD.content_hash(), "new")},
        machine="another machine, started then",
        beat=now() - 3_600_000,  # by its own clock, which may be wrong
    )
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        [found] = entries(index.cluster, generation.documents)
        if moves and len(waited) < 3:
            write_entry(index.cluster, generation.documents, entry, found.place)
        elif moves:
            write_entry(index.cluster, generation.documents, replace(entry, beat=now()), found.place)

    tidy_up(index.cluster, generation, "load-own", sleep)
    assert len(waited) == (3 if moves else 1)
    assert [document.doc_id for document in index.documents()] == (["doc"] if moves else [])


def test_a_note_that_was_written_just_now_is_a_living_writers(create: Create) -> None:
    index = create()
    index_corpus(index, [OLD])
    died(index, {document_number("doc"): (OLD.content_hash(), "new")}, machine="another machine")
    assert [each.id for each in tidied(index)] == ["load-dead"]
    assert list(index.documents()) == [OLD]


def test_who_was_taken_for_dead_is_told_before_writing_on(create: Create, server: Callable[..., Any]) -> None:
    index = create()
    writer = index.writer()
    writer.put(OLD)
    writer.commit()
    [note] = entries(index.cluster, current(index).documents)
    server("DELETE", f"/{current(index).documents}/_doc/{note.id}?routing=load")
    writer.put(Document("doc", "another version"))
    with pytest.raises(IndexLocked, match="no sign of life"):
        writer.commit()
    writer.close()
    assert list(index.documents()) == [OLD]
    assert index.verify().sound


def test_an_answer_that_was_lost_is_not_taken_for_another_writer(
    create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = create()
    journal = Journal(index.cluster, current(index).documents)
    journal.open()
    place = journal._place
    journal.begin({7: ("", "x")})
    journal._place = place  # as if the answer to the last writing had not come
    journal.begin({8: ("", "y")})
    journal.check()
    [entry] = entries(index.cluster, current(index).documents)
    assert set(entry.pending) == {7, 8}
    journal.done(7)
    journal.done(8)
    journal.close()
    assert entries(index.cluster, current(index).documents) == []


def test_only_processes_of_this_machine_can_be_known_to_be_gone() -> None:
    here = liveness.machine()
    assert liveness.is_gone("note", DEAD, here)
    assert not liveness.is_gone("note", DEAD, "another machine")
    assert not liveness.is_gone("note", "somewhere 1", here)
    assert liveness.is_gone("note", liveness.worker(), here), "no writer of this process holds it"
    liveness.hold("note")
    assert not liveness.is_gone("note", liveness.worker(), here)
    liveness.release("note")
