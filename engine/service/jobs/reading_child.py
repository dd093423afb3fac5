"""The process that reads files of strangers: `python -m engine.service.jobs.reading_child`.

It is told on standard input which job's folder holds the list of files, and where to begin in it. For every file it
says on standard output that it begins, and then what came of it, so that whoever started it knows which one it died of.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import Any

from engine.service.jobs import folders
from engine.service.jobs.folders import Listed
from engine.service.jobs.job import SHOWN_REFUSALS, Refusal
from engine.service.jobs.limits import Limits, Sandbox, die_with
from engine.service.jobs.listing import listed_under
from engine.service.jobs.roots import Roots
from engine.service.jobs.saying import say
from indexer.document import Document, ReadFailure
from indexer.errors import InvalidDocument
from indexer.readers import ReadOptions, read_corpus
from indexer.readers.beir import CORPUS
from indexer.readers.formats import DOCUMENTS, RECORDS, UNREAD_DOCUMENTS, stem_of, suffix_of
from indexer.readers.sniff import sniffed
from indexer.transfer import document_to_json

_OUTSIDE = "leads outside the roots of this service, and was not read"


def main() -> None:
    """Do what standard input says."""
    order = json.loads(sys.stdin.buffer.readline())
    die_with(order["parent"])  # before anything is written: whoever takes over writes to the same file
    limits = Limits(**order["limits"])
    folder = Path(order["folder"])
    roots, options = Roots.from_json(order["roots"]), ReadOptions(**order["options"])
    if order["list"]:
        sandbox = Sandbox(limits)
        sandbox.renew(0)
        for found in listed_under(order["list"], roots, options):
            say(**found)
        say(end=True)
        return
    with (folder / folders.DOCUMENTS).open("r+b", buffering=0) as output:
        output.truncate(order["offset"])
        output.seek(order["offset"])
        sandbox = Sandbox(limits)
        try:
            _read(Reading(folder, roots, options, limits), order["first"], output, sandbox)
        except NoRoom:
            say(full=True)


def _read(reading: Reading, first: int, output: FileIO, sandbox: Sandbox) -> None:
    for number, listed in enumerate(folders.read_listed(reading.folder)):
        if number < first:
            continue
        sandbox.renew(output.tell())
        say(begun=number, name=listed.name)
        say(read=number, **reading.file(listed, output), offset=output.tell())
        if sandbox.worn:
            say(again=number + 1)
            return
    say(end=True)


class NoRoom(Exception):
    """The disk is full."""


class Reading:
    """Reads the files of one job.

    Args:
        folder: The job's folder.
        roots: Where files that were not uploaded may be.
        options: How they are read.
        limits: For messages.
    """

    def __init__(self, folder: Path, roots: Roots, options: ReadOptions, limits: Limits) -> None:
        self.folder = folder
        self._roots = roots
        self._options = options
        self._limits = limits
        self._stage = folder / f"stage-{secrets.token_hex(8)}"
        self._stage.mkdir()

    def file(self, listed: Listed, output: FileIO) -> dict[str, Any]:
        """Write the documents of a file; return how many, and what was refused of it: all or nothing of a file."""
        before = output.tell()
        found = _Found()
        try:
            with self._staged(listed) as path:
                if listed.walked and not suffix_of(listed.name)[0] and sniffed(path, walked=True) is None:
                    return {"documents": 0, "refused": 0, "refusals": [], "skipped": 1}
                for item in self._items(path, listed):
                    found.take(item, output)
        except (MemoryError, OSError, InvalidDocument) as error:
            output.seek(before)
            output.truncate()
            found = _Found()
            found.take(ReadFailure(listed.name, self._reason(error)), output)
        return {"documents": found.documents, "refused": found.refused, "refusals": found.shown, "skipped": 0}

    def _reason(self, error: Exception) -> str:
        if isinstance(error, MemoryError):
            return (
                f"takes more than the {self._limits.megabytes:,} MB of memory that reading one file may take"
            )
        if isinstance(error, OSError) and error.errno == errno.EFBIG:
            return (
                f"gives more text than the {self._limits.megabytes:,} MB of one file, or with the files before it more "
                f"than the {self._limits.total_megabytes:,} MB of one job: split it, or send it in another job"
            )
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoRoom from error
        return f"cannot be read: {error.strerror or error}" if isinstance(error, OSError) else str(error)

    def _items(self, path: Path, listed: Listed) -> Iterator[Document | ReadFailure]:
        """Yield what a file holds, under the names that it goes by: no reader is told the folders of the machine."""
        records = suffix_of(path.name)[0] in RECORDS
        for item in read_corpus(path, self._sized(path)):
            if isinstance(item, ReadFailure):
                yield ReadFailure(item.source.replace(str(path), listed.name), item.reason)
            elif records:
                yield replace(item, source=item.source.replace(str(path), listed.name))
            else:
                title = stem_of(listed.name) if item.title == stem_of(path.name) else item.title
                yield replace(item, doc_id=listed.name, title=title, source=listed.name)

    def _sized(self, path: Path) -> ReadOptions:
        """Return how to read a file: room is made at once for the largest that may be, so that is said no higher."""
        size = path.stat().st_size
        if size > self._options.max_file_bytes:
            return self._options
        return replace(self._options, max_file_bytes=max(size, 1))

    @contextmanager
    def _staged(self, listed: Listed) -> Iterator[Path]:
        """Give a path that has the suffix by which a file is read, and nothing else of its name."""
        suffix, packed = suffix_of(listed.kind or listed.name)
        known = suffix if suffix in DOCUMENTS or suffix in RECORDS or suffix in UNREAD_DOCUMENTS else ""
        if suffix and not known:
            known = ".unknown"
        last = (listed.kind or listed.name).rpartition("/")[2]
        name = last if last in CORPUS else f"{secrets.token_hex(12)}{known}{'.gz' if packed else ''}"
        path = self._stage / name
        if listed.upload:
            path.symlink_to(self.folder / listed.path)
            descriptor = None
        else:
            descriptor = self._opened(listed.path)
            path.symlink_to(f"/proc/self/fd/{descriptor}")
        try:
            yield path
        finally:
            os.unlink(path)
            if descriptor is not None:
                os.close(descriptor)

    def _opened(self, path: str) -> int:
        """Open a file that must be under the roots, even where somebody moves links about meanwhile."""
        if not self._roots.allows(os.path.realpath(path)):
            raise PermissionError(errno.EPERM, _OUTSIDE)
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if not self._roots.allows(os.readlink(f"/proc/self/fd/{descriptor}")):
            os.close(descriptor)
            raise PermissionError(errno.EPERM, _OUTSIDE)
        return descriptor


class _Found:
    """What one file held."""

    def __init__(self) -> None:
        self.documents = 0
        self.refused = 0
        self.shown: list[list[str]] = []

    def take(self, item: Document | ReadFailure, output: FileIO) -> None:
        if isinstance(item, Document):
            line = memoryview(json.dumps(document_to_json(item)).encode() + b"\n")
            while line:
                line = line[output.write(line) :]
            self.documents += 1
            return
        self.refused += 1
        if len(self.shown) < SHOWN_REFUSALS:
            refusal = Refusal.of(item.source, item.reason)
            self.shown.append([refusal.source, refusal.reason])


if __name__ == "__main__":
    main()
