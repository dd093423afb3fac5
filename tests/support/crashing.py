"""What the children of test_crash do; in a module of its own, so that a new process can import it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from indexer.document import Document
from indexer.encoder.hashing import HashingEncoder
from indexer.index import Index
from small_corpus import make_document

DOCUMENTS = 24


def corpus() -> list[Document]:
    """Return new documents, and second versions of some of the first."""
    return [make_document(number, words=80, seed=1) for number in range(DOCUMENTS)]


def start(path: Path) -> None:
    """Make the index that the children go on with: older versions of some documents, and two that must go."""
    index = Index.create(path, encoder=HashingEncoder(32), exact_up_to=20)
    with index.writer() as writer:
        for number in range(0, DOCUMENTS, 3):
            writer.add(make_document(number, words=40))
        writer.add(Document("gone-1", "to be deleted"))
        writer.add(Document("gone-2", "to be deleted"))


def work(path: Path, acknowledged: int, counted: Any, limit: int) -> None:
    """Index the corpus, committing after every third document; runs in the child."""
    calls = 0

    def count(frame: FrameType, event: str, arg: object) -> None:
        nonlocal calls
        if event in ("call", "c_call", "c_return"):
            calls += 1
            if calls == limit:
                os.kill(os.getpid(), signal.SIGKILL)

    index = Index.open(path, encoder=HashingEncoder(32), exact_up_to=20)
    sys.setprofile(count)
    with index.writer() as writer:
        for number, document in enumerate(corpus()):
            writer.add(document)
            if number == 5:
                writer.delete("gone-1")
            if number % 3 == 2:
                writer.commit()
                os.write(acknowledged, f"{number}\n".encode())
        writer.delete("gone-2")
    sys.setprofile(None)
    if counted is not None:
        counted.value = calls


def run_child(path: Path, log: Path, limit: int, counted: Any) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    work(path, descriptor, counted, limit)
