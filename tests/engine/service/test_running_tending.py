"""What a process does beside answering."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from engine.errors import IndexOpenError
from engine.service.settings import ServiceSettings
from engine.service.tending import Tending, resident
from engine.service.watching.metrics import Metrics


class Fake:
    """A service whose index changes as it is told."""

    def __init__(self, *outcomes: bool | Exception) -> None:
        self.outcomes = list(outcomes)
        self.done = asyncio.Event()
        self.told: list[str] = []
        self.metrics = Metrics()
        self.pool = SimpleNamespace(waiting=3, working=2)
        self.engines = SimpleNamespace(refresh=self._refresh, generation=7, of=lambda tenant: self)
        self.jobs = SimpleNamespace(
            start=lambda: self.told.append("start"),
            stop=lambda: self.told.append("stop"),
            counts=lambda: {"queued": 4},
        )

    def _refresh(self) -> bool:
        if not self.outcomes:
            self._loop.call_soon_threadsafe(self.done.set)
            return False
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def search(self, text: str, k: int) -> None:
        self.told.append(f"search {k}")

    def prepare_completions(self) -> None:
        self.told.append("completions")

    def close(self) -> None:
        self.told.append("close")

    async def tended(self) -> Tending:
        self._loop = asyncio.get_running_loop()
        app: Any = SimpleNamespace(state=SimpleNamespace(service=self))
        tending = Tending(app, ServiceSettings())
        tending.start()
        return tending


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sleep = asyncio.sleep
    monkeypatch.setattr("engine.service.tending.asyncio.sleep", lambda _: sleep(0))


def test_generations_are_taken_up_as_they_come_and_one_that_cannot_be_read_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="quire.service")

    async def run() -> Fake:
        damaged = IndexOpenError("damaged")
        service = Fake(False, True, damaged, ValueError("a bug"), True, damaged)
        tending = await service.tended()
        await service.done.wait()
        await tending.stop()
        return service

    service = asyncio.run(run())
    events = [record.message for record in caplog.records]
    assert events.count("a newer generation of the index") == 2
    assert events.count("the newest generation cannot be read; the one at hand stays") == 2
    told = service.metrics.render().decode()
    assert "quire_index_generation 7.0" in told
    assert "quire_index_reloads_total 2.0" in told
    assert service.told.count("completions") == 2


def test_jobs_are_run_and_what_there_is_to_do_is_told() -> None:
    async def run() -> Fake:
        service = Fake()
        tending = await service.tended()
        await service.done.wait()
        await tending.stop()
        tending.close()
        return service

    service = asyncio.run(run())
    assert service.told[0] == "start"
    assert service.told[-2:] == ["stop", "close"]
    told = service.metrics.render().decode()
    assert 'quire_jobs{state="queued"} 4.0' in told
    assert "quire_pool_waiting 3.0" in told
    assert "quire_pool_working 2.0" in told


def test_a_process_knows_how_large_it_is() -> None:
    assert 1_000_000 < resident() < 100_000_000_000
