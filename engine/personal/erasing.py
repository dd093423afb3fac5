"""Forgetting a reader so that no byte of it is left in any file, also when the process is killed on the way.

1. The reader's number is written down in `erasures`: from here on it will be done, by whoever opens the file next.
2. One transaction takes away the reader's rows, documents that nobody else met, and what co-reading learnt of theirs.
3. The write-ahead log goes into the file and is cut to nothing; `VACUUM` writes the file anew, because SQLite's
   `secure_delete` overwrites deleted rows but not the stale copies that are left when rows move between pages; the
   log is cut again.
4. The number is crossed out.

Whoever erases holds a lock file, so that others who open the file meanwhile do not begin the same; the kernel drops
the lock when its owner dies.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import ReaderStoreBusy
from engine.personal.history import Forgotten
from engine.personal.lists_in_file import unlearn
from engine.personal.recording import floods_between, next_change, reader_number


def begin(connection: sqlite3.Connection, user_ids: Iterable[str]) -> None:
    """Write down who is to be erased, inside the caller's transaction; who is unknown is passed over."""
    numbers = {reader_number(connection, user_id) for user_id in user_ids} - {0}
    connection.executemany("INSERT OR IGNORE INTO erasures VALUES (?)", [(number,) for number in numbers])


def pending(connection: sqlite3.Connection) -> bool:
    """Whether an erasure was begun and not finished."""
    return connection.execute("SELECT 1 FROM erasures LIMIT 1").fetchone() is not None


def finish(connection: sqlite3.Connection, path: Path) -> Forgotten:
    """Finish every erasure that was begun; outside any transaction, holding the lock.

    Raises:
        ReaderStoreBusy: somebody has been reading an older state for longer than the connection waits. What was to
            be erased is in no answer any more; the bytes go when the file is opened next.
    """
    if not pending(connection):
        return Forgotten()
    connection.execute("BEGIN IMMEDIATE")
    try:
        numbers = [number for (number,) in connection.execute("SELECT reader FROM erasures ORDER BY reader")]
        forgotten = sum((_delete(connection, number) for number in numbers), Forgotten())
        connection.execute("UPDATE store SET erasures = erasures + ?", (forgotten.readers,))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    cut_log(connection, path)
    connection.execute("VACUUM")
    cut_log(connection, path)
    connection.executemany("DELETE FROM erasures WHERE reader = ?", [(number,) for number in numbers])
    return forgotten


def cut_log(connection: sqlite3.Connection, path: Path) -> None:
    """Take the write-ahead log into the file and cut it to nothing.

    Raises:
        ReaderStoreBusy: somebody reads an older state for longer than the connection waits.
    """
    [busy, _, _] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise ReaderStoreBusy(
            f"{path}: what was forgotten is in no answer any more, but another process has been reading the file "
            "all the while, so that its bytes cannot be overwritten yet; that is done when it is opened next, or "
            "forget the same again"
        )


def _delete(connection: sqlite3.Connection, reader: int) -> Forgotten:
    """Take away all rows of a reader."""
    uses = connection.execute(
        "SELECT document, count(*) FROM events WHERE reader = ? GROUP BY document", (reader,)
    ).fetchall()
    unlearn(connection, [document for document, _ in uses])
    events, declared, muted, known = (
        connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (reader,)).rowcount
        for table, column in (
            ("events", "reader"),
            ("declared", "reader"),
            ("muted", "reader"),
            ("readers", "number"),
        )
    )
    return Forgotten(known, events, declared, muted, _release(connection, uses))


def _release(connection: sqlite3.Connection, uses: Iterable[tuple[int, int]]) -> int:
    """Count fewer uses of documents, and drop those that are nobody's now; return how many those are."""
    dropped = 0
    for document, count in uses:
        connection.execute("UPDATE documents SET uses = uses - ? WHERE number = ?", (count, document))
        dropped += connection.execute(
            "DELETE FROM documents WHERE number = ? AND uses <= 0", (document,)
        ).rowcount
    return dropped


def forget_document(connection: sqlite3.Connection, user_id: str, doc_id: str) -> int:
    """Take away all that one reader did with one document, inside the caller's transaction; return how many events."""
    reader = reader_number(connection, user_id)
    row = connection.execute("SELECT number FROM documents WHERE doc_id = ?", (doc_id,)).fetchone()
    unmuted = connection.execute("DELETE FROM muted WHERE reader = ? AND name = ?", (reader, doc_id)).rowcount
    gone = 0
    if row is not None:
        gone = connection.execute(
            "DELETE FROM events WHERE reader = ? AND document = ?", (reader, row[0])
        ).rowcount
    if gone:
        unlearn(connection, [row[0]])
        _release(connection, [(row[0], gone)])
        connection.execute("UPDATE readers SET events = events - ? WHERE number = ?", (gone, reader))
        flood = int(floods_between(connection, reader))
        connection.execute("UPDATE readers SET flooding = ? WHERE number = ?", (flood, reader))
    if gone or unmuted:
        removed(connection, reader)
    return gone


def removed(connection: sqlite3.Connection, reader: int) -> None:
    """Say that something was taken out of a reader's history; with nothing left, the reader is unknown again."""
    change = next_change(connection)
    connection.execute(
        "UPDATE readers SET version = ?, removed = ? WHERE number = ?", (change, change, reader)
    )
    connection.execute(
        "DELETE FROM readers WHERE number = ?1 AND events = 0"
        " AND NOT EXISTS (SELECT 1 FROM declared WHERE reader = ?1)"
        " AND NOT EXISTS (SELECT 1 FROM muted WHERE reader = ?1)",
        (reader,),
    )


@contextmanager
def held(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold the lock of whoever erases, for the length of the block; gives whether it is held.

    Args:
        path: The file of readers.
        wait: Whether to wait while another process erases.
    """
    descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        yield False
        return
    except BaseException:
        os.close(descriptor)
        raise
    try:
        yield True
    finally:
        os.close(descriptor)
