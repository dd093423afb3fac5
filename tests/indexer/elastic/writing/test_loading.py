"""Replicas are gone for the time of filling, and come back in whatever way it ends; refreshes are commits' alone."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from typing import Any

import elastic_children
import pytest
from elasticsearch_server import call

from indexer.elastic.errors import ElasticForbidden
from indexer.elastic.index import ElasticIndex
from indexer.elastic.wire.connection import Cluster
from indexer.encoder.hashing import HashingEncoder
from indexer.pipeline import index_corpus
from small_corpus import make_document

Create = Callable[..., ElasticIndex]
SettingsOf = Callable[[str], list[tuple[str | None, str]]]


def test_an_empty_index_is_filled_without_replicas(create: Create, settings_of: SettingsOf) -> None:
    index = create(replicas=1)
    assert settings_of(index.address) == [("-1", "1")] * 2
    with index.writer() as writer:
        assert settings_of(index.address) == [("-1", "0")] * 2
        writer.put(make_document(1))
    assert settings_of(index.address) == [("-1", "1")] * 2
    with index.writer():
        assert settings_of(index.address) == [("-1", "1")] * 2, "copies of what there is are kept"
    assert settings_of(index.address) == [("-1", "1")] * 2


def test_what_somebody_has_set_comes_back(
    create: Create, settings_of: SettingsOf, elasticsearch_url: str
) -> None:
    index = create(replicas=1)
    name = index.address.rsplit("/", 1)[1]
    call(elasticsearch_url, "PUT", f"/{name}-passages/_settings", {"index.refresh_interval": "30s"})
    before = settings_of(index.address)
    with index.writer() as writer:
        writer.put(make_document(1))
    assert settings_of(index.address) == before
    assert before[1] == ("30s", "1")


def test_the_last_writer_to_leave_puts_them_back(create: Create, settings_of: SettingsOf) -> None:
    index = create(replicas=1)
    first, second = index.writer(), index.writer()
    first.put(make_document(1))
    second.put(make_document(2))
    first.commit()
    first.close()
    assert settings_of(index.address) == [("-1", "0")] * 2
    second.commit()
    second.close()
    assert settings_of(index.address) == [("-1", "1")] * 2
    assert {document.doc_id for document in index.documents()} == {"doc-001", "doc-002"}


@pytest.mark.parametrize("by_a_writer", [True, False])
def test_after_a_crash_they_come_back(create: Create, settings_of: SettingsOf, by_a_writer: bool) -> None:
    index = create(HashingEncoder(elastic_children.DIM), replicas=1)
    child = multiprocessing.get_context("spawn").Process(
        target=elastic_children.index_until, args=(index.address, 6, True)
    )
    child.start()
    child.join()
    assert child.exitcode == -9
    assert settings_of(index.address) == [("-1", "0")] * 2
    if by_a_writer:
        index_corpus(index, [make_document(1)])
    else:
        ElasticIndex.open(index.address).close()
    assert settings_of(index.address) == [("-1", "1")] * 2


def test_who_may_not_change_settings_may_write(
    create: Create, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ask = Cluster.request

    def refusing(self: Cluster, method: str, path: str, **words: Any) -> Any:
        if path.endswith("/_settings") and method == "PUT":
            raise ElasticForbidden(403, "security_exception", "action is unauthorized")
        return ask(self, method, path, **words)

    index = create()
    monkeypatch.setattr(Cluster, "request", refusing)
    assert index_corpus(index, [make_document(1)]).added == 1
    assert "all of its replicas" in caplog.text
    caplog.clear()
    with ElasticIndex.open(index.address):
        ours = [record for record in caplog.records if record.name.startswith("indexer")]
        assert not ours, "there is nothing to put back"
