"""The file of one tenant's readers: its tables, its connections, and what its errors mean.

    store      one row: format, tenant, the key of pseudonyms, how many changes there were, how many erasures
    readers    number -> user_id; how many events, whether they are a flood; the change that touched it last
    documents  number -> doc_id; how many events have it. Those of nobody's are not kept
    events     by reader and identity: document, kind, time in microseconds since 1970, weight, the change that added it
    declared   interests in the reader's own words
    muted      what the reader turned off: a doc_id, or a declared text
    erasures   numbers of readers who are to be erased, until nothing is left of them

Numbers of readers and documents are given in ascending order and never twice. A kind that Quire knows is kept as its
place in `engine.event.KINDS`, any other as text; an identity of 32 hexadecimal digits as its 16 bytes.
"""

from __future__ import annotations

import os
import re
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import InvalidProfileChange, ReaderStoreBusy, ReaderStoreError

FOLDER = "readers"
SUFFIX = ".db"
FORMAT = 1
APPLICATION = 0x51524452  # "QRDR", in the file's header
WAIT = 30.0  # seconds for another process to finish its change
_TENANT = re.compile("[A-Za-z0-9_-]{1,64}")

_TABLES = """
CREATE TABLE store (format INTEGER NOT NULL, tenant TEXT NOT NULL, key BLOB NOT NULL, changes INTEGER NOT NULL,
    erasures INTEGER NOT NULL);
CREATE TABLE readers (number INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL,
    removed INTEGER NOT NULL, events INTEGER NOT NULL, flooding INTEGER NOT NULL, salt BLOB NOT NULL);
CREATE TABLE documents (number INTEGER PRIMARY KEY AUTOINCREMENT, doc_id TEXT NOT NULL UNIQUE, uses INTEGER NOT NULL);
CREATE TABLE events (reader INTEGER NOT NULL, identity NOT NULL, document INTEGER NOT NULL, kind NOT NULL, at INTEGER,
    weight REAL NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (reader, identity)) WITHOUT ROWID;
CREATE TABLE declared (reader INTEGER NOT NULL, text TEXT NOT NULL, at INTEGER, weight REAL NOT NULL,
    PRIMARY KEY (reader, text)) WITHOUT ROWID;
CREATE TABLE muted (reader INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (reader, name)) WITHOUT ROWID;
CREATE TABLE erasures (reader INTEGER PRIMARY KEY)
"""


def file_of(folder: str | Path, tenant: str) -> Path:
    """Return where the readers of a tenant are kept, given the folder of the index.

    Raises:
        InvalidProfileChange: that is no name of a tenant.
    """
    return Path(folder) / FOLDER / f"{checked_tenant(tenant)}{SUFFIX}"


def checked_tenant(tenant: str) -> str:
    """Return the name of a tenant.

    Raises:
        InvalidProfileChange: that is none.
    """
    if not isinstance(tenant, str) or not _TENANT.fullmatch(tenant):
        raise InvalidProfileChange(
            f"a tenant's name is 1 to 64 letters (a to z), digits, - and _; found {str(tenant)!r:.80}"
        )
    return tenant


def create(path: Path, tenant: str, key: bytes) -> None:
    """Make the file, unless another process is faster; whole or not at all.

    Raises:
        ReaderStoreError: there is no index folder, or it cannot be written to.
    """
    if not path.parent.parent.is_dir():
        raise ReaderStoreError(
            f"{path.parent.parent} is not a folder; readers are kept in the folder of an index: make that first"
        )
    with readable_errors(path):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=path.parent) as beside:
            made = Path(beside) / path.name
            connection = sqlite3.connect(made, isolation_level=None)
            try:
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("BEGIN")
                for statement in _TABLES.split(";"):
                    connection.execute(statement)
                connection.execute("INSERT INTO store VALUES (?, ?, ?, 0, 0)", (FORMAT, tenant, key))
                connection.execute("COMMIT")
            finally:
                connection.close()
            _sync(made)
            made.chmod(0o600)
            try:
                os.link(made, path)
            except FileExistsError:
                return
        _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def connect(path: Path, tenant: str, wait: float = WAIT) -> sqlite3.Connection:
    """Return a connection to a file that is there; transactions are the caller's.

    Raises:
        ReaderStoreError: it is damaged, of another format, of another tenant, or something else.
    """
    alone = not os.access(path.parent, os.W_OK)  # SQLite cannot keep its shared memory on a read-only medium
    uri = f"{path.absolute().as_uri()}?mode={'ro&immutable=1' if alone else 'rw'}"
    with readable_errors(path):
        connection = sqlite3.connect(
            uri, uri=True, isolation_level=None, check_same_thread=False, timeout=wait
        )
        try:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA cache_size = -8000")
            _check(connection, path, tenant)
        except BaseException:
            connection.close()
            raise
    return connection


def _check(connection: sqlite3.Connection, path: Path, tenant: str) -> None:
    [application] = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION:
        raise ReaderStoreError(
            f"{path} is a SQLite file, but none of Quire's readers; move it away, or name another tenant"
        )
    found = connection.execute("SELECT format, tenant FROM store").fetchone()
    if found is None or found[0] != FORMAT:
        raise ReaderStoreError(
            f"{path} has format {found[0] if found else 'nothing'}; this version of Quire reads format {FORMAT}: "
            "export the events with the version that wrote it, and import them here"
        )
    if found[1] != tenant:
        raise ReaderStoreError(
            f"{path} holds the readers of tenant {found[1]!r}, not of {tenant!r}; tenants never mix: put the "
            "file back where it was, or export its events and import them under the other name"
        )


@contextmanager
def readable_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors and those of the file system into `ReaderStoreError` and `ReaderStoreBusy`."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        said = str(error)
        if "locked" in said or "busy" in said:
            raise ReaderStoreBusy(f"{path}: another process is changing it; try again later") from error
        if "full" in said:
            raise ReaderStoreError(
                f"{path}: the disk is full ({error}); what was added before is safe: make room, and do it again"
            ) from error
        if "readonly" in said:
            raise ReaderStoreError(f"{path} cannot be written to ({error})") from error
        raise ReaderStoreError(
            f"{path} cannot be read as Quire's readers ({error}); restore it from a copy, or move it away and "
            "import the events again"
        ) from error
    except UnicodeDecodeError as error:
        raise ReaderStoreError(
            f"{path} is damaged: it holds text that is none; restore it from a copy, or move it away and import "
            "the events again"
        ) from error
    except OSError as error:
        raise ReaderStoreError(f"{path}: {error.strerror or error}") from error
