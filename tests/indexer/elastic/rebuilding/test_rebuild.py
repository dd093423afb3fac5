"""A rebuild on a real server: what comes out is what went in, whatever happens meanwhile."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rebuilding
from elastic_books import DOCUMENTS, NUMBERED, Books, some_books

from indexer.document import Document
from indexer.elastic.index import ElasticIndex
from indexer.elastic.rebuilding import passes, turns
from indexer.elastic.rebuilding.layout import Wanted
from indexer.elastic.rebuilding.rebuild import RebuildReport, RebuildStopped, rebuild
from indexer.elastic.shape.mappings import Quantisation
from indexer.elastic.shape.numbers import document_number, passage_id, routing
from indexer.errors import FingerprintMismatch, IndexCorrupt
from indexer.protocol import Clause, LexicalQuery
from indexer.splitter import SplitterSettings
from small_corpus import CountingEncoder, make_document

QUERIES = ("harbour", "granit", "number17", "灯塔")


@pytest.fixture
def books(elasticsearch_address: Callable[[], str]) -> Iterator[Books]:
    with some_books(elasticsearch_address()) as found:
        yield found


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many batches of a small index."""
    monkeypatch.setattr(passes, "BATCH", 5)
    monkeypatch.setattr(turns, "_POLL_SECONDS", 0.05)


def answers(index: ElasticIndex) -> list[Any]:
    """Return what an index finds by words and by meaning, to the last bit of the scores."""
    reader = index.reader()
    found: list[Any] = [
        reader.fields(),
        reader.document_count,
        reader.passage_count,
        reader.spellings("harbor"),
    ]
    for text in QUERIES:
        terms = tuple(Clause((term,)) for term in reader.analyser.query_terms(text))
        side = reader.lexical(LexicalQuery(terms), 20)
        found.append((reader.doc_ids(side.documents), side.passages.tolist(), side.scores.tolist()))
    for number in (3, 17, 39):
        side = reader.dense(index.encoder.encode_query(make_document(number).text), 5)
        found.append((reader.doc_ids(side.documents), side.passages.tolist(), side.scores.tolist()))
    documents = reader.live_documents()
    found.append(reader.document_vectors(documents).tolist())
    query = LexicalQuery((Clause(("harbour",)), Clause(("harbour",), "title")))
    found.append(reader.whole_scores(query, documents).tolist())
    tokens = np.eye(4, index.encoder_identity.dim, dtype=np.float32)
    some = reader.passages_of_all(documents[:5])[0]
    found.append(reader.late_scores(tokens, np.ones(4, dtype=np.float32), some).tolist())
    return found


@pytest.mark.parametrize(("quantisation", "shards"), [("none", 3), ("int8", 2)])
def test_answers_stay_the_same_and_nothing_is_encoded(
    books: Books, quantisation: Quantisation, shards: int
) -> None:
    before, encoded = answers(books.index), books.encoder.encoded
    report = rebuild(books.cluster, books.name, Wanted(quantisation=quantisation, shards=shards))
    assert answers(books.index) == before
    assert books.held() == books.wanted
    assert books.encoder.encoded == encoded
    current = books.generations.current()
    assert (current.number, current.shards, current.meta["quantisation"]) == (2, shards, quantisation)
    assert (report.old, report.new, report.documents, report.deleted) == (1, 2, DOCUMENTS, 0)
    assert report.phase == "done"
    assert not report.dropped


def test_dropping_the_old(books: Books) -> None:
    rebuild(books.cluster, books.name)
    report = rebuild(books.cluster, books.name, drop_old=True)
    assert report.dropped == (1, 2)
    assert [each.number for each in books.generations.all()] == [3]
    assert books.held() == books.wanted


def test_another_language(books: Books) -> None:
    books.put(Document("german", "Die Leuchttürme leuchteten in den Häfen."))
    encoded = books.encoder.encoded
    rebuild(books.cluster, books.name, Wanted(language="german"))
    with books.opened() as index:
        [term] = index.analyser.query_terms("Häfen")
        found = index.reader().lexical(LexicalQuery((Clause((term,)),)), 5)
        assert index.reader().doc_ids(found.documents) == ["german"]
    assert books.held() == books.wanted
    assert books.encoder.encoded == encoded
    with pytest.raises(FingerprintMismatch, match="analyser"):
        books.index.reader()


def test_another_encoder_and_other_passages(books: Books) -> None:
    other = CountingEncoder(16)
    rebuild(books.cluster, books.name, Wanted(encoder=other, passages=SplitterSettings(48, 8)))
    assert books.held(other) == books.wanted
    with books.opened(other) as index:
        assert index.encoder_identity.dim == 16
        assert index.passages == SplitterSettings(48, 8)
        reader = index.reader()
        assert (
            max(
                each.passage.tokens
                for each in reader.passages(reader.passages_of_all(reader.live_documents())[0])
            )
            <= 48
        )
    with pytest.raises(FingerprintMismatch, match="encoder"):
        books.index.reader()


