"""The process that indexes: it shares commits, waits for other writers, and may be stopped, or die, at any time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from job_making import CALLER, ended, given, texts, until

from engine.service.jobs import Job, Jobs
from engine.service.jobs.indexing_child import SMALL, grouped
from engine.service.settings import ServiceSettings
from indexer.document import Document
from indexer.encoder import HashingEncoder
from indexer.index import Index


@pytest.fixture
def troubled(tmp_path: Path, place: Path) -> Iterator[Callable[[], Jobs]]:
    """Make jobs that are done by a process that documents can hurt."""
    made: list[Jobs] = []

    def make() -> Jobs:
        jobs = Jobs.open(tmp_path / "state", place, ServiceSettings(), indexing="troubled_indexing")
        made.append(jobs)
        return jobs

    yield make
    for jobs in made:
        jobs.close()


def folder_of(tmp_path: Path, job: Job) -> Path:
    return tmp_path / "state" / "jobs" / job.job_id


def write(path: Path, ids: list[str], pad: int = 0) -> dict[str, Any]:
    path.write_text("".join(json.dumps({"doc_id": each, "text": "x" * pad}) + "\n" for each in ids))
    return {"job_id": path.name, "delete": [], "documents": str(path)}


def test_small_jobs_without_a_document_in_common_share_a_commit(tmp_path: Path) -> None:
    delete = {"job_id": "delete", "delete": ["a"]}
    jobs = [
        write(tmp_path / "1", ["a"]),
        write(tmp_path / "2", ["b", "c"]),
        write(tmp_path / "3", ["c"]),
        write(tmp_path / "4", ["a"]),
        delete,
        write(tmp_path / "5", ["a"]),
        write(tmp_path / "6", ["z"], pad=SMALL),
        write(tmp_path / "7", ["y"]),
    ]
    found = [[job["job_id"] for job in group] for group in grouped(jobs)]
    assert found == [["1", "2"], ["3", "4"], ["delete"], ["5"], ["6"], ["7"]]
    assert [job for group in grouped(jobs) for job in group] == jobs


def test_many_small_jobs_are_one_generation_and_each_has_its_own_counts(
    make_jobs: Callable[..., Jobs], place: Path
) -> None:
    jobs = make_jobs(start=False)
    made = [
        jobs.add_documents(CALLER, [given(f"d{n}"), given(f"e{n}"), *([given("one")] if n == 3 else [])])
        for n in range(10)
    ]
    jobs.start()
    done = [ended(jobs, job) for job in made]
    assert len({job.progress.generation for job in done}) == 1
    assert [(job.progress.added, job.progress.updated) for job in done] == [
        (2, int(n == 3)) for n in range(10)
    ]


def test_jobs_are_done_in_their_order(make_jobs: Callable[..., Jobs], place: Path) -> None:
    jobs = make_jobs(start=False)
    made = [jobs.add_documents(CALLER, [given("a", f"version {n}")]) for n in range(4)]
    made.append(jobs.delete(CALLER, ["one", "b"]))
    made.append(jobs.add_documents(CALLER, [given("b", "came later")]))
    jobs.start()
    for job in made:
        assert ended(jobs, job).state == "done"
    found = texts(place)
    assert (found["a"], found["b"], "one" in found) == ("version 3", "came later", False)


def test_a_job_waits_while_another_process_writes_and_says_so(jobs: Jobs, place: Path) -> None:
    with Index.open(place, encoder=HashingEncoder(32)) as index, index.writer() as writer:
        job = jobs.add_documents(CALLER, [given("a")])
        waiting = until(lambda: (found := jobs.get(CALLER, job.job_id)).message and found)
        assert waiting.message.startswith("waits: ")
        assert "is writing to this index" in waiting.message
        assert not waiting.is_finished
        writer.add(Document("other", "written meanwhile"))
    done = ended(jobs, job)
    assert (done.state, done.message) == ("done", "")
    assert {"a", "other"} <= set(texts(place))


def test_a_job_that_waits_can_be_cancelled(jobs: Jobs, place: Path) -> None:
    with Index.open(place, encoder=HashingEncoder(32)) as index, index.writer():
        job = jobs.add_documents(CALLER, [given("a")])
        until(lambda: jobs.get(CALLER, job.job_id).message)
        jobs.cancel(CALLER, job.job_id)
        assert ended(jobs, job).state == "cancelled"
    assert ended(jobs, jobs.add_documents(CALLER, [given("b")])).state == "done"
    assert "a" not in texts(place)


def test_a_job_stopped_on_its_way_has_committed_what_it_did_and_goes_on_later(
    troubled: Callable[[], Jobs], make_jobs: Callable[..., Jobs], tmp_path: Path, place: Path
) -> None:
    jobs = troubled()
    jobs.start()
    job = jobs.add_documents(CALLER, [given("a"), given("b", "wait"), given("c")])
    until(lambda: (folder_of(tmp_path, job) / "waiting").exists())
    jobs.close()
    again = make_jobs(start=False)
    found = again.get(CALLER, job.job_id)
    assert (found.state, found.progress.added) == ("interrupted", 2)
    assert {"a", "b"} <= set(texts(place))
    assert "c" not in texts(place)
    again.start()
    assert ended(again, job).state == "done"
    assert "c" in texts(place)


def test_a_job_at_work_that_is_cancelled_keeps_what_it_did(
    troubled: Callable[[], Jobs], tmp_path: Path, place: Path
) -> None:
    jobs = troubled()
    jobs.start()
    job = jobs.add_documents(CALLER, [given("a"), given("b", "wait"), *(given(f"c{n}") for n in range(50))])
    until(lambda: (folder_of(tmp_path, job) / "waiting").exists())
    assert jobs.cancel(CALLER, job.job_id).state == "indexing"
    found = ended(jobs, job)
    assert (found.state, found.progress.added) == ("cancelled", 2)
    assert {"a", "b"} == set(texts(place)) - {"one", "two", "three"}


@pytest.mark.parametrize("deed", ["die", "fail"])
def test_a_job_that_kills_its_process_is_given_up_and_those_beside_it_are_done(
    troubled: Callable[[], Jobs], place: Path, deed: str
) -> None:
    jobs = troubled()
    before = jobs.add_documents(CALLER, [given("before")])
    bad = jobs.add_documents(CALLER, [given("bad", deed)])
    after = jobs.add_documents(CALLER, [given("after")])
    jobs.start()
    assert ended(jobs, bad).state == "failed"
    assert "died 3 times" in jobs.get(CALLER, bad.job_id).message
    assert ended(jobs, before).state == "done"
    assert ended(jobs, after).state == "done"
    assert {"before", "after"} <= set(texts(place))


def test_a_cluster_that_is_away_is_waited_for(troubled: Callable[[], Jobs], place: Path) -> None:
    jobs = troubled()
    job = jobs.add_documents(CALLER, [given("a", "away")])
    jobs.start()
    assert ended(jobs, job).state == "done"
    assert "a" in texts(place)
