"""The SQLite file that holds everything: its schema, its connections, and how documents go in.

Rows of `documents` carry the generation that added them and the one that removed them; a document is live in
generation g when `added <= g` and (`removed` is null or `removed > g`). Numbers of documents and passages are
given in ascending order and never again within an epoch.
"""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, LifoQueue

import numpy as np

from indexer.document import Document, Passage, metadata_to_json
from indexer.encoding import Vectors
from indexer.errors import IndexCorrupt, IndexFull, IndexNotFound
from indexer.field_values import field_rows
from indexer.local.durable import mapped_storage_errors

FILE = "truth.sqlite"
CHUNK = 1 << 16  # characters of text in a row: a snippet of a long document reads one or two

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
    number INTEGER PRIMARY KEY, doc_id TEXT NOT NULL, title TEXT NOT NULL, source TEXT NOT NULL,
    metadata TEXT NOT NULL, blocks TEXT NOT NULL, pages TEXT NOT NULL, length INTEGER NOT NULL,
    passages INTEGER NOT NULL, hash TEXT NOT NULL, added INTEGER NOT NULL, removed INTEGER);
CREATE UNIQUE INDEX live_document ON documents (doc_id) WHERE removed IS NULL;
CREATE INDEX document_versions ON documents (doc_id);
CREATE INDEX removals ON documents (removed) WHERE removed IS NOT NULL;
CREATE TABLE texts (document INTEGER NOT NULL, start INTEGER NOT NULL, text TEXT NOT NULL);
CREATE UNIQUE INDEX text_chunk ON texts (document, start);
CREATE TABLE passages (
    number INTEGER PRIMARY KEY, document INTEGER NOT NULL, ordinal INTEGER NOT NULL, start INTEGER NOT NULL,
    end INTEGER NOT NULL, headings TEXT NOT NULL, page INTEGER, tokens INTEGER NOT NULL, encoded INTEGER NOT NULL,
    hash BLOB NOT NULL);
CREATE UNIQUE INDEX passage_of ON passages (document, ordinal, encoded);
CREATE TABLE vectors (passage INTEGER PRIMARY KEY, crc INTEGER NOT NULL, vector BLOB NOT NULL);
CREATE TABLE token_vectors (passage INTEGER PRIMARY KEY, crc INTEGER NOT NULL, codes BLOB NOT NULL);
CREATE TABLE fields (document INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, text TEXT, number REAL);
CREATE INDEX field_text ON fields (name, kind, text);
CREATE INDEX field_number ON fields (name, kind, number);
CREATE TABLE words (word TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
"""


def connect(path: Path, *, write: bool = False) -> sqlite3.Connection:
    """Return a connection to the truth at `path`; transactions are the caller's.

    Raises:
        IndexNotFound: there is no such file.
        IndexCorrupt: it is not a SQLite database.
    """
    if not path.is_file():
        raise IndexNotFound(f"{path} is missing: there is no index here, or its folder was emptied")
    uri = f"{path.absolute().as_uri()}?mode={'rw' if write else 'ro'}"
    if not os.access(path.parent, os.W_OK):
        uri += "&immutable=1"  # on a read-only medium SQLite cannot keep its shared memory file
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=30)
    try:
        if write:
            connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -16000")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # the latter of a damaged file's own message
        connection.close()
        raise IndexCorrupt(
            f"{path} is damaged ({error}); restore the index folder from a copy, or index the documents again"
        ) from error
    return connection


def create(path: Path, meta: Mapping[str, str]) -> None:
    """Make a new truth at `path` that holds `meta` and no document."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN")
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        connection.executemany("INSERT INTO meta VALUES (?, ?)", {**meta, "seal": _seal(meta)}.items())
        connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        raise IndexFull(f"{path}: cannot create the index: {error}") from error
    finally:
        connection.close()


