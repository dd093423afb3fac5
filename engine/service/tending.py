"""`Tending`: what a process does beside answering: it warms up, takes up new generations, runs jobs, counts itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.service.watching.logs import LOG

if TYPE_CHECKING:
    from fastapi import FastAPI

    from engine.service.settings import ServiceSettings

WARM = "warming up"
"""What is searched for before the first reader comes: any words do, as models and files are what counts."""

SAMPLE_SECONDS = 1.0
NO_NEWER = "the newest generation cannot be read; the one at hand stays"
NO_COMPLETIONS = "completions could not be prepared"  # they are made when somebody first types, then
NOT_COUNTED = "what there is to do could not be counted"
_PAGES = Path("/proc/self/statm")


class Tending:
    """Looks after one process.

    Args:
        app: The application; `state.service` is the service, if it has one.
        settings: How often.
    """

    def __init__(self, app: FastAPI, settings: ServiceSettings) -> None:
        self._service: Any = getattr(app.state, "service", None)
        self._traces: Any = getattr(app.state, "traces", None)
        self._jobs: Any = getattr(self._service, "jobs", None)
        self._settings = settings
        self._tasks: list[asyncio.Task[None]] = []
        self._told = 0

    def warm(self) -> None:
        """Load the models and read the index, so that the first search is as quick as the second.

        Raises:
            SearchError: the index cannot be read.
        """
        if self._service is None:
            return
        self._engine().search(WARM, k=1)
        self._told = self._service.engines.generation
        self._service.metrics.generation(self._told)

    def start(self) -> None:
        """Begin, on the running event loop."""
        if self._service is None:
            return
        looks = (
            (self._take_up, self._settings.refresh_seconds, NO_NEWER),
            (self._complete, self._settings.refresh_seconds, NO_COMPLETIONS),
            (self._sample, SAMPLE_SECONDS, NOT_COUNTED),
        )
        self._tasks = [asyncio.create_task(self._again(*look)) for look in looks]
        if self._jobs is not None:
            self._jobs.start()

    async def stop(self) -> None:
        """End, while requests under way are finished."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._jobs is not None:
            await asyncio.to_thread(self._jobs.stop)

    def close(self) -> None:
        """Let go of the service."""
        try:
            if self._traces is not None:
                self._traces.close()
        finally:
            if self._service is not None:
                self._service.close()

    def _engine(self) -> Any:
        return self._service.engines.of(self._settings.tenant)

    async def _again(self, look: Callable[[], Awaitable[None]], seconds: float, failed: str) -> None:
        """Look every so often, for as long as the process answers; looks that fail are told once, in these words."""
        failing = False
        while True:
            try:
                await look()
                failing = False
            except Exception:  # whatever it is, the next look may find better
                if not failing:
                    LOG.warning(failed, exc_info=True)
                failing = True
            await asyncio.sleep(seconds)

    async def _take_up(self) -> None:
        """Take up a newer generation of the index, where there is one; a search may have done so before."""
        number = await asyncio.to_thread(self._newest)
        newer, self._told = number != self._told, number
        if newer:
            LOG.info("a newer generation of the index", extra={"fields": {"generation": number}})
            self._service.metrics.generation(number, newer=True)

    def _newest(self) -> int:
        self._service.engines.refresh()
        number: int = self._service.engines.generation
        return number

    async def _complete(self) -> None:
        """Make what completions need of a newer generation, unless that takes long and was done a short while ago."""
        await asyncio.to_thread(self._engine().prepare_completions)

    async def _sample(self) -> None:
        """Say how much there is to do."""
        metrics, pool = self._service.metrics, self._service.pool
        metrics.pool(waiting=pool.waiting, working=pool.working)
        metrics.memory(resident())
        metrics.caches(self._service.engines.lookups())
        if self._jobs is not None:
            metrics.jobs(await asyncio.to_thread(self._jobs.counts))


def resident() -> int:
    """Return the bytes of memory that this process has; 0 where the system does not say."""
    try:
        return int(_PAGES.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
