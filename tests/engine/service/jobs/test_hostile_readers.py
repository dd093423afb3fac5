"""A reader with a hole in it: stopped by its limits, told with the file that did it, and the other files are read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from job_making import CALLER

from engine.service.jobs.folders import DOCUMENTS, FILES, Listed, write_listed
from engine.service.jobs.job import Job
from engine.service.jobs.limits import Limits
from engine.service.jobs.reading import Failed, Reading
from engine.service.jobs.roots import Roots
from engine.service.jobs.store import JobStore
from indexer.readers import ReadOptions

LIMITS = Limits(seconds=1, wall_seconds=60.0, megabytes=200, total_megabytes=400)


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., tuple[Job, list[str]]]:
    """Read texts as uploads by the hostile process; returns the job, and the names of the documents read."""

    def run(*texts: bytes, child: str = "hostile_reading", limits: Limits = LIMITS) -> tuple[Job, list[str]]:
        store = JobStore(tmp_path / "jobs.db")
        folder = tmp_path / "job"
        (folder / FILES).mkdir(parents=True)
        listed = [Listed(f"{FILES}/{number}", f"{number}.txt") for number in range(len(texts))]
        for each, text in zip(listed, texts, strict=True):
            (folder / each.path).write_bytes(text)
        write_listed(folder, listed)
        job = store.add(Job("j1", "files", "queued", CALLER.tenant, 1.0), waiting_at_most=5)
        reading = Reading(store, Roots([]), ReadOptions(), limits, lambda names: None, child)
        try:
            assert reading.read(job, folder)
            lines = (folder / DOCUMENTS).read_bytes().splitlines()
            return store.get("j1"), [json.loads(line)["doc_id"] for line in lines]
        finally:
            store.close()

    return run


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        (b"loop", "took more than 1 seconds of processor time"),
        (b"eat", "ended by SIGSEGV"),
        (b"swallow", "more than the 200 MB of memory"),
        (b"crash", "ended by SIGSEGV"),
        (b"kill", "more memory than there is"),
        (b"leave", "ended with status 3"),
        (b"connect", "may not do this: socket"),
        (b"spawn", "may not do this: subprocess.Popen"),
        (b"write", "may not do this: open"),
    ],
)
def test_a_file_that_breaks_its_reader_is_refused_alone(
    read: Callable[..., tuple[Job, list[str]]], tmp_path: Path, deed: bytes, reason: str
) -> None:
    job, names = read(b"a willow", deed + b" x", b"an ember")
    assert names == ["0.txt", "2.txt"]
    assert [refusal.source for refusal in job.refusals] == ["1.txt"]
    assert reason in job.refusals[0].reason
    assert (job.progress.files_read, job.progress.documents, job.progress.refused) == (3, 2, 1)
    assert not list(tmp_path.rglob("written"))


def test_several_files_that_break_their_readers_are_each_refused(
    read: Callable[..., tuple[Job, list[str]]],
) -> None:
    job, names = read(b"crash x", b"a willow", b"leave y", b"kill z", b"an ember", b"crash")
    assert names == ["1.txt", "4.txt"]
    assert [refusal.source for refusal in job.refusals] == ["0.txt", "2.txt", "3.txt", "5.txt"]


def test_a_file_that_waits_for_ever_is_given_up(read: Callable[..., tuple[Job, list[str]]]) -> None:
    limits = Limits(seconds=10, wall_seconds=1.5, megabytes=200, total_megabytes=400)
    job, names = read(b"a willow", b"sleep x", b"an ember", limits=limits)
    assert names == ["0.txt", "2.txt"]
    assert "given up" in job.refusals[0].reason


def test_what_a_library_prints_is_no_progress(read: Callable[..., tuple[Job, list[str]]]) -> None:
    job, names = read(b"a willow", b"garble x", b"an ember")
    assert names == ["0.txt", "1.txt", "2.txt"]
    assert not job.refusals


def test_a_reader_knows_no_secret(
    read: Callable[..., tuple[Job, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUIRE_TOKEN_SECRET", "x" * 64)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(30)]
    job, _ = read(b"tell x")
    for each in opened:
        os.close(each)
    told = job.refusals[0].reason
    assert "HOME" in told
    assert "SECRET" not in told
    assert "arguments []" in told
    assert int(told.rpartition(" ")[2]) < 12


def test_a_text_that_is_too_much_for_the_disk_is_refused_alone(
    read: Callable[..., tuple[Job, list[str]]],
) -> None:
    limits = Limits(seconds=10, wall_seconds=30.0, megabytes=100, total_megabytes=3)
    job, names = read(b"a willow", b"meadow " * 600_000, b"an ember", limits=limits)
    assert names == ["0.txt", "2.txt"]
    assert "MB of one job" in job.refusals[0].reason


def test_a_full_disk_fails_the_job(read: Callable[..., tuple[Job, list[str]]]) -> None:
    with pytest.raises(Failed, match="disk is full"):
        read(b"a willow", b"fill x", b"an ember")


def test_a_process_that_does_not_start_fails_the_job(read: Callable[..., tuple[Job, list[str]]]) -> None:
    with pytest.raises(Failed, match="does not start"):
        read(b"a willow", child="no_such_module")


class Gone(Exception):
    """Whoever ran the job is no more."""


def test_reading_goes_on_where_it_was_left_off(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs.db")
    folder = tmp_path / "job"
    (folder / FILES).mkdir(parents=True)
    texts = (b"a willow", b"\x00\x01", b"sleep x", b"an ember")
    listed = [Listed(f"{FILES}/{number}", f"{number}.txt") for number in range(len(texts))]
    for each, text in zip(listed, texts, strict=True):
        (folder / each.path).write_bytes(text)
    write_listed(folder, listed)
    job = store.add(Job("j1", "files", "queued", CALLER.tenant, 1.0), waiting_at_most=5)

    def look(names: tuple[str, ...]) -> None:
        if store.get("j1").progress.files_read:
            raise Gone

    arguments = (store, Roots([]), ReadOptions(), LIMITS)
    with pytest.raises(Gone):
        Reading(*arguments, look, "hostile_reading").read(job, folder)
    with (folder / DOCUMENTS).open("ab") as file:
        file.write(b'{"half a docu')  # as a reader leaves it that is killed
    left = store.get("j1")
    assert 1 <= left.progress.files_read <= 2
    assert Reading(*arguments, lambda names: None).read(left, folder)
    found = store.get("j1")
    store.close()
    lines = (folder / DOCUMENTS).read_bytes().splitlines()
    assert [json.loads(line)["doc_id"] for line in lines] == ["0.txt", "2.txt", "3.txt"]
    assert [refusal.source for refusal in found.refusals] == ["1.txt"]
    assert (found.progress.files_read, found.progress.refused, found.ready) == (4, 1, True)
