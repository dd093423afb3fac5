"""Killed at any moment: what was acknowledged is done, in its order, by whoever comes next."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from job_making import CALLER, ended, given, texts, until

from engine.service.jobs import Jobs


@pytest.fixture
def begin(tmp_path: Path, place: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Begin processes that take in jobs and do them."""
    begun: list[subprocess.Popen[str]] = []

    def make(name: str, count: int) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "jobs_killed", str(tmp_path / "state"), str(place), name, str(count)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)},
        )
        begun.append(process)
        return process

    yield make
    for process in begun:
        process.kill()
        process.communicate()


def killed(process: subprocess.Popen[str], seconds: float) -> list[tuple[str, str, bool]]:
    """Kill a process some seconds after its first job; return what it tried, and whether that was acknowledged."""
    assert process.stdout is not None
    lines = [process.stdout.readline(), process.stdout.readline()]
    timer = threading.Timer(seconds, process.send_signal, (signal.SIGKILL,))
    timer.start()
    lines += process.stdout.readlines()
    timer.join()
    process.wait()
    tried: list[tuple[str, str, bool]] = []
    for line in lines:
        word, *rest = line.split()
        if word == "try" and len(rest) == 2:
            tried.append((rest[0], rest[1], False))
        elif word == "taken":
            tried[-1] = (*tried[-1][:2], True)
    return tried


def expected(tried: list[tuple[str, str, bool]], before: dict[str, str]) -> tuple[dict[str, str], set[str]]:
    """Return the documents that there are when all that was acknowledged is done, and those that may be otherwise."""
    found, open_to_chance = dict(before), set()
    for kind, doc_id, sure in tried:
        touched = {doc_id, "shared"} if kind == "replace" else {doc_id}
        if not sure:
            open_to_chance |= touched
            continue
        open_to_chance -= touched
        if kind == "delete":
            found.pop(doc_id, None)
        else:
            found |= {name: f"{'shared' if name == 'shared' else kind} {doc_id}" for name in touched}
    return found, open_to_chance


@pytest.mark.parametrize("seed", range(3))
def test_nothing_acknowledged_is_lost_nor_done_out_of_its_order(
    begin: Callable[..., subprocess.Popen[str]], make_jobs: Callable[..., Jobs], place: Path, seed: int
) -> None:
    chance = random.Random(seed)
    before = texts(place)
    tried: list[tuple[str, str, bool]] = []
    for life in range(3):
        tried += killed(begin(f"s{seed}l{life}", 8), chance.uniform(0.0, 2.0))
    jobs = make_jobs()
    until(lambda: all(job.is_finished for job in jobs.page(CALLER, limit=100)))
    wanted, open_to_chance = expected(tried, before)
    found = texts(place)
    assert {name: text for name, text in found.items() if name not in open_to_chance} == {
        name: text for name, text in wanted.items() if name not in open_to_chance
    }
    assert sum(sure for _, _, sure in tried) >= 3
    assert not [job for job in jobs.page(CALLER, limit=100) if job.state != "done"]
    kept = {job.job_id for job in jobs.page(CALLER, limit=100)}
    until(lambda: not kept & {folder.name for folder in (place.parent / "state" / "jobs").iterdir()})


def test_another_process_takes_over_from_one_that_is_killed(
    begin: Callable[..., subprocess.Popen[str]], make_jobs: Callable[..., Jobs], place: Path
) -> None:
    first = begin("first", 1)
    assert first.stdout is not None
    first.stdout.readline()
    standing_by = make_jobs()
    until(lambda: all(job.is_finished for job in standing_by.page(CALLER)))
    waiting = standing_by.add_documents(CALLER, [given("after")])
    assert ended(standing_by, waiting).state == "done"  # by the first: it has the lock
    first.kill()
    first.wait()
    assert ended(standing_by, standing_by.add_documents(CALLER, [given("later")])).state == "done"
    assert {"after", "later"} <= set(texts(place))
