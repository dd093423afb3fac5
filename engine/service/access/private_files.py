"""Files that nobody but their owner reads: made and replaced whole, one process at a time, reread when they change."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from engine.service.access.errors import AccessFileError
from indexer.local.durable import sync_folder

T = TypeVar("T")
_Stamp = tuple[int, int, int, int]


@contextmanager
def locked(folder: Path, name: str) -> Iterator[None]:
    """Wait until no other process or thread holds the lock `name` in the folder, and hold it meanwhile.

    The folder is made when it is absent, for its owner alone: whoever owns the folder that it is in, also where root
    makes it, so that the service's own user can read what an administrator adds. The kernel drops the lock of a process
    that dies.

    Raises:
        AccessFileError: the folder cannot be made or written to.
    """
    try:
        _make(folder)
        descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _belong(descriptor, folder)
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_private(path: Path, content: bytes) -> None:
    """Write `content` beside `path` with mode 0600, sync it, rename it over `path`, sync the folder.

    It belongs to the folder's owner.

    A reader sees the whole of the old file or the whole of the new one, and so does whoever comes after a crash.

    Raises:
        AccessFileError: it cannot be written; the old file is as it was.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                _belong(file.fileno(), path.parent)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError:
            beside.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error


def _make(folder: Path) -> None:
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        _belong(folder, folder.parent)


def _belong(made: int | Path, folder: Path) -> None:
    """Give what was made to the owner of a folder, where it is root that made it; nobody else can, or need."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(made, owner.st_uid, owner.st_gid)


class Watched(Generic[T]):
    """What a file says, read again whenever the file is another one than before.

    Whether it is, the file's inode, size and times tell: a file that is replaced has other ones, so a change holds
    from the next question on, in every process, and asking costs one `stat`.

    Args:
        path: The file, which need not be there.
        parse: Makes of its bytes what it says, and of None what holds where there is no file.
    """

    def __init__(self, path: Path, parse: Callable[[bytes | None], T]) -> None:
        self.path = path
        self._parse = parse
        self._known: tuple[_Stamp | None, T] | None = None

    def value(self) -> T:
        """Return what the file says now.

        Raises:
            AccessFileError: it cannot be read. What it said before does not hold any more: a damaged file lets
                nobody in.
        """
        stamp = self._stamp()
        known = self._known
        if known is None or known[0] != stamp:
            # The stamp was taken first: where the file changes in between, the next question reads it once more.
            known = self._known = (stamp, self._parse(self._content() if stamp else None))
        return known[1]

    def _stamp(self) -> _Stamp | None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(self.path, error) from error
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

    def _content(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(self.path, error) from error


def _unreadable(path: Path, error: OSError) -> AccessFileError:
    return AccessFileError(
        f"{path} cannot be read: {error.strerror or error}; the service's user has to be able to"
    )


def _unwritable(path: Path, error: OSError) -> AccessFileError:
    return AccessFileError(
        f"{path} cannot be written: {error.strerror or error}; make room, or let its owner do it"
    )
