"""The list of jobs: durable, counted, apart by tenant; an Idempotency-Key gives one job."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.service.jobs import keys
from engine.service.jobs import store as module
from engine.service.jobs.job import SHOWN_REFUSALS, Job, Progress, Refusal
from engine.service.jobs.store import JobStore
from engine.service.jobs.troubles import JobsFileError
from engine.service.problems import Problem


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    opened = JobStore(tmp_path / "jobs.db")
    yield opened
    opened.close()


def job(name: str, tenant: str = "default") -> Job:
    return Job(name, "documents", "queued", tenant, 1000.0, ready=True, progress=Progress(documents=3))


def problem(call: object, *arguments: object, **values: object) -> Problem:
    with pytest.raises(Problem) as raised:
        call(*arguments, **values)  # type: ignore[operator]
    return raised.value


def test_what_is_no_list_of_jobs_is_told_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "other.db").write_text(
        "somebody's notes, which are longer than a header of a hundred bytes" * 3
    )
    (tmp_path / "folder.db").mkdir()
    for name in ("other.db", "folder.db", "absent/jobs.db"):
        with pytest.raises(JobsFileError, match=name):
            JobStore(tmp_path / name)
    assert (tmp_path / "other.db").read_text().startswith("somebody's notes")


def test_a_job_comes_back_as_it_was_stored(store: JobStore) -> None:
    refusals = [Refusal("a.txt", "is empty")]
    store.add(job("j1"), refusals, waiting_at_most=5)
    found = store.get("j1", "default")
    assert (found.job_id, found.kind, found.state, found.ready) == ("j1", "documents", "queued", True)
    assert found.progress == Progress(documents=3)
    assert found.refusals == (Refusal("a.txt", "is empty"),)


def test_another_tenant_sees_nothing(store: JobStore) -> None:
    store.add(job("j1"), waiting_at_most=5)
    assert problem(store.get, "j1", "other").status == 404
    assert problem(store.cancel, "j1", "other").status == 404
    assert problem(store.page, "other", limit=5, before="j1").status == 404
    assert store.page("other", limit=5) == ()
    assert store.get("j1").state == "queued"


def test_pages_follow_each_other_newest_first(store: JobStore) -> None:
    for number in range(7):
        store.add(job(f"j{number}"), waiting_at_most=50)
    seen: list[str] = []
    before = ""
    while page := store.page("default", limit=3, before=before):
        seen += [each.job_id for each in page]
        before = seen[-1]
    assert seen == [f"j{number}" for number in reversed(range(7))]
    store.change("j3", state="failed", message="no")
    assert [each.job_id for each in store.page("default", limit=9, states=("failed",))] == ["j3"]


def test_too_many_waiting_jobs_are_refused_until_some_are_done(store: JobStore) -> None:
    store.add(job("j1"), waiting_at_most=2)
    store.add(job("j2"), waiting_at_most=2)
    found = problem(store.add, job("j3"), waiting_at_most=2)
    assert (found.status, found.kind) == (503, "too-many-jobs")
    assert "Retry-After" in found.headers
    assert problem(store.expect_room, 2).status == 503
    store.change("j1", state="done")
    store.add(job("j3"), waiting_at_most=2)


def test_a_key_gives_one_job_even_to_many_at_once(store: JobStore) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(
            target=lambda name=f"j{number}": found.append(
                store.add(job(name), waiting_at_most=50, key=("k", "import", "digest")).job_id
            )
        )
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert len(store.page("default", limit=50)) == 1


def test_a_key_used_for_something_else_is_refused(store: JobStore) -> None:
    store.add(job("j1"), waiting_at_most=5, key=("k", "import", "digest"))
    assert problem(store.add, job("j2"), waiting_at_most=5, key=("k", "import", "else")).status == 422
    assert store.add(job("j2"), waiting_at_most=5, key=("other", "import", "else")).job_id == "j2"


def test_a_key_is_remembered_for_a_day(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    store.add(job("j1"), waiting_at_most=5, key=("k", "import", "digest"))
    now += keys.KEY_SECONDS - 1
    assert store.add(job("j2"), waiting_at_most=5, key=("k", "import", "digest")).job_id == "j1"
    now += 2
    assert store.add(job("j3"), waiting_at_most=5, key=("k", "import", "digest")).job_id == "j3"


def test_a_key_remembered_gives_its_job_even_where_too_many_wait(store: JobStore) -> None:
    store.add(job("j1"), waiting_at_most=1, key=("k", "import", "digest"))
    assert store.add(job("j2"), waiting_at_most=1, key=("k", "import", "digest")).job_id == "j1"


def test_refusals_kept_are_bounded(store: JobStore) -> None:
    store.add(job("j1"), (Refusal(str(n), "x") for n in range(60)), waiting_at_most=5)
    store.change("j1", progress=Progress(unread=500), refusals=[Refusal(str(n), "x") for n in range(60, 500)])
    found = store.get("j1")
    assert [each.source for each in found.refusals] == [str(n) for n in range(SHOWN_REFUSALS)]
    assert found.progress.refused == 500


def test_what_is_finished_changes_no_more(store: JobStore) -> None:
    store.add(job("j1"), waiting_at_most=5)
    assert store.cancel("j1", "default").state == "cancelled"
    assert not store.change("j1", state="indexing", message="late")
    assert (store.get("j1").state, store.get("j1").message) == ("cancelled", "")
    assert store.cancel("j1", "default").state == "cancelled"
    store.add(job("j2"), waiting_at_most=5)
    store.change("j2", state="done")
    assert problem(store.cancel, "j2", "default").status == 409


def test_a_job_at_work_is_asked_to_stop_and_stays_at_work(store: JobStore) -> None:
    store.add(job("j1"), waiting_at_most=5)
    store.change("j1", state="indexing")
    assert store.cancel("j1", "default").state == "indexing"
    assert store.cancelling(["j1", "j2"]) == {"j1"}


def test_what_ended_long_ago_is_forgotten_and_nothing_else(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    for name in ("old", "waiting", "new"):
        store.add(job(name), [Refusal("a", "b")], waiting_at_most=5)
    store.change("old", state="done")
    now += 100
    store.change("new", state="failed", message="x")
    store.sweep(now - 50)
    assert {each.job_id for each in store.page("default", limit=9)} == {"waiting", "new"}
    assert store.known(["old", "waiting", "new", "never"]) == {"waiting", "new"}
    assert store.ended(["old", "waiting", "new"]) == {"new"}
    assert len(store.get("new").refusals) == 1


def test_its_files_are_its_owners_alone(tmp_path: Path, store: JobStore) -> None:
    store.add(job("j1"), waiting_at_most=5)
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}


def test_changes_made_together_count_together_or_not_at_all(store: JobStore) -> None:
    for name in ("j1", "j2"):
        store.add(job(name), waiting_at_most=5)

    def half() -> None:
        with store.together():
            store.change("j1", state="done")
            store.get("never")

    assert problem(half).status == 404
    assert store.get("j1").state == "queued"
    with store.together():
        store.change("j1", state="indexing")
        store.change("j2", state="failed", refusals=[Refusal("a", "b")])
    assert (store.get("j1").state, store.get("j2").state) == ("indexing", "failed")
    assert store.get("j2").refusals == (Refusal("a", "b"),)


def test_counts_know_every_state(store: JobStore) -> None:
    store.add(job("j1"), waiting_at_most=5)
    counts = store.counts()
    assert counts["queued"] == 1
    assert sum(counts.values()) == 1
    assert set(counts) == {"queued", "reading", "indexing", "interrupted", "done", "failed", "cancelled"}


def test_what_is_stored_is_seen_by_another_process_and_survives_closing(
    tmp_path: Path, store: JobStore
) -> None:
    store.add(job("j1"), waiting_at_most=5)
    other = JobStore(tmp_path / "jobs.db")
    assert other.get("j1").job_id == "j1"
    other.change("j1", state="reading")
    assert store.get("j1").started > 0
    other.close()


def test_a_list_that_is_held_by_others_for_long_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BUSY_SECONDS", 0.01)
    store = JobStore(tmp_path / "jobs.db")
    holder = sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    found = problem(store.add, job("j1"), waiting_at_most=5)
    assert (found.status, found.kind) == (503, "jobs-unavailable")
    holder.execute("ROLLBACK")
    holder.close()
    store.add(job("j1"), waiting_at_most=5)
    store.close()


def test_a_disk_without_room_is_told(store: JobStore) -> None:
    store._database.execute("PRAGMA max_page_count = 1")
    limit = store._database.execute("PRAGMA page_count").fetchone()[0]
    store._database.execute(f"PRAGMA max_page_count = {limit}")
    refusals = [Refusal("s" * 300, "r" * 500)] * 100
    found = problem(store.add, job("j1"), refusals, waiting_at_most=5)
    assert (found.status, found.kind) == (507, "disk-full")
    assert store.page("default", limit=5) == ()
