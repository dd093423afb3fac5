"""Faults on three real nodes: nothing acknowledged is lost, and no answer is silently wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from elasticsearch_server import call, wait_until

from engine import SearchEngine
from engine.errors import BackendUnavailable
from indexer.document import Document
from indexer.elastic.reading.reader import ElasticReader
from indexer.errors import IndexChanged, IndexLocked, IndexUnavailable
from indexer.pipeline import index_corpus
from indexer.protocol import Clause, LexicalQuery
from small_corpus import make_document

from .conftest import ASKED, ENCODER, Asking, Loading, Three, everything_is_there

pytestmark = [pytest.mark.faults, pytest.mark.elasticsearch]


def fill(three: Three, place: str, count: int = 120) -> dict[str, Document]:
    """Make an index of some documents, and return these."""
    added = {document.doc_id: document for document in map(make_document, range(count))}
    with three.create(place) as index, index.writer() as writer:
        for document in added.values():
            writer.put(document)
    return added


@pytest.mark.parametrize("fault", ["kill", "pause"])
def test_a_node_is_lost_while_documents_are_written_and_questions_asked(three: Three, fault: str) -> None:
    read, written = three.place(), three.place()
    fill(three, read)
    # While an index is filled for the first time it has no replicas; from then on it has.
    added = fill(three, written, 20)
    three.cluster.wait_for("green")
    engine = three.engine(read)
    asking, loading = Asking.of(engine), Loading(three, written)
    loading.start()
    try:
        asking.until(lambda: len(loading.acknowledged) >= 40 and asking.whole > 0, 30, "the first documents")
        assert (asking.partial, asking.errors) == (0, [])
        {"kill": three.cluster.kill, "pause": three.cluster.pause}[fault](2)
        # The two that are left find out, and make copies of what was there first: every shard answers again.
        before = len(loading.acknowledged)
        asking.until(lambda: _has_left(three), 60, "a cluster of two")
        asking.whole = 0
        asking.until(lambda: asking.whole > 0, 60, "whole answers of two nodes")
        if fault == "pause":
            three.repair()  # a bulk request that it holds is given up after a minute, and this need not take so long
        asking.until(lambda: len(loading.acknowledged) >= before + 40, 60, "documents written again")
    finally:
        three.repair()
        loading.stop()
    for error in loading.errors:
        assert isinstance(error, IndexUnavailable | IndexLocked), error
    for error in asking.errors:
        assert isinstance(error, BackendUnavailable), error
    with three.open(written) as index:
        everything_is_there(index, {**added, **loading.acknowledged})
    final = Asking(engine, asking.expected)
    for _ in asking.expected:
        final.ask()
    assert (final.whole, final.partial, final.errors) == (len(asking.expected), 0, [])
    engine.close()


def _has_left(three: Three) -> bool:
    try:
        three.cluster.wait_for("yellow", nodes=2, seconds=0.1)
    except AssertionError:
        return False
    return True


def test_most_nodes_are_lost_and_come_back(three: Three) -> None:
    """As when a server is restarted: of three nodes two must be there for anything to be written."""
    place = three.place()
    added = fill(three, place)
    three.cluster.wait_for("green")
    engine = three.engine(place)
    asking, loading = Asking.of(engine), Loading(three, place)
    with three.open(place) as index:
        loading.start()
        wait_until(lambda: len(loading.acknowledged) >= 20, 30, "the first documents")
        for node in (1, 2):
            three.cluster.kill(node)
        asking.ask()
        three.repair()
        before = len(loading.acknowledged)
        wait_until(lambda: len(loading.acknowledged) > before, 60, "documents written again")
        loading.stop()
        for error in loading.errors:
            assert isinstance(error, IndexUnavailable | IndexLocked), error
        for error in asking.errors:
            assert isinstance(error, BackendUnavailable), error
        everything_is_there(index, {**added, **loading.acknowledged})
    engine.close()


def test_one_document_in_a_thousand_is_refused(three: Three) -> None:
    place = three.place()
    items = [
        Document(f"d{n}", f"harbour number{n}", metadata={"code": f"10.0.{n // 250}.{n % 250}"})
        for n in range(1000)
    ]
    items[617] = Document("bad", "harbour lantern", metadata={"code": "no address"}, source="bad.txt:3")
    with three.create(place) as index:
        # Someone has mapped a field their way: the server finds fault with the one value that is none to it.
        code = {
            "type": "object",
            "dynamic": "strict",
            "properties": {"s": {"type": "ip"}, "j": {"type": "keyword"}},
        }
        for name in three.indexes(place):
            told = call(
                three.cluster.url,
                "PUT",
                f"/{name}/_mapping",
                {"properties": {"meta": {"properties": {"code": code}}}},
            )
            assert told == {"acknowledged": True}
        report = index_corpus(index, iter(items))
        assert (report.added, len(report.failures)) == (999, 1)
        assert report.failures[0].source == "bad.txt:3"
        assert index.reader().document_count == 999
        everything_is_there(index, {item.doc_id: item for item in items if item.doc_id != "bad"})
        again = index_corpus(index, iter(items))
        assert (again.added, again.unchanged, len(again.failures)) == (0, 999, 1)


def test_a_point_in_time_that_the_server_has_lost_is_opened_again(three: Three) -> None:
    place = three.place()
    fill(three, place, 30)
    query = LexicalQuery((Clause(("harbour",)), Clause(("number7",))))
    with three.open(place) as index:
        reader = index.reader()
        found = reader.lexical(query, 20)
        lose(reader)
        assert reader.lexical(query, 20).passages.tolist() == found.passages.tolist()
        engine = SearchEngine(index, ENCODER, ASKED)
        before = engine.search("number77", k=50)
        assert "doc-077" not in {hit.doc_id for hit in before.hits}
        with index.writer() as writer:
            writer.put(make_document(77))
        lose(reader)
        with pytest.raises(IndexChanged):
            reader.lexical(query, 20)
        after = engine.search("number77", k=50)
        assert "doc-077" in {hit.doc_id for hit in after.hits}
        assert after.generation > before.generation
        assert index.reader().document_count == 31


def lose(reader: object) -> None:
    """Have the server forget the points in time of a reader, as it does when it is restarted."""
    assert isinstance(reader, ElasticReader)
    reader.watched(print).close()


def refusal(engine: SearchEngine) -> str:
    """Return what is said to who asks a dead cluster."""
    with pytest.raises(BackendUnavailable) as refused:
        engine.search("harbour")
    return str(refused.value)


def test_a_dead_cluster_is_left_alone_and_taken_up_again(three: Three) -> None:
    place = three.place()
    fill(three, place, 20)
    engine = three.engine(place, replace(three.settings, timeout_seconds=3, retries=1))
    asking = Asking.of(engine)
    for node in range(3):
        three.cluster.pause(node)
    said = [refusal(engine) for _ in range(6)]
    assert any("left alone for now" in one for one in said)
    three.repair()
    asking.whole = 0
    asking.until(lambda: asking.whole > 0, 60, "answers again")
    engine.close()
