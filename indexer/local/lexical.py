"""BM25 by tantivy over ready-made terms.

`LexicalWriter` adds and deletes; `LexicalReader` scores. Both are given terms, never text: fields are
analysed by white space, so a term is whatever the `Analyser` made. Three fields are scored, each with its own
statistics: title and headings (those of the passage's document and section, repeated on every passage)
and body.

BM25 is Lucene's, k1 1.2 and b 0.75: idf · tf / (tf + k1 · (1 - b + b · length / mean length)) with
idf = ln(1 + (N - n + 0.5) / (n + 0.5)). tantivy multiplies it by k1 + 1; that factor is taken out here.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import tantivy

from indexer.errors import IndexCorrupt
from indexer.protocol import Clause, LexicalQuery, Numbers, Scores

Found: TypeAlias = tuple[Numbers, Scores]
"""Passages and their scores: score descending, ties by passage ascending."""

K1_PLUS_1 = 2.2  # the constant factor that tantivy keeps and Lucene dropped
FIELDS = ("title", "headings", "body")
_HEAP = 96_000_000
_LITTLE_ROOM = 16_000_000  # bytes free, with which tantivy may well fail to write a segment
_FEW_NUMBERS = 1000  # up to so many, a union of terms is twice as quick as a term set


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("passage", indexed=True, fast=True)
    builder.add_unsigned_field("document", indexed=True, fast=True)
    for name in FIELDS:
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="position")
    return builder.build()


class LexicalWriter:
    """Adds and deletes passages in the tantivy index in `folder`; nothing shows before `commit`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._schema = _schema()
        # One thread: segments, and with them the order of equal scores, are the same at every run.
        self._writer = tantivy.Index(self._schema, path=str(folder)).writer(heap_size=_HEAP, num_threads=1)

    def add(
        self, passage: int, document: int, title: Sequence[str], headings: Sequence[str], body: Sequence[str]
    ) -> None:
        """Add a passage by its terms."""
        entry = tantivy.Document()
        entry.add_unsigned("passage", passage)
        entry.add_unsigned("document", document)
        entry.add_text("title", " ".join(title))
        entry.add_text("headings", " ".join(headings))
        entry.add_text("body", " ".join(body))
        with self._thread_errors_named():
            self._writer.add_document(entry)

    def delete(self, document: int) -> None:
        """Delete the passages of a document that were added before."""
        self._writer.delete_documents_by_query(tantivy.Query.term_query(self._schema, "document", document))

    def commit(self) -> None:
        """Make what was added and deleted durable and visible to those who open the folder."""
        with self._thread_errors_named():
            self._writer.commit()

    @contextmanager
    def _thread_errors_named(self) -> Iterator[None]:
        """Say why tantivy's thread stopped: it tells only that it did, and a full disk is the usual reason."""
        try:
            yield
        except ValueError as error:
            if shutil.disk_usage(self._folder).free < _LITTLE_ROOM:
                raise OSError(errno.ENOSPC, f"tantivy says: {error}") from error
            raise

    def close(self) -> None:
        """Wait for merges and let go of the folder; what was not committed is forgotten."""
        self._writer.rollback()
        self._writer.wait_merging_threads()


