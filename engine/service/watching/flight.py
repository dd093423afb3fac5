"""`Flight`: the requests that are being answered, and how those are ended that take longer than a stop may."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Flight:
    """Which requests are under way in this process. For its event loop alone."""

    def __init__(self) -> None:
        self.draining = False
        """Whether the service has been told to stop: what is under way is finished, nothing new is asked for."""
        self.ending = False
        """Whether the time for that is up."""
        self._tasks: set[asyncio.Task[object]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count the task that runs this as a request under way."""
        task = asyncio.current_task()
        if task is None:
            yield
            return
        self._tasks.add(task)
        try:
            yield
        finally:
            self._tasks.discard(task)

    def end(self) -> None:
        """Cancel what is under way; each request is told so in its answer (`requests.Requests`)."""
        self.ending = True
        for task in list(self._tasks):
            task.cancel()
