"""How workers are kept running: what is done about those that cannot start, or end again and again."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.configuration import load
from engine.service import supervisor
from engine.service.listening import CannotServe
from engine.service.supervisor import SOON_SECONDS, Supervisor
from engine.service.worker import Plan, standard


class Clock:
    """Stands still unless it is moved."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(supervisor, "time", made)
    return made


@pytest.fixture
def kept(tmp_path: Path, clock: Clock) -> Iterator[Any]:
    """A supervisor of one worker, which was said to answer."""
    configuration = load(environ={"HOME": str(tmp_path)}, folder=tmp_path)
    with socket.socket() as listener:
        made: Any = Supervisor(
            Plan(tmp_path, configuration, standard, folder=str(tmp_path)), listener, 1, ready=bool
        )
        made._announced = True
        yield made


def end(kept: Any, clock: Clock, *, starting: float, answering: float | None) -> float:
    """Have the worker live for so long, and end; return after how many seconds it is started again."""
    [worker] = kept._workers
    worker.process = SimpleNamespace(join=bool, close=bool, exitcode=-9)
    clock.now += starting
    worker.ready = None if answering is None else clock.now
    clock.now += answering or 0.0
    kept._ended(worker)
    assert worker.process is None
    return float(worker.again - clock.now)


def test_a_worker_that_ends_again_and_again_is_started_after_ever_longer_but_for_ever(
    kept: Any, clock: Clock
) -> None:
    """After 1,025 times, some eight hours, the power of two had no end, and the supervisor one: with all workers."""
    waited = [end(kept, clock, starting=1.0, answering=0.5) for _ in range(1100)]
    assert waited[:8] == [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert set(waited[8:]) == {30.0}
    assert end(kept, clock, starting=1.0, answering=SOON_SECONDS) == 0.0


def test_how_long_it_took_to_start_is_no_merit(kept: Any, clock: Clock) -> None:
    """A worker that took longer than ten seconds to fail was started again at once, for ever."""
    assert [end(kept, clock, starting=60.0, answering=None) for _ in range(4)] == [0.0, 1.0, 2.0, 4.0]
    assert end(kept, clock, starting=60.0, answering=1.0) == 8.0


def test_the_folder_of_numbers_is_left_alone_by_who_tidies_old_files_away() -> None:
    with supervisor._metrics_folder() as folder:
        descriptor = os.open(folder, os.O_RDONLY)
        with pytest.raises(BlockingIOError):  # as systemd-tmpfiles tries it
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)
    assert not Path(folder).exists()


@pytest.mark.parametrize("announced", [True, False])
def test_a_machine_without_room_for_a_process_does_not_end_those_that_there_are(
    kept: Any, monkeypatch: pytest.MonkeyPatch, announced: bool
) -> None:
    def full(**_: object) -> object:
        def start() -> None:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

        return SimpleNamespace(start=start)

    monkeypatch.setattr(kept._context, "Process", full)
    kept._announced = announced
    before = len(os.listdir("/proc/self/fd"))
    if announced:
        for _ in range(3):
            kept._start(kept._workers[0])
        assert kept._workers[0].process is None
        assert kept._workers[0].again > Clock.now
    else:
        with pytest.raises(CannotServe, match="could not be started: Resource temporarily unavailable"):
            kept._start(kept._workers[0])
    assert len(os.listdir("/proc/self/fd")) == before
