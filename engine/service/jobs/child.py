"""`Child`: a process that is told what to do in one line of JSON, and tells in such lines how it is getting on.

It gets its orders on standard input, never on its command line, where others could read them. Its standard input stays
open as long as whoever started it lives: its end tells the child that nobody waits for it any more.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import IO, Any

_LOOK_SECONDS = 0.2
_PIECE = 1 << 16
_SHOWN_ERROR = 2000
_LONGEST_LINE = 16 << 20

_LEFT_OUT = ("QUIRE_TOKEN_SECRET", "QUIRE_ELASTICSEARCH_", "QUIRE_SERVICE_")


class Silence(Exception):
    """The child has said nothing for too long, or nothing that ends."""


class Child:
    """A child process; a context manager that leaves none behind.

    Args:
        module: What it runs; called as `python -m module`.
        order: What it is told.
        environment: Its environment.
        folder: Where it runs; None for where this process does.
    """

    def __init__(
        self,
        module: str,
        order: Mapping[str, object],
        environment: Mapping[str, str],
        folder: str | None = None,
    ) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-s", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
        )
        try:
            self._input.write(json.dumps(order).encode() + b"\n")
            self._input.flush()
        except BrokenPipeError:
            pass  # it is dead already; `lines` ends at once, and `outcome` says why

    @property
    def _input(self) -> IO[bytes]:
        if self._process.stdin is None:
            raise RuntimeError("a child has a standard input")
        return self._process.stdin

    def lines(self, seconds: float | None, look: Callable[[], None]) -> Iterator[dict[str, Any]]:
        """Yield what it says until it ends.

        Args:
            seconds: How long it may take from one line to the next; None for ever.
            look: Called a few times a second; what it raises comes through.

        Raises:
            Silence: it took longer.
        """
        if self._process.stdout is None:
            raise RuntimeError("a child has a standard output")
        descriptor = self._process.stdout.fileno()
        waiting = b""
        heard = time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while True:
                look()
                if not selector.select(_LOOK_SECONDS):
                    if seconds is not None and time.monotonic() - heard > seconds:
                        raise Silence
                    continue
                piece = os.read(descriptor, _PIECE)
                if not piece:
                    break
                heard = time.monotonic()
                *whole, waiting = (waiting + piece).split(b"\n")
                if len(waiting) > _LONGEST_LINE:
                    raise Silence
                for line in whole:
                    yield _understood(line)
        self._process.wait()

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def end(self) -> int:
        """End it now, if it still runs; return its exit status, negative for the signal that ended it."""
        if self._process.poll() is None:
            self._process.kill()
        status = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue
        return status

    def outcome(self) -> str:
        """Return how it ended, in words, with the last that it complained of."""
        status = self.end()
        if status < 0:
            return f"it was ended by {signal.Signals(-status).name}"
        last = self.complaints().rstrip().rpartition("\n")[2]
        return f"it ended with status {status}" + (f": {last}" if last else "")

    def complaints(self) -> str:
        """Return the end of what it wrote to standard error."""
        self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(self._errors.tell() - _SHOWN_ERROR, 0))
        return self._errors.read().decode(errors="replace")

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        self._errors.close()


def _understood(line: bytes) -> dict[str, Any]:
    """Return what a line says; nothing at all where it is none of ours, as where a library has printed something."""
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def bare_environment(folder: str) -> dict[str, str]:
    """Return the environment of a process that reads files of strangers: it holds no secret, because next to nothing.

    Args:
        folder: For its temporary files.
    """
    return {
        "PYTHONPATH": _places(),
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
        "TMPDIR": folder,
        "HOME": folder,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def own_environment() -> dict[str, str]:
    """Return the environment of a process that indexes: this one's, without what it has no business with."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
    return kept | {"PYTHONPATH": _places()}


def _places() -> str:
    """Return where this process finds its modules, for a child to find the same ones."""
    return os.pathsep.join(path or os.getcwd() for path in sys.path)
