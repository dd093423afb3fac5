"""What a process does beside answering."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
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
        self.done, self.well = asyncio.Event(), asyncio.Event()
        self.told: list[str] = []
        self.metrics = Metrics()
        self.pool = SimpleNamespace(waiting=3, working=2)
        self.engines = SimpleNamespace(
            refresh=self._refresh, generation=5, of=lambda tenant: self, lookups=lambda: {"scores": (3, 1)}
        )
        self.jobs = SimpleNamespace(
            start=lambda: self.told.append("start"),
            stop=lambda: self.told.append("stop"),
            counts=self._counts,
        )
        self._looks: Counter[str] = Counter()

    def _looked(self, look: str) -> None:
        """Note a look; everything is done when each was made again after the last outcome."""
        if not self.outcomes:
            self._looks[look] += 1
        if min(self._looks[each] for each in ("refresh", "counts", "completions")) >= 3:
            self._loop.call_soon_threadsafe(self.done.set)

    def _counts(self) -> dict[str, int]:
        self._looked("counts")
        return {"queued": 4}

    def _refresh(self) -> bool:
        self._looked("refresh")
        if not self.outcomes:
            return False
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        self.engines.generation += outcome
        return outcome

    def search(self, text: str, k: int) -> None:
        self.told.append(f"search {k}")

    def prepare_completions(self) -> None:
        self.told.append("completions")
        self._looked("completions")

    def close(self) -> None:
        self.told.append("close")

    async def tended(self) -> Tending:
        self._loop = asyncio.get_running_loop()
        app: Any = SimpleNamespace(state=SimpleNamespace(service=self))
        tending = Tending(app, ServiceSettings())
        tending.warm()
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
    assert service.told.count("completions") > 2, "at every look: only then is what was put off made at all"


def test_a_generation_that_a_search_took_up_by_itself_is_told_too() -> None:
    async def run() -> Fake:
        service = Fake(False)
        tending = await service.tended()
        service.engines.generation = 8  # as when points in time are gone, and a search turns to the newest
        await service.done.wait()
        await tending.stop()
        return service

    told = asyncio.run(run()).metrics.render().decode()
    assert "quire_index_generation 8.0" in told
    assert "quire_index_reloads_total 1.0" in told


@pytest.mark.parametrize("name", ["memory", "pool", "generation", "jobs"])
def test_nothing_that_fails_ends_the_looks_or_keeps_it_from_stopping(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each look was a task that died at the first error of some kinds, and then kept jobs from being stopped."""

    async def run() -> Fake:
        service = Fake(True, True, True)
        failures = iter([OSError("no space left"), RuntimeError("can't start new thread")])
        real = getattr(service.metrics, name)

        def failing(*given: object, **named: object) -> None:
            error = next(failures, None)
            if error is not None:
                raise error
            real(*given, **named)
            service.well.set()

        tending = await service.tended()
        monkeypatch.setattr(service.metrics, name, failing)
        await service.well.wait()
        await service.done.wait()
        await tending.stop()
        return service

    assert "stop" in asyncio.run(run()).told
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1


def test_jobs_are_run_and_what_there_is_to_do_is_told() -> None:
    async def run() -> Fake:
        service = Fake()
        tending = await service.tended()
        await service.done.wait()
        await tending.stop()
        tending.close()
        return service

    service = asyncio.run(run())
    assert service.told[:2] == ["search 1", "start"]
    assert service.told[-2:] == ["stop", "close"]
    told = service.metrics.render().decode()
    assert 'quire_jobs{state="queued"} 4.0' in told
    assert "quire_pool_waiting 3.0" in told
    assert "quire_pool_working 2.0" in told
    assert 'quire_cache_hits_total{cache="scores"} 3.0' in told


def test_a_process_knows_how_large_it_is() -> None:
    assert 1_000_000 < resident() < 100_000_000_000
