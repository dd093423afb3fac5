"""Writes a new epoch that holds only the live documents, numbered anew, so that what was deleted is gone."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from pathlib import Path

from indexer.analyser import Analyser
from indexer.local import token_vectors, truth
from indexer.local.manifest import Manifest, epoch_name

_COPY = """
CREATE TEMP TABLE document_map AS
    SELECT number AS old, row_number() OVER (ORDER BY number) - 1 AS new FROM before.documents WHERE removed IS NULL;
CREATE UNIQUE INDEX temp.by_document ON document_map (old);
CREATE TEMP TABLE passage_map AS
    SELECT p.number AS old, row_number() OVER (ORDER BY p.number) - 1 AS new
    FROM before.passages p JOIN document_map m ON m.old = p.document;
CREATE UNIQUE INDEX temp.by_passage ON passage_map (old);
INSERT INTO documents
    SELECT m.new, doc_id, title, source, metadata, blocks, pages, length, passages, hash, :generation, NULL
    FROM before.documents d JOIN document_map m ON m.old = d.number ORDER BY m.new;
INSERT INTO texts
    SELECT m.new, t.start, t.text FROM before.texts t JOIN document_map m ON m.old = t.document
    ORDER BY m.new, t.start;
INSERT INTO fields
    SELECT m.new, f.name, f.kind, f.text, f.number FROM before.fields f JOIN document_map m ON m.old = f.document
    ORDER BY m.new;
INSERT INTO passages
    SELECT n.new, m.new, ordinal, start, end, headings, page, tokens, encoded, hash
    FROM before.passages p JOIN document_map m ON m.old = p.document JOIN passage_map n ON n.old = p.number
    ORDER BY n.new;
INSERT INTO vectors
    SELECT n.new, v.crc, v.vector FROM before.vectors v JOIN passage_map n ON n.old = v.passage ORDER BY n.new
"""
_COPY_TOKENS = """;
INSERT INTO token_vectors
    SELECT n.new, t.crc, t.codes FROM before.token_vectors t JOIN passage_map n ON n.old = t.passage ORDER BY n.new
"""


def rewrite(index: Path, manifest: Manifest, analyser: Analyser) -> int:
    """Write the epoch after `manifest`'s and return its generation; the derived files are the caller's.

    The new epoch counts only once a manifest names it.
    """
    source = manifest.folder(index) / truth.FILE
    folder = index / epoch_name(manifest.epoch + 1)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    beside = folder / f".{truth.FILE}.new"
    generation = manifest.generation + 1
    before = truth.connect(source)
    try:
        meta = truth.read_meta(before)
        truth.create(beside, {**meta, "generation": str(generation)})
        connection = truth.connect(beside, write=True)
        try:
            connection.execute("ATTACH ? AS before", (str(source),))
            connection.execute("BEGIN")
            # An index made before there were any has no table of them.
            copy = _COPY + _COPY_TOKENS if token_vectors.KEY in meta else _COPY
            for statement in copy.split(";"):
                connection.execute(
                    statement, {"generation": generation} if ":generation" in statement else {}
                )
            truth.insert_words(connection, _words(connection, analyser))
            connection.execute("COMMIT")
            connection.execute("DETACH before")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
    finally:
        before.close()
    beside.replace(folder / truth.FILE)
    return generation


def _words(connection: sqlite3.Connection, analyser: Analyser) -> Counter[str]:
    words: Counter[str] = Counter()
    for number, title, length in connection.execute("SELECT number, title, length FROM documents").fetchall():
        text = truth.read_text(connection, number, 0, length)
        words.update(word for word, _ in analyser.words(f"{title}\n{text}"))
    return words