def read_meta(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the key-value pairs: format, generation, fingerprints, settings.

    Raises:
        IndexCorrupt: they are not what was written.
    """
    try:
        meta = dict(connection.execute("SELECT key, value FROM meta"))
        if meta.pop("seal", None) != _seal(meta) or not meta["generation"].isdecimal():
            raise sqlite3.DatabaseError("its settings are not what was written")
    except (sqlite3.DatabaseError, UnicodeDecodeError, KeyError) as error:
        raise IndexCorrupt(
            f"the index's SQLite file is damaged ({error}); restore the index folder from a copy, "
            "or index the documents again"
        ) from error
    return meta


def _seal(meta: Mapping[str, str]) -> str:
    """Return a checksum of all that never changes."""
    return str(
        zlib.crc32(json.dumps(sorted(pair for pair in meta.items() if pair[0] != "generation")).encode())
    )


def set_generation(connection: sqlite3.Connection, generation: int) -> None:
    """Set the generation, inside the caller's transaction."""
    connection.execute("UPDATE meta SET value = ? WHERE key = 'generation'", (str(generation),))


def insert_document(
    connection: sqlite3.Connection,
    number: int,
    document: Document,
    content_hash: str,
    passages: int,
    generation: int,
) -> None:
    """Insert a document's row, text and metadata fields."""
    connection.execute(
        "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        (
            number,
            document.doc_id,
            document.title,
            document.source,
            metadata_to_json(document.metadata),
            json.dumps([(b.kind, b.start, b.end, b.level) for b in document.blocks]),
            json.dumps(document.pages),
            len(document.text),
            passages,
            content_hash,
            generation,
        ),
    )
    text = document.text
    connection.executemany(
        "INSERT INTO texts VALUES (?, ?, ?)",
        ((number, at, text[at : at + CHUNK]) for at in range(0, len(text), CHUNK)),
    )
    rows = field_rows(document.metadata)
    connection.executemany("INSERT INTO fields VALUES (?, ?, ?, ?, ?)", ((number, *row) for row in rows))


def insert_passages(
    connection: sqlite3.Connection,
    document: int,
    first: int,
    passages: Sequence[Passage],
    encoded: Sequence[bool],
    hashes: Sequence[bytes],
) -> None:
    """Insert a document's passages, numbered from `first`; `encoded` says which of them get a vector."""
    connection.executemany(
        "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                first + at,
                document,
                passage.ordinal,
                passage.start,
                passage.end,
                json.dumps(passage.headings, ensure_ascii=False),
                passage.page,
                passage.tokens,
                has_vector,
                digest,
            )
            for at, (passage, has_vector, digest) in enumerate(zip(passages, encoded, hashes, strict=True))
        ),
    )


def insert_vectors(connection: sqlite3.Connection, numbers: Sequence[int], vectors: Vectors) -> None:
    """Insert the vectors, float32 of shape (n, dim), of these passages."""
    rows = []
    for number, vector in zip(numbers, vectors, strict=True):
        blob = np.ascontiguousarray(vector, dtype="<f4").tobytes()
        rows.append((number, zlib.crc32(blob), blob))
    connection.executemany("INSERT INTO vectors VALUES (?, ?, ?)", rows)


def insert_words(connection: sqlite3.Connection, counts: Counter[str]) -> None:
    """Add to the counts of words, from which spellings are suggested."""
    connection.executemany(
        "INSERT INTO words VALUES (?, ?) ON CONFLICT (word) DO UPDATE SET count = count + excluded.count",
        sorted(counts.items()),
    )


def passage(
    doc_id: str, ordinal: int, start: int, end: int, headings: str, page: int | None = None, tokens: int = 0
) -> Passage:
    """Return the passage that a row describes; `headings` as stored."""
    return Passage(doc_id, ordinal, start, end, tuple(json.loads(headings)), page, tokens)


def read_text(connection: sqlite3.Connection, document: int, start: int, end: int) -> str:
    """Return the characters from `start` to `end` of a document's text."""
    first = max(start, 0) // CHUNK * CHUNK
    rows = connection.execute(
        "SELECT text FROM texts WHERE document = ? AND start >= ? AND start < ? ORDER BY start",
        (document, first, max(end, 0)),
    )
    text = "".join(row[0] for row in rows)
    return text[max(start, 0) - first : max(end, 0) - first]


class Connections:
    """A pool of read connections to one file, shared by threads; `borrow` lends one to one thread at a time.

    When no new connection can be made because compaction has taken the file's name away, the ones that are
    open go on reading what they saw, and threads wait for each other.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()
        self._idle.put(connect(path))

    @contextmanager
    def borrow(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection for the length of the block."""
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = connect(self._path) if self._path.exists() else self._idle.get()
        try:
            with mapped_storage_errors(f"reading {self._path}"):
                yield connection
        finally:
            self._idle.put(connection)

    def close(self) -> None:
        """Close the idle connections."""
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return