@pytest.mark.parametrize("encodes", [False, True])
def test_what_is_written_meanwhile_arrives(books: Books, encodes: bool) -> None:
    """Before the first batch, between two, and after the passes."""
    moments = {("copying", 0): 0, ("copying", 5): 1, ("finishing", 0): 2, ("last pass", 0): 3}

    def write(report: RebuildReport) -> None:
        for phase, documents in list(moments):
            if report.phase == phase and report.documents >= documents:
                at = moments.pop((phase, documents))
                books.put(
                    make_document(500 + at),
                    make_document(at, seed=1),
                    make_document(20 + at, seed=1),
                    Document(f"field-{at}", "A new field.", metadata={f"only-{at}": at}),
                    without=[f"doc-{10 + at:03}", f"doc-{30 + at:03}"],
                )

    encoder = CountingEncoder(16) if encodes else None
    rebuild(books.cluster, books.name, Wanted(encoder=encoder), progress=write)
    assert not moments
    assert books.held(encoder) == books.wanted
    with books.opened(encoder) as index:
        assert {f"only-{at}" for at in range(4)} <= set(index.reader().fields())


def test_a_writer_at_work_goes_on_in_the_next_generation(books: Books) -> None:
    """What it was told is committed is there, and nothing else; it meets the closed door at some moment."""
    stop, failed = threading.Event(), []

    def work() -> None:
        number = 0
        try:
            with books.opened() as index, index.writer() as writer:
                while not stop.is_set():
                    number += 1
                    document = make_document(number % NUMBERED, seed=number)
                    writer.put(document)
                    books.documents[document.doc_id] = document
                    if number % 3 == 0:
                        writer.commit()
        except BaseException as error:
            failed.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        rebuild(books.cluster, books.name)
    finally:
        stop.set()
        worker.join()
    assert not failed
    assert books.generations.current().number == 2
    assert books.held() == books.wanted


def test_searches_never_fail_meanwhile(books: Books) -> None:
    before = answers(books.index)
    stop, failed, asked = threading.Event(), [], 0

    def search() -> None:
        nonlocal asked
        try:
            with books.opened() as index:
                while not stop.is_set():
                    assert answers(index) == before
                    asked += 1
        except BaseException as error:
            failed.append(error)

    searcher = threading.Thread(target=search)
    searcher.start()
    try:
        rebuild(books.cluster, books.name)
        rebuild(books.cluster, books.name)
    finally:
        stop.set()
        searcher.join()
    assert not failed
    assert asked


@pytest.mark.parametrize(
    ("phase", "documents", "passes"),
    [("copying", 5, 1), ("finishing", 0, 1), ("last pass", 0, 2)],
    ids=["copying", "copied", "closed"],
)
def test_killed_and_run_again(books: Books, phase: str, documents: int, passes: int) -> None:
    before = answers(books.index)
    command = [
        sys.executable,
        str(Path(rebuilding.__file__)),
        books.address,
        phase,
        str(documents),
        str(passes),
    ]
    root = Path(__file__).resolve().parents[4]
    killed = subprocess.run(command, cwd=root, env={"PYTHONPATH": str(root)}, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [(each.number, each.current) for each in books.generations.all()] == [(1, True), (2, False)]
    assert books.generations.current().blocked == (phase == "last pass")
    assert answers(books.index) == before
    books.put(make_document(900))  # also where the dead rebuild has closed the index to writers
    report = rebuild(books.cluster, books.name)
    assert report.resumed
    assert (report.old, report.new) == (1, 2)
    if phase != "copying":
        assert report.documents == 1
    assert books.held() == books.wanted


def test_stopped_and_run_again_otherwise(books: Books) -> None:
    """What was begun for something else is thrown away."""
    calls = iter(range(100))
    with pytest.raises(RebuildStopped, match="--drop 2"):
        rebuild(books.cluster, books.name, should_stop=lambda: next(calls) >= 2)
    assert books.generations.current().number == 1
    report = rebuild(books.cluster, books.name, Wanted(shards=1))
    assert not report.resumed
    assert [(each.number, each.state) for each in books.generations.all()] == [(1, "old"), (3, "current")]
    assert books.held() == books.wanted


def test_interrupted_at_the_last_moment_writers_are_let_in(books: Books) -> None:
    def interrupt(report: RebuildReport) -> None:
        if report.phase == "last pass" and report.passes > 1:
            assert books.generations.current().blocked
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(books.cluster, books.name, progress=interrupt)
    current = books.generations.current()
    assert (current.number, current.blocked, current.closing) == (1, False, False)
    books.put(make_document(900))
    rebuild(books.cluster, books.name)
    assert books.held() == books.wanted


def test_a_damaged_document_is_not_copied_in_silence(books: Books) -> None:
    """A passage is lost, and no writer has it under way."""
    current, number = books.generations.current(), document_number("doc-007")
    path = f"/{current.passages}/_doc/{passage_id(number, 0)}"
    books.cluster.request("DELETE", path, params={"routing": routing(number), "refresh": True})
    with pytest.raises(IndexCorrupt, match="'doc-007'"):
        rebuild(books.cluster, books.name)
    current = books.generations.current()
    assert (current.number, current.blocked) == (1, False)
    books.put(make_document(7, seed=3))
    rebuild(books.cluster, books.name)
    assert books.held() == books.wanted
