"""The process that reads files, taken over by one of them: `python -m hostile_reading`.

It stands for a reader with a hole in it. A file whose text begins with one of the words below makes it misbehave.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.service.jobs import reading_child
from indexer.readers import read_corpus


def loop() -> None:
    """Take time for ever."""
    while True:
        pass


def sleep() -> None:
    """Wait for ever."""
    time.sleep(1000)


def eat() -> None:
    """Take memory without end, past every except clause."""
    kept = []
    while True:
        try:
            kept.append(bytearray(1 << 24))
        except MemoryError:
            ctypes.string_at(0)  # as C++ code ends that does not check


def swallow() -> None:
    """Take more memory than there may be, politely."""
    bytearray(1 << 40)


def crash() -> None:
    """End by a fault of memory."""
    ctypes.string_at(0)


def kill() -> None:
    """End as the kernel ends what takes too much."""
    signal.raise_signal(signal.SIGKILL)


def leave() -> None:
    """End without a word."""
    os._exit(3)


def connect() -> None:
    """Call home."""
    socket.create_connection(("127.0.0.1", 9), timeout=1)


def spawn() -> None:
    """Start a program."""
    subprocess.run(["true"], check=True)


def write() -> None:
    """Write a file that is not its own."""
    Path(os.environ["TMPDIR"], "written").write_text("x")


def tell() -> None:
    """Say all that it knows of its surroundings, as an error."""
    raise OSError(
        f"environment {sorted(os.environ)} arguments {sys.argv[1:]} descriptors {len(os.listdir('/proc/self/fd'))}"
    )


def fill() -> None:
    """Find the disk full."""
    raise OSError(errno.ENOSPC, "No space left on device")


def garble() -> None:
    """Say something that is no progress."""
    sys.stdout.write("not JSON\n")
    sys.stdout.flush()


DEEDS = {
    deed.__name__: deed
    for deed in (loop, sleep, eat, swallow, crash, kill, leave, connect, spawn, write, tell, fill, garble)
}


def hostile(path: Path, options: Any) -> Iterator[Any]:
    """Read a file, and do what it says."""
    word = path.read_bytes()[:20].split(b" ")[0].decode()
    if word in DEEDS:
        DEEDS[word]()
    yield from read_corpus(path, options)


if __name__ == "__main__":
    reading_child.read_corpus = hostile  # type: ignore[assignment]
    reading_child.main()
