"""Keeps the derived files in step with SQLite: adds as the writer adds, and catches up after a crash.

There is one way in: `add` and `remove` mirror what happens to documents, `publish` writes the vectors that
SQLite has and the file has not, and makes the whole the current generation. `catch_up` replays from SQLite
whatever the manifest's generation lacks: after a crash that is the last commits, after damage everything.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from indexer.analyser import Analyser
from indexer.document import Passage
from indexer.document_terms import passage_terms
from indexer.encoding import Vectors
from indexer.errors import IndexCorrupt
from indexer.local import graph as hnsw
from indexer.local import snapshot, truth, vectors
from indexer.local.durable import checksum
from indexer.local.lexical import LexicalWriter
from indexer.local.manifest import FileCheck, Graph, Manifest
from indexer.local.term_folder import TermWriter
from indexer.local.whole import WholeWriter

_log = logging.getLogger(__name__)
_LEXICAL, _WHOLE = "lexical", "whole"  # where the two are written; generations have a number after it
_ROWS = 4096  # vectors in memory while copying

Writer = TypeVar("Writer", bound=TermWriter)


class Derived:
    """The derived files of the epoch that `manifest` names, as the writer sees them.

    Args:
        index: The index's folder.
        manifest: What is published; generation 0 with no lexical folder stands for nothing.
        analyser: Makes the terms.
        dim: Length of a vector.
        exact_up_to: Rows from which on a graph is made.
    """

    def __init__(
        self,
        index: Path,
        manifest: Manifest,
        analyser: Analyser,
        dim: int,
        exact_up_to: int = hnsw.EXACT_UP_TO,
    ) -> None:
        self.manifest = manifest
        self._index = index
        self._folder = manifest.folder(index)
        self._analyser = analyser
        self._dim = dim
        self._exact_up_to = exact_up_to
        self._lexical = self._start(LexicalWriter, _LEXICAL, manifest.lexical)
        try:
            self._whole = self._start(WholeWriter, _WHOLE, manifest.whole)
        except BaseException:
            self._lexical.close()
            raise

    def _start(self, kind: Callable[[Path], Writer], name: str, published: str) -> Writer:
        """Return a writer that goes on from what is published."""
        working = self._folder / name
        shutil.rmtree(working, ignore_errors=True)
        if published:
            try:
                snapshot.take(self._folder / published, working)
                return kind(working)
            except (IndexCorrupt, OSError, ValueError) as error:
                raise IndexCorrupt(f"{self._folder / published} cannot be opened: {error}") from error
        return kind(working)

    def add(self, document: int, first: int, title: str, text: str, passages: Sequence[Passage]) -> None:
        """Add a document, and its passages, numbered from `first`, to the indexes of words."""
        if not passages:
            return
        title_terms = self._analyser.terms(title)
        self._whole.add(document, title_terms, self._analyser.terms(text))
        for at, found in enumerate(passage_terms(self._analyser, text, passages)):
            self._lexical.add(first + at, document, title_terms, found.headings, found.body)

    def remove(self, document: int) -> None:
        """Remove a document and its passages from the indexes of words."""
        self._lexical.delete(document)
        self._whole.delete(document)

    def catch_up(self, connection: sqlite3.Connection, generation: int) -> Manifest:
        """Replay what SQLite's `generation` has and the manifest's has not, and publish it."""
        seen = self.manifest.generation
        for (number,) in connection.execute(
            "SELECT number FROM documents WHERE added <= ? AND removed > ? ORDER BY number", (seen, seen)
        ):
            self.remove(number)
        numbers = connection.execute(
            "SELECT number, added > ? FROM documents WHERE added > ? AND removed IS NULL ORDER BY number",
            (seen, seen if self.manifest.whole else -1),
        ).fetchall()
        for at, (number, new) in enumerate(numbers, 1):
            self._replay(connection, number, passages_too=bool(new))
            if at % 1000 == 0:
                _log.info("rebuilding the indexes of words: %d of %d documents", at, len(numbers))
        return self.publish(connection, generation)

    def _replay(self, connection: sqlite3.Connection, number: int, passages_too: bool) -> None:
        doc_id, title, length = connection.execute(
            "SELECT doc_id, title, length FROM documents WHERE number = ?", (number,)
        ).fetchone()
        rows = connection.execute(
            "SELECT number, ordinal, start, end, headings FROM passages WHERE document = ? ORDER BY ordinal",
            (number,),
        ).fetchall()
        if rows:
            passages = [truth.passage(doc_id, *row[1:]) for row in rows]
            text = truth.read_text(connection, number, 0, length)
            if passages_too:
                self.add(number, rows[0][0], title, text, passages)
            else:
                self._whole.add(number, self._analyser.terms(title), self._analyser.terms(text))

    def publish(self, connection: sqlite3.Connection, generation: int) -> Manifest:
        """Make all that was added and removed, and SQLite's vectors, the current generation."""
        before = self.manifest
        self._lexical.commit()
        self._whole.commit()
        lexical = self._unused(f"{_LEXICAL}-{generation}")
        snapshot.take(self._folder / _LEXICAL, self._folder / lexical)
        whole = self._unused(f"{_WHOLE}-{generation}")
        snapshot.take(self._folder / _WHOLE, self._folder / whole)
        (highest,) = connection.execute("SELECT max(number) FROM passages").fetchone()
        rows = 0 if highest is None else int(highest) + 1
        vectors_crc = self._append_vectors(connection, before.rows, rows)
        graph = self._graph(rows, before.graph)
        files = {
            f"{folder}/{file.name}": FileCheck(
                file.stat().st_size, self._checksum(f"{previous}/{file.name}", file)
            )
            for folder, previous in ((lexical, before.lexical), (whole, before.whole))
            for file in sorted((self._folder / folder).iterdir())
        }
        files[vectors.FILE] = FileCheck(rows * self._dim * 4, vectors_crc)
        if graph is not None:
            file = self._folder / graph.file
            files[graph.file] = FileCheck(file.stat().st_size, self._checksum(graph.file, file))
        self.manifest = Manifest(generation, before.epoch, rows, lexical, whole, graph, files)
        self.manifest.write(self._index)
        self._clean(before)
        return self.manifest

    def _unused(self, name: str) -> str:
        """Return the name, or with a number after it when a reader may have the folder of that name open."""
        names = (name, *(f"{name}-{number}" for number in range(2, 1000)))
        return next(candidate for candidate in names if not (self._folder / candidate).exists())

    def _checksum(self, known_as: str, file: Path) -> int:
        known = self.manifest.files.get(known_as)
        unchanging = not file.name.endswith(".json")
        if known is not None and unchanging and known.size == file.stat().st_size:
            return known.crc
        return checksum(file)

    def _append_vectors(self, connection: sqlite3.Connection, first: int, rows: int) -> int:
        """Append rows `first` to `rows` - 1 and return the checksum of all rows."""
        path = self._folder / vectors.FILE
        known = self.manifest.files.get(vectors.FILE)
        crc = known.crc if known is not None else 0
        if first == 0:
            # Readers may have the old file mapped, and must keep it as it was; others find one at any moment.
            empty = path.with_name(f".{path.name}.new")
            empty.write_bytes(b"")
            empty.replace(path)
        vectors.append(path, self._dim, first, np.zeros((0, self._dim), dtype=np.float32))
        for at in range(first, rows, _ROWS):
            piece = stored_vectors(connection, at, min(at + _ROWS, rows), self._dim)
            vectors.append(path, self._dim, at, piece)
            crc = zlib.crc32(piece.tobytes(), crc)
        return crc

    def _graph(self, rows: int, previous: Graph | None) -> Graph | None:
        if not hnsw.wanted(rows, previous, self._exact_up_to):
            return previous
        _log.info("building the HNSW graph of %d passages", rows)
        matrix = vectors.VectorFile(self._folder / vectors.FILE, rows, self._dim).matrix
        return hnsw.build(self._folder, matrix, previous)

    def _clean(self, before: Manifest) -> None:
        """Delete what neither this generation nor the one before it needs."""
        kept = {_LEXICAL, _WHOLE}
        for manifest in (before, self.manifest):
            kept |= {manifest.lexical, manifest.whole}
        graphs = {graph.file for graph in (before.graph, self.manifest.graph) if graph}
        for path in self._folder.iterdir():
            if path.name.lstrip(".").startswith((_LEXICAL, _WHOLE)) and path.name not in kept:
                shutil.rmtree(path, ignore_errors=True)
            elif path.name.startswith(("graph", ".graph")) and path.name not in graphs:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the files; what was not published is forgotten."""
        for writer, name in ((self._lexical, _LEXICAL), (self._whole, _WHOLE)):
            writer.close()
            shutil.rmtree(self._folder / name, ignore_errors=True)


def stored_vectors(connection: sqlite3.Connection, start: int, end: int, dim: int) -> Vectors:
    """Return the vectors that SQLite has of passages `start` to `end` - 1, zeros where it has none."""
    result = np.zeros((end - start, dim), dtype=np.float32)
    for number, blob in _blobs(connection, start, end):
        if len(blob) != dim * 4:
            raise IndexCorrupt(f"the vector of passage {number} has {len(blob)} bytes, expected {dim * 4}")
        result[number - start] = np.frombuffer(blob, dtype="<f4")
    return result


def _blobs(connection: sqlite3.Connection, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    yield from connection.execute(
        "SELECT passage, vector FROM vectors WHERE passage >= ? AND passage < ? ORDER BY passage",
        (start, end),
    )
