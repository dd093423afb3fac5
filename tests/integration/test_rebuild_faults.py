"""The server is killed in the middle of a rebuild and started again: the rebuild waits, and goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from elastic_books import Books, some_books
from elasticsearch_server import Cluster, NoServer

from indexer.elastic.rebuilding import passes
from indexer.elastic.rebuilding.rebuild import RebuildReport, rebuild
from small_corpus import make_document


@pytest.fixture
def node() -> Iterator[Cluster]:
    try:
        cluster = Cluster(1)
    except NoServer as missing:
        pytest.skip(str(missing))
    yield cluster
    cluster.stop()


@pytest.mark.faults
@pytest.mark.elasticsearch
def test_a_server_that_is_started_again_is_waited_for(node: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once while documents are copied, once while writers are held back."""
    monkeypatch.setattr(passes, "BATCH", 5)
    again: list[threading.Thread] = []
    moments = [("copying", 1), ("last pass", 2)]

    def kill(report: RebuildReport) -> None:
        if moments and (report.phase, report.passes) == moments[0] and report.documents >= 10:
            moments.pop(0)
            node.kill(0)
            again.append(threading.Thread(target=node.resume, args=(0,)))
            again[-1].start()

    with some_books(node.url.replace("http://", "elasticsearch://") + "/books") as books:
        books.put(*(make_document(number) for number in range(100, 180)))
        report = rebuild(books.cluster, books.name, progress=kill)
        for thread in again:
            thread.join()
        assert len(again) == 2
        assert report.phase == "done"
        check(books)


def check(books: Books) -> None:
    assert books.held() == books.wanted
    current = books.generations.current()
    assert (current.number, current.blocked, current.closing) == (2, False, False)
    books.put(make_document(500))
    assert books.held() == books.wanted
