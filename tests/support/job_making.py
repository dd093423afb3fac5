"""What tests of indexing jobs give, and wait for."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from engine.service.access.caller import Caller
from engine.service.jobs import Job, Jobs
from indexer.encoder import HashingEncoder
from indexer.index import Index

CALLER = Caller("key1", "default", frozenset({"index"}))
PATIENCE = 60.0


def given(
    doc_id: str, text: str = "a lantern in the meadow", **metadata: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a document as `Jobs.add_documents` takes it."""
    return {"doc_id": doc_id, "title": "", "text": text, "metadata": metadata}, {}


def ended(jobs: Jobs, job: Job) -> Job:
    """Return a job once it has come to its end."""
    return until(lambda: (found := jobs.get(CALLER, job.job_id)).is_finished and found)


def until(found: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Return what is found, as soon as it is."""
    give_up = time.monotonic() + patience
    while not (value := found()):
        assert time.monotonic() < give_up, "it did not come about"
        time.sleep(0.01)
    return value


def texts(place: Path) -> dict[str, str]:
    """Return the documents of an index by their ids."""
    with Index.open(place, encoder=HashingEncoder(32)) as index:
        return {document.doc_id: document.text for document in index.documents()}


async def pieces(body: bytes, size: int = 65_536) -> Any:
    """Yield a body as it might arrive."""
    for at in range(0, len(body), size):
        yield body[at : at + size]


def multipart(
    *files: tuple[str, bytes], boundary: bytes = b"edge", fields: tuple[tuple[str, str], ...] = ()
) -> bytes:
    """Return a body of form-data: files by name, after fields."""
    parts = [
        b"--" + boundary + f'\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields
    ]
    parts += [
        b"--"
        + boundary
        + b'\r\nContent-Disposition: form-data; name="file"; filename="'
        + name.encode()
        + b'"\r\nContent-Type: application/octet-stream\r\n\r\n'
        + content
        + b"\r\n"
        for name, content in files
    ]
    return b"".join(parts) + b"--" + boundary + b"--\r\n"


def upload(
    jobs: Jobs, *files: tuple[str, bytes], key: str | None = None, fields: tuple[tuple[str, str], ...] = ()
) -> Job:
    """Upload files, as a browser would."""
    return asyncio.run(jobs.add_files(CALLER, b"edge", pieces(multipart(*files, fields=fields)), key))


def below(place: Path) -> Iterator[Path]:
    """Yield what is in a folder and its folders, some of which may go while they are looked at: those of jobs do."""
    for folder, folders, files in os.walk(place):
        yield from (Path(folder, name) for name in (*folders, *files))
