"""The one writer: documents in, passages encoded on the way, everything committed or nothing.

A document whose content hash is unchanged costs nothing; of a changed one, only the passages that changed are encoded.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from indexer.analyser import Analyser
from indexer.backend import Outcome, Settled
from indexer.document import Document, Passage
from indexer.document_terms import document_words
from indexer.errors import IndexFull, IndexingError, ModelError
from indexer.local import token_vectors, truth
from indexer.local.derive import Derived
from indexer.local.durable import mapped_storage_errors
from indexer.local.lock import WriterLock
from indexer.passage_encoding import Encoded, EncodingQueue, PassageEncoder, prepared
from indexer.splitter import Splitter


class IndexWriter:
    """Adds, updates and deletes documents; a context manager that commits when its block ends well.

    Nothing shows to readers, and nothing is promised, before `commit`. Made by `Index.writer`.
    """

    def __init__(
        self,
        lock: WriterLock,
        path: Path,
        derived: Derived,
        analyser: Analyser,
        encoder: PassageEncoder,
        splitter: Splitter,
    ) -> None:
        self._lock = lock
        self._connection = truth.connect(path, write=True)
        self._derived = derived
        self._analyser = analyser
        self._encoder = encoder
        self._splitter = splitter
        self._generation = int(truth.read_meta(self._connection)["generation"])
        self._next_document = self._next("documents")
        self._next_passage = self._next("passages")
        self._words: Counter[str] = Counter()
        self._encoding: EncodingQueue[int] = EncodingQueue(encoder)
        self._settled: list[Settled] = []
        self._changed = False
        self._closed = False
        self._failed = False

    @property
    def generation(self) -> int:
        """The generation of the last commit."""
        return self._generation

    @property
    def encoded(self) -> int:
        """Passages encoded so far."""
        return self._encoding.encoded

    @property
    def pending(self) -> int:
        """Passages that wait to be encoded."""
        return self._encoding.pending

    @property
    def failed(self) -> bool:
        """Whether it failed halfway: it can only be closed."""
        return self._failed

    def add(self, document: Document) -> Outcome:
        """Add a document, or replace the one of the same id.

        Raises:
            IndexFull: the disk is full.
            IndexingError: this writer is closed, or has failed. One that has failed can only be closed; what
                was committed is safe.
        """
        self._begin()
        with mapped_storage_errors(f"adding {document.doc_id}"):
            row = self._live(document.doc_id)
            content_hash = document.content_hash()
            if row is not None and row[1] == content_hash:
                return "unchanged"
            passages = self._splitter.split(document)
            self._connection.execute("SAVEPOINT one_document")
            try:
                self._store(document, content_hash, passages, None if row is None else row[0])
            except BaseException:
                self._connection.execute("ROLLBACK TO one_document")
                self._connection.execute("RELEASE one_document")
                raise
            self._connection.execute("RELEASE one_document")
            with self._all_or_nothing():
                number, first = self._next_document, self._next_passage
                self._next_document += 1
                self._next_passage += len(passages)
                if row is not None:
                    self._derived.remove(row[0])
                self._derived.add(number, first, document.title, document.text, passages)
                self._store_encoded(self._encoding.some())
        self._changed = True
        return "added" if row is None else "updated"

    def put(self, document: Document) -> None:
        """Add a document, or replace the one of the same id; what became of it is told by `settled`.

        Raises:
            as `add`, for what is not the document's fault.
        """
        try:
            outcome = self.add(document)
        except (IndexFull, ModelError):
            raise
        except (IndexingError, ValueError) as error:
            if self._failed:  # not this document's fault: nothing more can be added
                raise
            self._settled.append(Settled(document.doc_id, document.source, "refused", str(error)))
        else:
            self._settled.append(Settled(document.doc_id, document.source, outcome))

    def settled(self) -> list[Settled]:
        """Return what became of the documents that were put, each once."""
        found, self._settled = self._settled, []
        return found

    def delete_all(self, doc_ids: Iterable[str]) -> int:
        """Delete documents; return how many of them there were."""
        return sum(self.delete(doc_id) for doc_id in doc_ids)

    def delete(self, doc_id: str) -> bool:
        """Delete a document; return whether there was one."""
        self._begin()
        with mapped_storage_errors(f"deleting {doc_id}"):
            row = self._live(doc_id)
            if row is None:
                return False
            with self._all_or_nothing():
                self._retire(row[0])
                self._derived.remove(row[0])
        self._changed = True
        return True

    def sources(self) -> Iterator[tuple[str, str]]:
        """Yield id and source of every document."""
        yield from self._connection.execute("SELECT doc_id, source FROM documents WHERE removed IS NULL")

    def commit(self) -> int:
        """Make all changes since the last commit durable, then visible; return the generation.

        When this returns, they survive a crash of any kind.

        Raises:
            IndexFull: the disk is full. When the documents could still be stored, the next to open the
                index makes them visible; otherwise they are as if they had never been added.
        """
        if not self._changed and not self._failed:
            self._rollback_empty()
            return self._generation
        self._begin()
        generation = self._generation + 1
        with mapped_storage_errors(f"committing generation {generation}"), self._all_or_nothing():
            self._store_encoded(self._encoding.rest())
            truth.insert_words(self._connection, self._words)
            truth.set_generation(self._connection, generation)
            self._connection.execute("COMMIT")
            self._words.clear()
            self._changed = False
            self._generation = generation
            self._derived.publish(self._connection, generation)
        return generation

    def close(self) -> None:
        """Forget what was not committed, and let the next writer in."""
        if self._closed:
            return
        self._closed = True
        self._encoding.close()
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            # Where there is no room, or a reader at work, the log is folded in later.
            with suppress(sqlite3.OperationalError):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.close()
            self._derived.close()
        finally:
            self._lock.release()

    def __enter__(self) -> IndexWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.commit()
        finally:
            self.close()

    def _begin(self) -> None:
        if self._closed:
            raise IndexingError("this writer is closed; take another one with index.writer()")
        if self._failed:
            raise IndexingError(
                "this writer failed before; close it and take another one: what was committed is safe, "
                "what came after the last commit is to be added again"
            )
        if not self._connection.in_transaction:
            with mapped_storage_errors("beginning to write"):
                self._connection.execute("BEGIN IMMEDIATE")

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Let nothing be committed any more when the block fails: the stores may no longer agree."""
        try:
            yield
        except BaseException:
            self._failed = True
            raise

    def _rollback_empty(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _next(self, table: str) -> int:
        (highest,) = self._connection.execute(f"SELECT max(number) FROM {table}").fetchone()
        return 0 if highest is None else int(highest) + 1

    def _live(self, doc_id: str) -> tuple[int, str] | None:
        row: tuple[int, str] | None = self._connection.execute(
            "SELECT number, hash FROM documents WHERE doc_id = ? AND removed IS NULL", (doc_id,)
        ).fetchone()
        return row

    def _retire(self, number: int) -> None:
        self._connection.execute(
            "UPDATE documents SET removed = ? WHERE number = ?", (self._generation + 1, number)
        )

    def _store(
        self, document: Document, content_hash: str, passages: Sequence[Passage], previous: int | None
    ) -> None:
        number, first = self._next_document, self._next_passage
        text = document.text
        items = prepared(document, passages, self._encoder)
        hashes = [item.digest for item in items]
        readable = [item.readable for item in items]
        known: dict[bytes, tuple[bytes, bytes | None]] = {}
        if previous is not None:
            self._retire(previous)
            known = self._vectors_by_hash(previous)
        truth.insert_document(
            self._connection, number, document, content_hash, len(passages), self._generation + 1
        )
        truth.insert_passages(self._connection, number, first, passages, readable, hashes)
        waiting = []
        for at, item in enumerate(items):
            if item.readable and item.digest in known:
                vector, codes = known[item.digest]
                truth.insert_vectors(
                    self._connection, [first + at], np.frombuffer(vector, dtype="<f4")[None, :]
                )
                if codes is not None:
                    token_vectors.insert(self._connection, [(first + at, codes)])
            elif item.readable:
                waiting.append((first + at, item.context))
        self._encoding.add(waiting)
        self._words.update(document_words(self._analyser, document.title, text))

    def _vectors_by_hash(self, document: int) -> dict[bytes, tuple[bytes, bytes | None]]:
        """Return the vectors, and the tokens where there are some, of a document's passages by their texts' hash."""
        found = (
            "SELECT hash, vector, {} FROM passages JOIN vectors v ON v.passage = number {} WHERE document = ?"
        )
        if self._encoder.keeps_tokens:
            query = found.format("codes", "LEFT JOIN token_vectors t ON t.passage = number")
        else:  # an index made before there were any has no table of them
            query = found.format("NULL", "")
        rows = self._connection.execute(query, (document,))
        return {digest: (vector, codes) for digest, vector, codes in rows}

    def _store_encoded(self, batches: Iterator[Encoded[int]]) -> None:
        for batch in batches:
            truth.insert_vectors(self._connection, batch.keys, batch.vectors)
            if batch.codes:
                token_vectors.insert(self._connection, zip(batch.keys, batch.codes, strict=True))
