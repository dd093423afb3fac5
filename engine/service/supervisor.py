"""`Supervisor`: several processes that answer from one address. One that dies is started again; the others go on.

All of them accept from the same socket, so that a connection that a dead one had not accepted is another's. A worker
that cannot even start the first time is a reason not to start at all; later it is tried again, after a while that
grows.
"""

from __future__ import annotations

import contextlib
import fcntl
import multiprocessing
import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from engine.errors import SearchError
from engine.service.listening import CannotServe
from engine.service.watching.logs import LOG, set_up, told
from engine.service.watching.metrics import forget_process, share_between_processes
from engine.service.worker import POLITE_SECONDS, STOPS, Plan, run_worker

READY = "ready"
SOON_SECONDS = 10.0
"""A worker that answered for less than this, or never, is started again only after a while."""

LONGEST_WAIT = 30.0
MOST_FAILURES = 10
"""More in a row are counted as so many: the longest wait is reached, and powers of two have an end."""
EXTRA_SECONDS = 10
"""How much longer than they should take workers are given to stop, before they are killed."""


@dataclass(slots=True)
class _Worker:
    number: int
    process: SpawnProcess | None = None
    pipe: Connection | None = None
    ready: float | None = None
    """When it could be asked; None before."""
    failures: int = 0
    again: float = field(default=0.0)
    """When to start it, while there is no process."""


class Supervisor:
    """Keeps a number of workers running. For the main thread.

    Args:
        plan: What each of them does.
        listener: Where from.
        count: How many.
        ready: Called when the first of them can be asked.
    """

    def __init__(self, plan: Plan, listener: socket.socket, count: int, *, ready: Callable[[], None]) -> None:
        self._plan = plan
        self._listener = listener
        self._ready = ready
        self._workers = [_Worker(number) for number in range(count)]
        self._stopping = False
        self._announced = False
        self._context = multiprocessing.get_context("spawn")

    def run(self) -> None:
        """Run until told to stop.

        Raises:
            SearchError: a worker could not start.
        """
        set_up(self._plan.configuration.service.log)
        with _metrics_folder() as folder, self._signals() as woken:
            self._plan = replace(self._plan, folder=folder)
            try:
                while not self._stopping:
                    self._start_those_due()
                    self._hear(woken)
            finally:
                self._stop()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[socket.socket]:
        """Note signals to stop; yields a socket that can be read when there was one."""
        woken, waking = socket.socketpair()
        for one in (woken, waking):
            one.setblocking(False)
        wakeup = signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
        before = {stop: signal.signal(stop, self._told_to_stop) for stop in STOPS}
        try:
            yield woken
        finally:
            for stop, handler in before.items():
                signal.signal(stop, handler)
            signal.set_wakeup_fd(wakeup)
            woken.close()
            waking.close()

    def _told_to_stop(self, *_: object) -> None:
        self._stopping = True

    def _start_those_due(self) -> None:
        now = time.monotonic()
        for worker in self._workers:
            if worker.process is None and worker.again <= now:
                self._start(worker)

    def _start(self, worker: _Worker) -> None:
        """Start a worker; where the machine has no room for one just now, it is tried again.

        Raises:
            CannotServe: there is no room, and no worker answered before.
        """
        try:
            worker.process, worker.pipe = self._spawned(worker.number)
            worker.ready = None
        except OSError as error:
            if not self._announced:
                raise CannotServe(f"a worker could not be started: {error.strerror}") from error
            pause = self._put_off(worker)
            LOG.error(
                "a worker could not be started, and is tried again",
                extra={"fields": {"worker": worker.number, "why": error.strerror or "", "in_seconds": pause}},
            )

    def _spawned(self, number: int) -> tuple[SpawnProcess, Connection]:
        # The worker's end of the pipe can be read, at its end, when this process is gone: that is how it knows.
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_work,
            args=(replace(self._plan, number=number), self._listener, theirs),
            name=f"quire-worker-{number}",
        )
        # A Ctrl-C before the worker can handle it would be told as a fault.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        try:
            process.start()
        except BaseException:
            ours.close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
            theirs.close()
        return process, ours

    def _hear(self, woken: socket.socket) -> None:
        """Wait until a worker says something, ends, or is to be started; or until a signal comes."""
        now = time.monotonic()
        due = [max(0.0, one.again - now) for one in self._workers if one.process is None]
        pipes = {one.pipe: one for one in self._workers if one.pipe is not None}
        sentinels = {one.process.sentinel: one for one in self._workers if one.process is not None}
        heard = wait([*pipes, *sentinels, woken], timeout=min(due, default=None))
        for thing in heard:
            if isinstance(thing, Connection) and thing in pipes:
                self._said(pipes[thing])
        if self._stopping:
            return
        for thing in heard:
            if isinstance(thing, int) and thing in sentinels:
                self._ended(sentinels[thing])

    def _said(self, worker: _Worker) -> None:
        """Take in what a worker says.

        Raises:
            SearchError: it cannot start, and it is the first time.
        """
        pipe = worker.pipe
        if pipe is None:
            return
        try:
            said = pipe.recv()
        except (EOFError, OSError):
            worker.pipe = None
            pipe.close()
            return
        if said == READY:
            worker.ready = time.monotonic()
            if not self._announced:
                self._announced = True
                self._ready()
        elif not self._announced and isinstance(said, SearchError):
            raise said
        else:
            LOG.error(
                "a worker could not start", extra={"fields": {"worker": worker.number, "why": str(said)}}
            )

    def _ended(self, worker: _Worker) -> None:
        """Have a worker that ended started again.

        Raises:
            CannotServe: it never got as far as to answer, and no other did.
        """
        process = worker.process
        if process is None:
            return
        process.join()
        code = process.exitcode
        if worker.pipe is not None:
            if worker.pipe.poll():
                self._said(worker)  # why it could not start, which may come together with its end
            if worker.pipe is not None:
                worker.pipe.close()
        worker.process = worker.pipe = None
        process.close()
        forget_process(Path(self._plan.folder), worker.number)
        if not self._announced:
            raise CannotServe(f"a worker ended before it could answer, {_how(code)}; its log says more")
        if worker.ready is not None and time.monotonic() - worker.ready >= SOON_SECONDS:
            worker.failures = 0
        pause = self._put_off(worker)
        LOG.error(
            "a worker ended and is started again",
            extra={"fields": {"worker": worker.number, "how": _how(code), "in_seconds": pause}},
        )

    def _put_off(self, worker: _Worker) -> float:
        """Have a worker started after a while, which grows with each failure in a row; return how long that is."""
        worker.failures = min(worker.failures + 1, MOST_FAILURES)
        pause = min(2.0 ** (worker.failures - 2), LONGEST_WAIT) if worker.failures > 1 else 0.0
        worker.again = time.monotonic() + pause
        return pause

    def _stop(self) -> None:
        """Tell all workers to stop, wait for them, and kill those that do not."""
        self._listener.close()
        alive = [one.process for one in self._workers if one.process is not None]
        for process in alive:
            process.terminate()
        seconds = self._plan.configuration.service.drain_seconds + POLITE_SECONDS + EXTRA_SECONDS
        until = time.monotonic() + seconds
        for process in alive:
            process.join(max(0.0, until - time.monotonic()))
            if process.is_alive():
                LOG.error(
                    "a worker did not stop in time and was killed", extra={"fields": {"pid": process.pid}}
                )
                process.kill()
                process.join()


