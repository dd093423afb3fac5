"""Files that survive a crash: atomic replacement, folder syncs, checksums, and errors mapped."""

from __future__ import annotations

import errno
import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer.errors import IndexCorrupt, IndexFull, IndexLocked

_PIECE = 1 << 20


def sync_folder(folder: Path) -> None:
    """Make the folder's own entries durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_atomically(path: Path, content: bytes) -> None:
    """Write `content` beside `path`, sync it, rename it over `path`, sync the folder."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def checksum(path: Path, size: int | None = None) -> int:
    """Return the CRC-32 of the file's first `size` bytes, or of all of it."""
    value = 0
    left = path.stat().st_size if size is None else size
    with path.open("rb") as file:
        while left > 0:
            piece = file.read(min(_PIECE, left))
            if not piece:
                break
            value = zlib.crc32(piece, value)
            left -= len(piece)
    return value


@contextmanager
def mapped_storage_errors(what: str) -> Iterator[None]:
    """Turn the errors of SQLite, tantivy and the file system into `IndexFull` and `IndexCorrupt`.

    Args:
        what: What was being done, for the message ("committing generation 3").
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        if "full" in str(error):
            raise IndexFull(_full(what, error)) from error
        if "locked" in str(error):
            raise IndexLocked(f"{what}: another process holds the index's SQLite file; try again") from error
        raise _corrupt(what, error) from error
    except UnicodeDecodeError as error:  # what SQLite holds, or says, is not text any more
        raise _corrupt(what, error) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise IndexFull(_full(what, error)) from error
        raise
    except ValueError as error:  # tantivy raises its I/O errors as ValueError
        if "No space left" in str(error) or "os error 28" in str(error):
            raise IndexFull(_full(what, error)) from error
        raise


def _full(what: str, error: Exception) -> str:
    return f"{what}: the disk is full ({error}); everything committed before is safe: make room and run the same again"


def _corrupt(what: str, error: Exception) -> IndexCorrupt:
    return IndexCorrupt(
        f"{what}: SQLite says {error}; restore the index folder from a copy, or index the documents again"
    )
