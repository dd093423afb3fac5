"""What readers share, kept in the file of readers: two tables beside those that `engine.personal.schema` describes.

    together  document -> how many readers; the nearest documents, and how near
    learnt    one row: up to which change, how often it was learnt, how often something of it was dropped, the facts

They are made by the first learning. What is to be forgotten is dropped in the transaction that forgets it (`unlearn`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.personal.coreading import Reads
from indexer.protocol import Numbers, Scores

if TYPE_CHECKING:
    from engine.personal.reader_file import ReaderFile
    from engine.personal.readers import Found

NUMBERS, VALUES = np.dtype("<i8"), np.dtype("<f4")
"""How a list of neighbours is kept."""
_FEW = 500  # values bound to one statement


class FileLists:
    """The lists in a file of readers (`engine.personal.readers.Lists`)."""

    def __init__(self, file: ReaderFile) -> None:
        self._file = file

    def stamp(self) -> str:
        """Return another text whenever anything that was learnt has changed; the empty one before anything was."""
        return self._state().stamp

    def facts(self) -> str:
        """Return what was written down of the last learning; the empty string before there was one."""
        return self._state().facts

    def near(self, doc_ids: Sequence[str]) -> dict[str, tuple[list[str], Scores]]:
        """Return the nearest of those of some documents that have a list, the nearest first, and how near."""
        if not self._file.exists:
            return {}
        with self._file.read() as connection:
            if not there(connection):
                return {}
            lists = dict(_lists(connection, doc_ids))
            near = [numbers for numbers, _ in lists.values()]
            names = dict(_named(connection, np.unique(np.concatenate(near)).tolist() if near else []))
        return {
            doc_id: ([names[number] for number in numbers.tolist()], values)
            for doc_id, (numbers, values) in lists.items()
        }

    def most_read(self, most: int) -> list[tuple[str, int]]:
        """Return the documents that most readers read, and how many did; ties by id."""
        if not self._file.exists:
            return []
        with self._file.read() as connection:
            if not there(connection):
                return []
            return connection.execute(
                "SELECT d.doc_id, t.readers FROM together t JOIN documents d ON d.number = t.document"
                " ORDER BY t.readers DESC, d.doc_id LIMIT ?",
                (most,),
            ).fetchall()

    def lesson(self) -> FileLesson:
        """Begin to learn."""
        with self._file.write() as connection:
            make_tables(connection)
        with self._file.read() as connection:
            [changes] = connection.execute("SELECT changes FROM store").fetchone()
            [readers] = connection.execute("SELECT count(*) FROM readers").fetchone()
            return FileLesson(self._file, state(connection), changes, readers)

    def _state(self) -> State:
        if self._file.exists:
            with self._file.read() as connection:
                if there(connection):
                    return state(connection)
        return State(0, 0, 0, "")


@dataclass(frozen=True, slots=True)
class FileLesson:
    """One learning of the lists in a file (`engine.personal.readers.Lesson`).

    Args:
        file: The file.
        before: The row of `learnt` as the lesson began.
        changes: The last change of the store, then.
        readers: How many readers there are.
    """

    file: ReaderFile
    before: State
    changes: int
    readers: int

    @property
    def facts(self) -> str:
        """What was written down of the last learning."""
        return self.before.facts

    def touched(self, reads: Reads) -> Numbers:
        """Return the documents whose lists may be other ones now, ascending.

        A document's list depends on its own readers alone: who they are, and what else they read. So it is another one
        where one of them changed, or was erased, which dropped the list; or where it lost an entry that was dropped,
        and then it shares a reader with the document of that entry.
        """
        with self.file.read() as connection:
            numbers = _numbers(connection, reads)
            missing = np.isin(numbers, np.setdiff1d(numbers, _kept(connection)))
            changed = _changed(connection, self.before.changes)
        sizes = np.diff(reads.starts)
        reader = np.repeat(np.arange(len(sizes)), sizes)
        concerned = np.bincount(reader, missing[reads.read], minlength=len(sizes)) > 0
        touched = missing | np.isin(numbers, changed)
        touched[reads.read[concerned[reader]]] = True
        return np.flatnonzero(touched)

    def keep(self, reads: Reads, found: Sequence[Found], *, fresh: bool, facts: Callable[[int], str]) -> bool:
        """Keep lists, in one transaction, unless something was dropped, or learnt elsewhere, meanwhile."""
        counts = reads.counts
        with self.file.write() as connection:
            if state(connection) != self.before:
                return False
            numbers = _numbers(connection, reads)
            made = [
                (
                    int(numbers[row]),
                    int(counts[row]),
                    numbers[others].astype(NUMBERS).tobytes(),
                    values.astype(VALUES).tobytes(),
                )
                for row, others, values in found
            ]
            if fresh:
                connection.execute("DELETE FROM together")
            else:
                gone = np.setdiff1d(_kept(connection), numbers).tolist()
                connection.executemany("DELETE FROM together WHERE document = ?", [(one,) for one in gone])
            connection.executemany("INSERT OR REPLACE INTO together VALUES (?, ?, ?, ?)", made)
            [linked] = connection.execute("SELECT count(*) FROM together WHERE length(near) > 0").fetchone()
            connection.execute(
                "UPDATE learnt SET changes = ?, times = times + 1, facts = ?", (self.changes, facts(linked))
            )
        return True


def unlearn(connection: sqlite3.Connection, items: Iterable[int]) -> None:
    """Drop what was learnt of documents, and of others through them, inside the caller's transaction.

    Args:
        connection: To the file of readers; where nothing was ever learnt, nothing is done.
        items: The numbers that the file knows the documents by.
    """
    gone = np.unique(np.fromiter(items, np.int64))
    if not len(gone) or not there(connection):
        return
    connection.executemany("DELETE FROM together WHERE document = ?", [(one,) for one in gone.tolist()])
    among = np.zeros(int(gone.max()) + 2, dtype=np.bool_)  # the last place stands for all higher numbers
    among[gone] = True
    shorter = []
    for document, near, likeness in connection.execute("SELECT document, near, likeness FROM together"):
        numbers = np.frombuffer(near, NUMBERS)
        kept = ~among[np.minimum(numbers, len(among) - 1)]
        if not kept.all():
            values = np.frombuffer(likeness, VALUES)[kept]
            shorter.append((numbers[kept].tobytes(), values.tobytes(), document))
    connection.executemany("UPDATE together SET near = ?, likeness = ? WHERE document = ?", shorter)
    connection.execute("UPDATE learnt SET dropped = dropped + 1")


@dataclass(frozen=True, slots=True)
class State:
    """The row of `learnt`.

    Args:
        changes: The change of the store up to which it was learnt.
        times: How often it was learnt.
        dropped: How often something of it was dropped.
        facts: JSON of what was learnt from; the empty string before it was learnt.
    """

    changes: int
    times: int
    dropped: int
    facts: str

    @property
    def stamp(self) -> str:
        """Another text whenever anything that was learnt has changed; the empty one before anything was."""
        return f"{self.times}-{self.dropped}" if self.times else ""


def there(connection: sqlite3.Connection) -> bool:
    """Whether the tables are there."""
    row = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'learnt'"
    ).fetchone()
    return row is not None


def make_tables(connection: sqlite3.Connection) -> None:
    """Make the tables, with nothing learnt, unless they are there."""
    if there(connection):
        return
    connection.execute(
        "CREATE TABLE together (document INTEGER PRIMARY KEY, readers INTEGER NOT NULL, near BLOB NOT NULL,"
        " likeness BLOB NOT NULL)"
    )
    connection.execute(
        "CREATE TABLE learnt (changes INTEGER NOT NULL, times INTEGER NOT NULL, dropped INTEGER NOT NULL,"
        " facts TEXT NOT NULL)"
    )
    connection.execute("INSERT INTO learnt VALUES (0, 0, 0, '')")


def state(connection: sqlite3.Connection) -> State:
    """Return the row of `learnt`; the tables are there."""
    return State(*connection.execute("SELECT changes, times, dropped, facts FROM learnt").fetchone())


def _lists(
    connection: sqlite3.Connection, doc_ids: Sequence[str]
) -> Iterator[tuple[str, tuple[Numbers, Scores]]]:
    for at in range(0, len(doc_ids), _FEW):
        piece = doc_ids[at : at + _FEW]
        for doc_id, near, likeness in connection.execute(
            "SELECT d.doc_id, t.near, t.likeness FROM documents d JOIN together t ON t.document = d.number"
            f" WHERE d.doc_id IN ({','.join('?' * len(piece))})",
            piece,
        ):
            yield doc_id, (np.frombuffer(near, NUMBERS), np.frombuffer(likeness, VALUES))


def _named(connection: sqlite3.Connection, numbers: Sequence[int]) -> Iterator[tuple[int, str]]:
    for at in range(0, len(numbers), _FEW):
        piece = numbers[at : at + _FEW]
        yield from connection.execute(
            f"SELECT number, doc_id FROM documents WHERE number IN ({','.join('?' * len(piece))})", piece
        )


def _numbers(connection: sqlite3.Connection, reads: Reads) -> Numbers:
    known = dict(connection.execute("SELECT doc_id, number FROM documents"))
    return np.array([known.get(doc_id, -1) for doc_id in reads.doc_ids], dtype=np.int64)


def _changed(connection: sqlite3.Connection, since: int) -> Numbers:
    """Return all that changed readers ever did anything with, so both what they liked and what they like now."""
    rows = connection.execute(
        "SELECT DISTINCT e.document FROM readers r JOIN events e ON e.reader = r.number WHERE r.version > ?",
        (since,),
    )
    return np.array([number for (number,) in rows], dtype=np.int64)


def _kept(connection: sqlite3.Connection) -> Numbers:
    return np.array(
        [number for (number,) in connection.execute("SELECT document FROM together")], dtype=np.int64
    )
