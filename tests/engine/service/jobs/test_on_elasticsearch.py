"""Jobs on a real Elasticsearch: the same as in a folder. How to reach it, the process is told on standard input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from job_making import CALLER, ended, given, until, upload

from engine.service.jobs import Jobs
from engine.service.settings import ServiceSettings
from indexer.elastic.settings import ElasticSettings
from indexer.encoder import HashingEncoder
from indexer.opening import create_index, open_index


@pytest.mark.elasticsearch
def test_documents_come_and_go(
    elasticsearch_address: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = elasticsearch_address()
    elastic = ElasticSettings(replicas=0, timeout_seconds=60)
    encoder = HashingEncoder(32)
    create_index(address, encoder=encoder, elastic=elastic).close()
    # What the environment says is not what the service was given, and would not be understood.
    monkeypatch.setenv("QUIRE_ELASTICSEARCH_TIMEOUT_SECONDS", "never")
    jobs = Jobs.open(tmp_path / "state", address, ServiceSettings(), elastic, indexing="hashing_indexing")
    made = [jobs.add_documents(CALLER, [given(f"d{n}", year=n), given(f"e{n}")]) for n in range(5)]
    made.append(upload(jobs, ("a.md", b"# Lanterns"), ("b.pdf", b"no PDF")))
    made.append(jobs.delete(CALLER, ["e0", "e1", "never"]))
    jobs.start()
    done = [ended(jobs, job) for job in made]
    jobs.close()
    assert [job.state for job in done] == ["done"] * 7
    assert [job.progress.added for job in done] == [2] * 5 + [1, 0]
    assert (done[-1].progress.deleted, done[-1].progress.missing, done[-2].progress.refused) == (2, 1, 1)
    with open_index(address, encoder=encoder, elastic=elastic) as index:
        assert {document.doc_id for document in index.documents()} == {
            *(f"d{n}" for n in range(5)),
            *(f"e{n}" for n in range(2, 5)),
            "a.md",
        }


def test_a_cluster_that_is_not_there_is_waited_for_and_the_job_says_so(tmp_path: Path) -> None:
    elastic = ElasticSettings(timeout_seconds=1, connect_seconds=0.5, retries=0)
    jobs = Jobs.open(tmp_path / "state", "elasticsearch://127.0.0.1:9/books", ServiceSettings(), elastic)
    jobs.start()
    job = jobs.add_documents(CALLER, [given("a")])
    waiting = until(lambda: (found := jobs.get(CALLER, job.job_id)).message and found)
    assert (waiting.state, waiting.message.partition(":")[0]) == ("queued", "waits")
    assert jobs.cancel(CALLER, job.job_id).state in ("cancelled", "indexing")
    assert ended(jobs, job).state == "cancelled"
    jobs.close()
