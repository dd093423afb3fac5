"""One writer at a time: an advisory lock that the kernel drops when its owner dies."""

from __future__ import annotations

import fcntl
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

from indexer.errors import IndexLocked


class WriterLock:
    """The lock of the index at `folder`; a context manager.

    Raises:
        IndexLocked: somebody holds it; the message names the process, its machine and since when.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "writer.lock"
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock or raise; never waits."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.pread(descriptor, 500, 0).decode(errors="replace").strip() or "an unnamed process"
            os.close(descriptor)
            raise IndexLocked(
                f"{self._path.parent}: {owner} is writing to this index; wait until it is done, or stop it "
                "(the lock goes when its process ends)"
            ) from error
        name = f"process {os.getpid()} on {socket.gethostname()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, name.encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> WriterLock:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
