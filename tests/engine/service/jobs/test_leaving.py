"""Clients that go away while what they sent is taken in: their task is cancelled, and its thread is not."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from job_making import CALLER, ended, multipart, pieces, texts

from engine.service.jobs import Jobs
from engine.service.jobs.uploads import Upload, receive


def _left(coroutine: Callable[[], object], begun: threading.Event, go_on: threading.Event) -> None:
    """Run a coroutine, and cancel it, twice, in the middle of what a thread does for it."""

    async def leave() -> None:
        task = asyncio.ensure_future(coroutine())  # type: ignore[call-overload]
        await asyncio.to_thread(begun.wait, 20)
        task.cancel()
        asyncio.get_running_loop().call_soon(task.cancel)
        asyncio.get_running_loop().call_later(0.05, go_on.set)
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(leave())


def test_a_job_that_is_being_stored_keeps_its_files(
    make_jobs: Callable[..., Jobs], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent again with its key, it is the same job; and that is done."""
    jobs = make_jobs(start=False)
    begun, go_on = threading.Event(), threading.Event()
    add = jobs._store.add

    def slow(*arguments: object, **values: object) -> object:
        begun.set()
        go_on.wait(20)
        return add(*arguments, **values)  # type: ignore[arg-type]

    monkeypatch.setattr(jobs._store, "add", slow)
    body = multipart(("a.txt", b"willow"))
    _left(lambda: jobs.add_files(CALLER, b"edge", pieces(body), "key"), begun, go_on)
    again = asyncio.run(jobs.add_files(CALLER, b"edge", pieces(body), "key"))
    assert [job.job_id for job in jobs.page(CALLER)] == [again.job_id]
    jobs.start()
    assert ended(jobs, again).state == "done"
    assert "willow" in texts(place)["a.txt"]


def test_a_file_that_is_being_written_is_not_closed_before_that_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number of a closed file is soon another file's: what is written then would go there."""
    begun, go_on = threading.Event(), threading.Event()
    write, close = os.write, os.close
    said: list[str] = []

    def slow(descriptor: int, content: bytes) -> int:
        begun.set()
        go_on.wait(20)
        count = write(descriptor, content)
        said.append("written")
        return count

    def closing(descriptor: int) -> None:
        close(descriptor)
        said.append("closed")

    upload = Upload(tmp_path, b"edge", 1 << 20)
    body = multipart(("a.txt", b"x" * 100))
    with monkeypatch.context() as patch:
        patch.setattr("engine.service.jobs.uploads.os.write", slow)
        patch.setattr("engine.service.jobs.uploads.os.close", closing)
        _left(lambda: receive(pieces(body, len(body) - 20), upload), begun, go_on)
    assert said.index("written") < said.index("closed")
