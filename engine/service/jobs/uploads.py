"""multipart/form-data as it arrives: every file straight to the disk, under a number; none is held in memory."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

from engine.event import name_fault
from engine.service.jobs import folders
from engine.service.jobs.folders import Listed
from engine.service.jobs.job import Refusal
from engine.service.jobs.names import clean_name
from engine.service.limits import invalid
from engine.service.problems import Problem
from indexer.document import MAX_DOC_ID

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

T = TypeVar("T")
Given = TypeVarTuple("Given")

MOST_FILES = 1000
LONGEST_NAME = 16_384
"""Bytes of one part's header: the name of its file is in it."""
LONGEST_FIELD = 4 * MAX_DOC_ID
RECORDS = (".jsonl", ".ndjson", ".csv", ".tsv")


@dataclass(slots=True)
class Received:
    """What an upload held.

    Args:
        files: The files that are to be read.
        refusals: The files that are not, and why.
        size: Bytes of all files.
        digest: Of names and contents, for telling a repeated request from another one.
    """

    files: list[Listed] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    size: int = 0
    digest: str = ""


class Upload:
    """Takes in one multipart/form-data body, piece by piece.

    A field `doc_id` names the file that comes next; without one, a file's own name, cleaned, is its document's id.
    Other fields are refused: what is misspelt should not pass unseen.

    Args:
        folder: The job's folder; files are written to `files/` in it.
        boundary: Of the body, from its Content-Type.
        most: Bytes that the body may have.
    """

    def __init__(self, folder: Path, boundary: bytes, most: int) -> None:
        from python_multipart.exceptions import FormParserError
        from python_multipart.multipart import MultipartParser

        callbacks: MultipartCallbacks = {
            "on_part_begin": self._part_begins,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_ends,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._part_data,
            "on_part_end": self._part_ends,
            "on_end": self._body_ends,
        }
        self._failure = FormParserError
        try:
            self._parser = MultipartParser(boundary, callbacks, max_header_size=LONGEST_NAME)
        except self._failure as error:
            raise _malformed(error) from error
        self._folder = folder / folders.FILES
        self._folder.mkdir()
        self._most = most
        self._arrived = 0
        self._digest, self._content = hashlib.sha256(), hashlib.sha256()
        self._received = Received()
        self._names: set[str] = set()
        self._headers: dict[str, bytes] = {}
        self._header = [b"", b""]
        self._descriptor: int | None = None
        self._field = b""
        self._name = ""
        self._given = ""
        self._count = 0
        self._whole = False

    def take(self, piece: bytes) -> None:
        """Take the next piece of the body; writes to the disk.

        Raises:
            Problem: 400, 413, 422, 507.
        """
        self._arrived += len(piece)
        if self._arrived > self._most:
            raise Problem(
                413,
                "body-too-large",
                f"an upload may have {self._most:,} bytes here; found more",
                most=self._most,
            )
        with folders.room_expected():
            try:
                self._parser.write(piece)
            except self._failure as error:
                raise _malformed(error) from error

    def finish(self) -> Received:
        """Return what was received, once all of it is on the disk.

        Raises:
            Problem: 400: the body ends early. 422: it holds no file.
        """
        if not self._whole:
            raise Problem(400, "malformed", "the body ends before its last boundary: send all of it")
        if self._given:
            raise invalid("doc_id", "names the file that comes after it; found none after the last")
        if not self._count:
            raise invalid(
                "file", "at least one file is expected: a part of form-data with a filename; found none"
            )
        with folders.room_expected():
            folders.sync_all(self._folder)
        self._received.digest = self._digest.hexdigest()
        return self._received

    def close(self) -> None:
        """Let go of the file that is being written, if one is."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _part_begins(self) -> None:
        self._headers, self._field = {}, b""

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header[0] += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1] += data[start:end]

    def _header_ends(self) -> None:
        self._headers[self._header[0].decode("latin-1").lower()] = self._header[1]
        self._header = [b"", b""]

    def _headers_end(self) -> None:
        from python_multipart.multipart import parse_options_header

        disposition, options = parse_options_header(
            self._headers.get("content-disposition", b"").decode("latin-1")
        )
        if disposition != b"form-data":
            raise Problem(
                400, "malformed", "every part of form-data has a Content-Disposition that says so; found none"
            )
        self._name = options.get(b"name", b"").decode(errors="replace")
        if b"filename" in options:
            self._file_begins(options[b"filename"].decode(errors="replace"))
        elif self._name != "doc_id":
            raise invalid(
                self._name[:80] or "(no name)", "is no field of an upload: there are files, and doc_id"
            )
        elif self._given:
            raise invalid("doc_id", "names the file that comes after it; found two before one file")

    def _file_begins(self, filename: str) -> None:
        self._count += 1
        if self._count > MOST_FILES:
            raise invalid("file", f"an upload has at most {MOST_FILES:,} files; found more")
        path = self._folder / f"{self._count:06d}"
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        name = self._given or clean_name(filename)
        suffix_of = clean_name(filename)
        self._digest.update(repr((name, suffix_of)).encode())
        self._content = hashlib.sha256()
        reason = self._fault(name, suffix_of)
        if reason:
            self._received.refusals.append(Refusal.of(name or filename or "a file without a name", reason))
        else:
            self._names.add(name)
            self._received.files.append(Listed(f"{folders.FILES}/{path.name}", name, kind=suffix_of))
        self._given = ""

    def _fault(self, name: str, filename: str) -> str:
        """Return why a file of this name is not taken; empty where it is."""
        if not name:
            return (
                "has no name that is left when it is cleaned: give it a filename, or a field doc_id before it"
            )
        if len(name) > MAX_DOC_ID:
            return (
                f"has a name of {len(name):,} characters, more than a document's id may have, {MAX_DOC_ID:,}"
            )
        if name in self._names:
            return "has the name of a file before it in this upload, which is kept: give it another"
        if self._given and filename.lower().removesuffix(".gz").endswith(RECORDS):
            return "holds many documents, whose ids are in it: leave the field doc_id before it out"
        return ""

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._descriptor is None:
            self._field += data[start:end]
            if len(self._field) > LONGEST_FIELD:
                raise invalid("doc_id", f"has at most {MAX_DOC_ID:,} characters, found more")
            return
        view = memoryview(data)[start:end]
        self._content.update(view)
        self._received.size += len(view)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def _part_ends(self) -> None:
        if self._descriptor is not None:
            self.close()
            self._digest.update(self._content.digest())
            return
        self._given = self._field.decode(errors="replace")
        fault = name_fault(self._given, MAX_DOC_ID)
        if fault:
            raise invalid("doc_id", fault)

    def _body_ends(self) -> None:
        self._whole = True


async def receive(pieces: AsyncIterator[bytes], upload: Upload) -> Received:
    """Take in a body, writing to the disk in another thread than the one that answers requests.

    Raises:
        Problem: 400, 413, 422, 507, as `Upload` says.
    """
    try:
        async for piece in pieces:
            if piece:
                await to_its_end(upload.take, piece)
        return await to_its_end(upload.finish)
    finally:
        upload.close()


async def to_its_end(work: Callable[[*Given], T], *given: *Given) -> T:
    """Return what work in a thread returns; whoever is cancelled meanwhile is so when it is over, and not before.

    Else the client that goes away would have the file that is being written closed, and the folder of the job that is
    being stored removed, under the thread that is at it.
    """
    from anyio import to_thread

    doing = asyncio.ensure_future(to_thread.run_sync(work, *given))
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        while not doing.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait((doing,))
        raise


def _malformed(error: Exception) -> Problem:
    return Problem(400, "malformed", f"the body is not multipart/form-data as its Content-Type says: {error}")
