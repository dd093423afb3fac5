"""`Pool`: threads that do the engine's work beside the event loop, behind a queue that is never long.

Work that cannot begin soon is refused at once, so that whoever asks may go elsewhere or come back; what does begin is
told how many wait behind it (`Pressure`), and may make itself lighter.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeAlias, TypeVar

from engine.errors import SearchCancelled
from engine.service.problems import Problem
from engine.settings import SearchSettings

T = TypeVar("T")
Level: TypeAlias = Literal[0, 1, 2]

LESS, NONE = 3, 12
"""So many requests waiting for each thread make a search rerank less, and so many not at all; at the latest so do half
of the queue, and three quarters."""
SHARE = 4
"""Under pressure, one in so many of the documents is reranked."""


@dataclass(frozen=True, slots=True)
class Pressure:
    """What work is told when it begins.

    Args:
        level: 0 where nothing waits to speak of; 1 where searches rerank less; 2 where they do not rerank.
        cancelled: Whether nobody waits for the outcome any more.
    """

    level: Level = 0
    cancelled: Callable[[], bool] = bool

    def settings(self, settings: SearchSettings) -> SearchSettings:
        """Return how to search: with a quarter of the documents reranked, or none."""
        if not self.level or not settings.rerank_depth:
            return settings
        depth = 0 if self.level == 2 else max(1, settings.rerank_depth // SHARE)
        return replace(settings, rerank_depth=depth)


class PoolMetrics(Protocol):
    """Whom a pool tells how it does (`watching.metrics.Metrics`)."""

    def pool(self, *, waiting: int, working: int) -> None:
        """Say how much waits and how much is worked on."""
        ...

    def waited(self, seconds: float) -> None:
        """Say how long something waited for a thread."""
        ...

    def refused(self, reason: str) -> None:
        """Say that something was refused: the queue was `full`, or it was `late`."""
        ...


class Pool:
    """Runs work in threads for one event loop.

    Args:
        threads: How much is worked on at once; 0 for one thread a processor.
        queue: How much may wait for a thread.
        seconds: After how many seconds, waiting included, work is given up.
        metrics: Told of the queue; None for nobody.
    """

    def __init__(self, threads: int, queue: int, seconds: float, metrics: PoolMetrics | None = None) -> None:
        self.threads = threads or len(os.sched_getaffinity(0))
        self.queue = queue
        self.seconds = seconds
        self._executor = ThreadPoolExecutor(self.threads, thread_name_prefix="quire-search")
        self._lock = threading.Lock()
        self._waiting = 0
        self._working = 0
        self._closed = False
        self._metrics = metrics

    @property
    def waiting(self) -> int:
        """How much waits for a thread."""
        return self._waiting

    @property
    def working(self) -> int:
        """How much is being worked on."""
        return self._working

    @property
    def level(self) -> Level:
        """How light a search that begins now makes itself."""
        # On many processors the queue would be full before so many wait for each: its half counts then.
        less = min(LESS * self.threads, max(1, self.queue // 2))
        none = min(NONE * self.threads, max(1, self.queue * 3 // 4))
        return 2 if self._waiting >= none else 1 if self._waiting >= less else 0

    async def run(self, work: Callable[[Pressure], T]) -> T:
        """Return what some work returns, done in a thread.

        Cancelling the task gives the work up: it never begins, or ends where it next asks `Pressure.cancelled`.

        Args:
            work: Called with the pressure at its beginning.

        Raises:
            Problem: 503, at once where as much waits as may, or when it takes too long.
        """
        given_up = threading.Event()
        began = time.monotonic()
        future = self._submit(work, given_up, began)
        try:
            async with asyncio.timeout(self.seconds) as limit:
                return await asyncio.wrap_future(future)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if self._closed and not (
                task and task.cancelling()
            ):  # it is the work that was cancelled, not the task
                raise Problem(503, "stopping", "the service is stopping", {"Retry-After": "5"}) from error
            raise
        except TimeoutError as error:
            if not limit.expired():
                raise  # the work's own
            if self._metrics is not None:
                self._metrics.refused("late")
            raise Problem(
                503,
                "timed-out",
                f"no answer within {self.seconds:g} seconds; ask again later, or for less at once",
                {"Retry-After": self._retry_after()},
            ) from error
        finally:
            given_up.set()
            if future.cancel():
                self._count(waiting=-1)

    def close(self) -> None:
        """Let work in progress end; what waits never begins."""
        self._closed = True
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _submit(self, work: Callable[[Pressure], T], given_up: threading.Event, began: float) -> Future[T]:
        def begin() -> T:
            level = self._count(waiting=-1, working=1)
            if self._metrics is not None:
                self._metrics.waited(time.monotonic() - began)
            try:
                if given_up.is_set():
                    raise SearchCancelled("given up before it began")
                return work(Pressure(level, given_up.is_set))
            finally:
                self._count(working=-1)

        if self._waiting >= self.queue + max(0, self.threads - self._working):
            if self._metrics is not None:
                self._metrics.refused("full")
            raise Problem(
                503,
                "overloaded",
                f"{self._waiting:,} requests wait already; ask again in a moment",
                {"Retry-After": self._retry_after()},
            )
        self._count(waiting=1)
        context = contextvars.copy_context()
        try:
            return self._executor.submit(context.run, begin)
        except RuntimeError as error:  # it is closed
            self._count(waiting=-1)
            raise Problem(503, "stopping", "the service is stopping", {"Retry-After": "5"}) from error

    def _count(self, *, waiting: int = 0, working: int = 0) -> Level:
        """Count what waits and what is worked on; return the level that comes of it."""
        with self._lock:
            self._waiting += waiting
            self._working += working
            if self._metrics is not None:
                self._metrics.pool(waiting=self._waiting, working=self._working)
            return self.level

    def _retry_after(self) -> str:
        """Return in how many seconds asking again makes sense: longer, the more waits for each thread."""
        return str(1 + min(self._waiting // (10 * self.threads), 30))