class LexicalReader:
    """Scores against the tantivy index in `folder` as it is now; its answers never change.

    Raises:
        IndexCorrupt: tantivy cannot open the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._schema = _schema()
        try:
            index = tantivy.Index.open(str(folder))
            index.config_reader(reload_policy="manual")
            self._searcher = index.searcher()
        except Exception as error:  # tantivy raises ValueError, OSError or its PanicException's base
            raise IndexCorrupt(f"{folder}: tantivy cannot open it: {error}") from error
        self.count: int = self._searcher.num_docs

    def search(self, query: LexicalQuery, depth: int) -> Found:
        """Return the best `depth` passages."""
        return self._run(self._compile(query), depth)

    def search_in(self, query: LexicalQuery, depth: int, documents: Numbers) -> Found:
        """Return the best `depth` passages of these documents: for few documents."""
        return self._run(self._within("document", documents, self._compile(query)), depth)

    def scores(self, query: LexicalQuery, passages: Numbers) -> Scores:
        """Return the scores of these passages, 0 where nothing matches."""
        result = np.zeros(len(passages), dtype=np.float32)
        if len(passages) == 0 or not query.clauses:
            return result
        found, scores = self._run(self._within("passage", passages, self._compile(query)), len(passages))
        order = np.argsort(passages, kind="stable")
        result[order[np.searchsorted(passages, found, sorter=order)]] = scores
        return result

    def matching_documents(self, clause: Clause) -> Numbers:
        """Return the numbers of the documents that hold the clause in some passage, ascending."""
        hits = self._hits(self._clause(clause), max(self.count, 1))
        return np.unique(self._numbers("document", hits))

    def matching_passages(self, clause: Clause) -> int:
        """Return in how many passages the clause occurs."""
        query = self._clause(clause)
        result: Any = self._searcher.search(query, limit=1, count=True)
        return int(result.count)

    def all_passages(self) -> Numbers:
        """Return the numbers of all passages, ascending."""
        hits = self._hits(tantivy.Query.all_query(), max(self.count, 1))
        return np.sort(self._numbers("passage", hits))

    def _run(self, query: tantivy.Query, depth: int) -> Found:
        hits = self._hits(query, min(depth, self.count))
        passages = self._numbers("passage", hits)
        scores = np.array([hit[0] for hit in hits], dtype=np.float32)
        scores /= np.float32(K1_PLUS_1)
        order = np.lexsort((passages, -scores))
        return passages[order], scores[order]

    def _hits(self, query: tantivy.Query, limit: int) -> list[Any]:
        if limit <= 0:
            return []
        hits: list[Any] = self._searcher.search(query, limit=limit, count=False).hits
        return hits

    def _numbers(self, field: str, hits: list[Any]) -> Numbers:
        values = self._searcher.fast_field_values(field, [address for _, address in hits]) if hits else []
        return np.array(values, dtype=np.int64)

    def _within(self, field: str, numbers: Numbers, query: tantivy.Query) -> tantivy.Query:
        if len(numbers) <= _FEW_NUMBERS:
            terms = [tantivy.Query.term_query(self._schema, field, number) for number in numbers.tolist()]
            among = tantivy.Query.boolean_query([(tantivy.Occur.Should, term) for term in terms])
        else:
            among = tantivy.Query.term_set_query(self._schema, field, numbers.tolist())
        return tantivy.Query.boolean_query(
            [(tantivy.Occur.Must, tantivy.Query.const_score_query(among, 0.0)), (tantivy.Occur.Must, query)]
        )

    def _compile(self, query: LexicalQuery) -> tantivy.Query:
        # One flat union: tantivy skips what cannot reach the top in that, not in a union of unions.
        weights = {"title": query.title, "headings": query.headings, "body": query.body}
        return _union([part for clause in query.clauses for part in self._parts(clause, weights)])

    def _clause(self, clause: Clause) -> tantivy.Query:
        return _union(self._parts(clause, dict.fromkeys(FIELDS, 1.0)))

    def _parts(self, clause: Clause, weights: dict[str, float]) -> list[tantivy.Query]:
        parts = []
        for name in FIELDS if clause.field == "any" else (clause.field,):
            weight = weights[name] * clause.weight
            if weight <= 0:
                continue
            if len(clause.terms) == 1:
                part = tantivy.Query.term_query(self._schema, name, clause.terms[0], index_option="freq")
            else:
                part = tantivy.Query.phrase_query(self._schema, name, list(clause.terms))
            parts.append(part if weight == 1.0 else tantivy.Query.boost_query(part, weight))
        return parts


def _union(parts: list[tantivy.Query]) -> tantivy.Query:
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, part) for part in parts])
