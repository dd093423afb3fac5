"""`Tending`: what a process does beside answering: it warms up, takes up new generations, runs jobs, counts itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.service.watching.logs import LOG

if TYPE_CHECKING:
    from fastapi import FastAPI

    from engine.service.settings import ServiceSettings

WARM = "warming up"
"""What is searched for before the first reader comes: any words do, as models and files are what counts."""

SAMPLE_SECONDS = 1.0
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
        self._failing = False

    def warm(self) -> None:
        """Load the models and read the index, so that the first search is as quick as the second.

        Raises:
            SearchError: the index cannot be read.
        """
        if self._service is None:
            return
        engine = self._service.engines.of(self._settings.tenant)
        engine.search(WARM, k=1)
        self._service.metrics.generation(self._service.engines.generation)
        threading.Thread(target=self._complete, name="quire-completions", daemon=True).start()

    def start(self) -> None:
        """Begin, on the running event loop."""
        if self._service is None:
            return
        self._tasks = [asyncio.create_task(self._poll()), asyncio.create_task(self._sample())]
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
        if self._traces is not None:
            self._traces.close()
        if self._service is not None:
            self._service.close()

    async def _poll(self) -> None:
        """Take up newer generations of the index as they come; one that cannot be read is told once."""
        while True:
            await asyncio.sleep(self._settings.refresh_seconds)
            try:
                newer = await asyncio.to_thread(self._service.engines.refresh)
            except Exception:  # whatever it is, the next look may find better
                if not self._failing:
                    LOG.warning("the newest generation cannot be read; the one at hand stays", exc_info=True)
                self._failing = True
                continue
            self._failing = False
            if newer:
                number = self._service.engines.generation
                LOG.info("a newer generation of the index", extra={"fields": {"generation": number}})
                self._service.metrics.generation(number, newer=True)
                await asyncio.to_thread(self._complete)

    def _complete(self) -> None:
        """Make what completions need of the current generation."""
        try:
            self._service.engines.of(self._settings.tenant).prepare_completions()
        except Exception:  # they are made when somebody first types, then
            LOG.warning("completions could not be prepared", exc_info=True)

    async def _sample(self) -> None:
        """Say every second how much there is to do."""
        metrics, pool = self._service.metrics, self._service.pool
        failing = False
        while True:
            metrics.pool(waiting=pool.waiting, working=pool.working)
            metrics.memory(resident())
            if self._jobs is not None:
                try:
                    metrics.jobs(await asyncio.to_thread(self._jobs.counts))
                    failing = False
                except Exception:  # whatever it is, the next look may find better
                    if not failing:
                        LOG.warning("jobs could not be counted", exc_info=True)
                    failing = True
            await asyncio.sleep(SAMPLE_SECONDS)


def resident() -> int:
    """Return the bytes of memory that this process has; 0 where the system does not say."""
    try:
        return int(_PAGES.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