@contextlib.contextmanager
def _metrics_folder() -> Iterator[str]:
    """Make the folder of the processes' numbers, locked: systemd-tmpfiles passes over what is, however old it is.

    Where /tmp is in memory, files that are written through a mapping keep the age they began with.
    """
    with tempfile.TemporaryDirectory(prefix="quire-metrics-") as folder:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield folder
        finally:
            os.close(descriptor)


def _how(code: int | None) -> str:
    """Return in words how a process ended."""
    if code is not None and code < 0:
        try:
            return f"by signal {signal.Signals(-code).name}"
        except ValueError:
            return f"by signal {-code}"
    return f"with status {code}"


def _work(plan: Plan, listener: socket.socket, pipe: Connection) -> None:
    """Be a worker."""
    set_up(plan.configuration.service.log, worker=plan.number)
    share_between_processes(Path(plan.folder), plan.number)

    def ready() -> None:
        with contextlib.suppress(OSError):  # the supervisor is gone, which the lifeline tells at once
            pipe.send(READY)

    try:
        with socket.socket(fileno=os.dup(pipe.fileno())) as lifeline, listener:
            run_worker(plan, listener, ready=ready, orphaned=lifeline)
    except SearchError as error:
        _confess(pipe, error)
        raise SystemExit(1) from None
    except Exception as error:
        LOG.exception("a worker failed")
        _confess(pipe, CannotServe(f"a worker failed: {told(error)['kind']}; its log says more"))
        raise SystemExit(1) from None


def _confess(pipe: Connection, error: SearchError) -> None:
    """Tell the supervisor why this worker does not work."""
    with contextlib.suppress(OSError):
        pipe.send(CannotServe(str(error)))
