"""The process that indexes, and dies of a document that says so: `python -m troubled_indexing`."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hashing_indexing

from engine.service.jobs import indexing_child
from engine.service.jobs.documents import documents_in
from indexer.errors import IndexUnavailable

stopping = threading.Event()
_signal = signal.signal


def _observed(number: int, handler: Any) -> Any:
    def told(number: int, frame: Any) -> None:
        stopping.set()
        handler(number, frame)

    return _signal(number, told)


def troubled(path: Path, options: Any) -> Iterator[Any]:
    """Yield the documents of a job, and do what their texts say."""
    for document in documents_in(path, options):
        match document.text:
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "fail":
                raise RuntimeError("a fault of our own")
            case "away" if not path.with_name("asked").exists():
                path.with_name("asked").touch()
                raise IndexUnavailable("the cluster does not answer", retry_after=0.1)
            case "wait":
                yield document
                path.with_name("waiting").touch()
                while not stopping.is_set():
                    time.sleep(0.02)
                continue
        yield document


if __name__ == "__main__":
    signal.signal = _observed  # type: ignore[assignment]
    indexing_child.documents_in = troubled  # type: ignore[assignment]
    hashing_indexing.main()
