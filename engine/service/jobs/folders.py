"""The folder of a job: the files that were sent, the list of what is to be read, and the documents read of them.

<state>/jobs/<job id>/
    files.jsonl       what is to be read, one file a line (`Listed`)
    files/000001      uploads, by number: no name that somebody sent becomes a path
    documents.jsonl   the documents, one a line
    paths.json        of a job of paths: those that were accepted
    ids.json          of a job that deletes: the ids
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from engine.service.jobs.troubles import disk_full
from indexer.local.durable import sync_folder

FILES, LISTED, DOCUMENTS, IDS, PATHS = "files", "files.jsonl", "documents.jsonl", "ids.json", "paths.json"

ABANDONED_SECONDS = 60.0
"""Age from which a folder that nobody holds may be taken for one whose making was cut short."""

_SYNCS = 16


@dataclass(frozen=True, slots=True)
class Listed:
    """A file to be read.

    Args:
        path: Where it is: absolute, or, of an upload, in the job's folder.
        name: The document's id, where the file is one document; and what it is called in messages.
        kind: The name by whose suffix it is read; `name` where empty.
        walked: Whether it was found in a folder, where files of other kinds are passed over in silence.
    """

    path: str
    name: str
    kind: str = ""
    walked: bool = False

    @property
    def upload(self) -> bool:
        """Whether somebody sent it."""
        return not self.path.startswith("/")


def write_listed(folder: Path, files: Iterable[Listed]) -> int:
    """Write the list of what is to be read, durably, whole or not at all; return how many files that is."""
    beside = folder / f".{LISTED}.new"
    count = 0
    with beside.open("w", encoding="utf-8", errors="surrogateescape") as file:
        for each in files:
            file.write(json.dumps([each.path, each.name, each.kind, each.walked]) + "\n")
            count += 1
        synced(file)
    beside.replace(folder / LISTED)
    sync_folder(folder)
    return count


def read_listed(folder: Path) -> Iterator[Listed]:
    """Yield what is to be read, in its order."""
    with (folder / LISTED).open(encoding="utf-8") as file:
        for line in file:
            yield Listed(*json.loads(line))


def write_json(path: Path, value: object) -> None:
    """Write a value as JSON, durably."""
    with path.open("w", encoding="utf-8") as file:
        json.dump(value, file)
        synced(file)
    sync_folder(path.parent)


def read_json(path: Path) -> Any:
    """Return the value that `write_json` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def synced(file: IO[Any]) -> None:
    """Put on the disk what was written to a file."""
    file.flush()
    os.fsync(file.fileno())


def sync_all(folder: Path) -> None:
    """Put a folder of files on the disk, many of them at once: that takes a tenth of the time of one by one."""
    with ThreadPoolExecutor(_SYNCS) as pool:
        for _ in pool.map(_sync_file, folder.iterdir()):
            continue
    sync_folder(folder)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(folder: Path) -> None:
    """Remove a job's folder, whatever of it is there."""
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def made(folder: Path) -> Iterator[None]:
    """Make a job's folder, which is this process's own until the block ends."""
    folder.mkdir(mode=0o700)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def abandoned(folder: Path) -> bool:
    """Return whether nobody makes a folder any more: whoever began to has ended in the middle of it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return time.time() - os.fstat(descriptor).st_mtime > ABANDONED_SECONDS
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)


@contextmanager
def room_expected() -> Iterator[None]:
    """Turn a full disk into a problem.

    Raises:
        Problem: 507.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full() from error
        raise
