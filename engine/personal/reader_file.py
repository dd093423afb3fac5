"""The connections to the file of one tenant's readers: one state to read, one change at a time to write."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from queue import Empty, LifoQueue
from types import TracebackType
from typing import Any, Self

from engine.personal import schema


class ReaderFile(AbstractContextManager["ReaderFile"]):
    """A file that is made by the first write; its connections are shared by threads, lent to one at a time.

    Args:
        path: The file.
        tenant: Whose readers it keeps.
        wait: Seconds to wait for another process to finish its change.
    """

    def __init__(self, path: Path, tenant: str, wait: float) -> None:
        self.path = path
        self.tenant = tenant
        self.new_key = os.urandom(32)  # the file's, if it is made through this object
        self._wait = wait
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()
        self._writing = threading.Lock()

    @property
    def exists(self) -> bool:
        """Whether anything was ever written for this tenant."""
        return self.path.exists()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that sees one state of the file from start to end; only where the store `exists`."""
        with self.borrowed() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection inside a transaction that is committed at the block's end, or undone by an error."""
        with self._writing:
            if not self.exists:
                schema.create(self.path, self.tenant, self.new_key)
            with self.borrowed() as connection:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise

    @contextmanager
    def borrowed(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection outside any transaction."""
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = schema.connect(self.path, self.tenant, self._wait)
        try:
            with schema.readable_errors(self.path):
                yield connection
        finally:
            self._idle.put(connection)

    def one(self, statement: str, *values: str) -> Any:
        """Return the first column of the first row, None when there is none."""
        if not self.exists:
            return None
        with self.borrowed() as connection:
            row = connection.execute(statement, values).fetchone()
        return row[0] if row else None

    @contextmanager
    def alone(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection outside any transaction, while no other thread of this process writes."""
        with self._writing, self.borrowed() as connection:
            yield connection

    def close(self) -> None:
        """Close the file; a store that is used again opens it again."""
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
