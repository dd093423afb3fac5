"""What readers share: which documents the same people read, as it was learnt and is kept in the file of readers.

    learn(store)                               # `engine.personal.learning`: now and then, for instance every night
    near = neighbours(store, ["moby-dick"])    # at any time: what readers of these read besides
    near.likeness(["billy-budd", "walden"])    # shape (1, 2), 0 for what nobody read with it

Two tables, in the file that `engine.personal.schema` describes; the arithmetic is in `engine.personal.coreading`:

    together  document -> how many readers; the nearest documents, and how near
    learnt    one row: up to which change, how often it was learnt, how often something of it was dropped, the facts

When a reader is erased, or a document of a reader is forgotten, `unlearn` drops every number that they are part of, in
the same transaction; what others' reading says of these documents comes back when it is learnt next.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from engine.fusion import Floats
from indexer.protocol import Numbers, Scores

if TYPE_CHECKING:
    from engine.personal.reader_file import ReaderFile

NUMBERS, VALUES = np.dtype("<i8"), np.dtype("<f4")
"""How a list of neighbours is kept."""
_FEW = 500  # values bound to one statement


@dataclass(frozen=True, eq=False)
class Neighbours:
    """What readers of some documents read besides.

    Args:
        asked: The documents asked for, shape (m,).
        doc_ids: Documents that are a neighbour of any of them.
        rows: Pairs: the place of one document in `asked`, ascending.
        columns: The place of the other in `doc_ids`.
        values: How often readers of the one read the other (`coreading`), over 0 and under 1.
    """

    asked: tuple[str, ...]
    doc_ids: tuple[str, ...]
    rows: Numbers
    columns: Numbers
    values: Scores

    @cached_property
    def _places(self) -> dict[str, int]:
        return {doc_id: place for place, doc_id in enumerate(self.doc_ids)}

    def likeness(self, candidates: Sequence[str]) -> Floats:
        """Return how often readers of those asked for read these, shape (m, candidates); 0 where never, or seldom."""
        places = [self._places.get(doc_id, -1) for doc_id in candidates]
        column_of = np.full(len(self.doc_ids), -1, dtype=np.int64)
        known = np.flatnonzero(np.array(places, dtype=np.int64) >= 0)
        column_of[[places[at] for at in known]] = known
        columns = column_of[self.columns]
        there = columns >= 0
        found = np.zeros((len(self.asked), len(candidates)))
        found[self.rows[there], columns[there]] = self.values[there]
        return found

    def best(self, weights: Floats, most: int) -> list[str]:
        """Return the neighbours of the highest Σ weight · likeness, ties by id; none where that is not over 0.

        Args:
            weights: Of the documents asked for, shape (m,).
            most: How many at most.
        """
        totals = np.bincount(self.columns, weights[self.rows] * self.values, minlength=len(self.doc_ids))
        ranked = sorted(zip((-np.round(totals, 9)).tolist(), self.doc_ids, strict=True))
        return [doc_id for less, doc_id in ranked[:most] if less < 0]


def neighbours(store: ReaderFile, doc_ids: Sequence[str]) -> Neighbours:
    """Return what readers of some documents read besides, as it was learnt last.

    Args:
        store: The readers.
        doc_ids: Documents, each once; of an unknown one nothing comes.

    Raises:
        ReaderStoreError: the file cannot be read.
    """
    lists: dict[str, tuple[Numbers, Scores]] = {}
    names: dict[int, str] = {}
    if store.exists and doc_ids:
        with store.read() as connection:
            if there(connection):
                lists = dict(_lists(connection, doc_ids))
                near = [numbers for numbers, _ in lists.values()]
                names = dict(_named(connection, np.unique(np.concatenate(near)).tolist() if near else []))
    place_of = {number: place for place, number in enumerate(names)}
    pairs = [(row, *lists[doc_id]) for row, doc_id in enumerate(doc_ids) if doc_id in lists]
    rows = [np.full(len(numbers), row, dtype=np.int64) for row, numbers, _ in pairs]
    columns = [place_of[number] for _, numbers, _ in pairs for number in numbers.tolist()]
    values = [likeness for _, _, likeness in pairs]
    return Neighbours(
        asked=tuple(doc_ids),
        doc_ids=tuple(names.values()),
        rows=np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64),
        columns=np.array(columns, dtype=np.int64),
        values=np.concatenate(values) if values else np.zeros(0, dtype=np.float32),
    )


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


def most_read(store: ReaderFile, most: int) -> list[tuple[str, int]]:
    """Return the documents that most readers read, and how many did, as it was learnt last; ties by id.

    Raises:
        ReaderStoreError: the file cannot be read.
    """
    if not store.exists:
        return []
    with store.read() as connection:
        if not there(connection):
            return []
        return connection.execute(
            "SELECT d.doc_id, t.readers FROM together t JOIN documents d ON d.number = t.document"
            " ORDER BY t.readers DESC, d.doc_id LIMIT ?",
            (most,),
        ).fetchall()


def stamp(store: ReaderFile) -> str:
    """Return another text whenever anything that was learnt has changed; the empty one before anything was.

    Raises:
        ReaderStoreError: the file cannot be read.
    """
    if not store.exists:
        return ""
    with store.read() as connection:
        return state(connection).stamp if there(connection) else ""


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
