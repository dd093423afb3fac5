"""What the two BM25 indexes share: a tantivy folder of ready-made terms, written and read.

`TermWriter` adds entries and deletes them by document; `TermReader` runs queries. Both are given terms, never
text: fields are analysed by white space, so a term is whatever the `Analyser` made. An entry belongs to a
document, and has a number in a fast field that it is known by.

BM25 is Lucene's, k1 1.2 and b 0.75: idf · tf / (tf + k1 · (1 - b + b · length / mean length)) with
idf = ln(1 + (N - n + 0.5) / (n + 0.5)). tantivy multiplies it by k1 + 1; that factor is taken out here.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import tantivy

from indexer.errors import IndexCorrupt
from indexer.protocol import Numbers, Scores

Found: TypeAlias = tuple[Numbers, Scores]
"""Entries' numbers and their scores: score descending, ties by number ascending."""

K1_PLUS_1 = 2.2  # the constant factor that tantivy keeps and Lucene dropped
_LITTLE_ROOM = 16_000_000  # bytes free, with which tantivy may well fail to write a segment
_FEW_NUMBERS = 1000  # up to so many, a union of terms is twice as quick as a term set


class TermWriter:
    """Adds and deletes entries in the tantivy index in `folder`; nothing shows before `commit`.

    Args:
        folder: Made when it is not there.
        schema: Of the entries; has the unsigned field `document`.
        heap: Bytes that tantivy may fill before it writes a segment.
    """

    def __init__(self, folder: Path, schema: tantivy.Schema, heap: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._schema = schema
        # One thread: segments, and with them the order of equal scores, are the same at every run.
        self._writer = tantivy.Index(schema, path=str(folder)).writer(heap_size=heap, num_threads=1)

    def _add(self, numbers: Mapping[str, int], fields: Mapping[str, Sequence[str]]) -> None:
        entry = tantivy.Document()
        for name, number in numbers.items():
            entry.add_unsigned(name, number)
        for name, terms in fields.items():
            entry.add_text(name, " ".join(terms))
        with self._thread_errors_named():
            self._writer.add_document(entry)

    def delete(self, document: int) -> None:
        """Delete the entries of a document that were added before."""
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


class TermReader:
    """Runs queries against the tantivy index in `folder` as it is now; its answers never change.

    Args:
        folder: The tantivy index.
        schema: Of its entries.
        key: The fast field that holds the number of an entry.

    Raises:
        IndexCorrupt: tantivy cannot open the folder.
    """

    def __init__(self, folder: Path, schema: tantivy.Schema, key: str) -> None:
        self._schema = schema
        self._key = key
        try:
            index = tantivy.Index.open(str(folder))
            index.config_reader(reload_policy="manual")
            self._searcher = index.searcher()
        except Exception as error:  # tantivy raises ValueError, OSError or its PanicException's base
            raise IndexCorrupt(f"{folder}: tantivy cannot open it: {error}") from error
        self.count: int = self._searcher.num_docs

    def _every(self) -> Numbers:
        hits = self._hits(tantivy.Query.all_query(), max(self.count, 1))
        return np.sort(self._numbers(self._key, hits))

    def _scores(self, query: tantivy.Query, numbers: Numbers) -> Scores:
        """Return the scores of the entries of these numbers, in their order, 0 where nothing matches."""
        result = np.zeros(len(numbers), dtype=np.float32)
        found, scores = self._run(self._within(self._key, numbers, query), len(numbers))
        order = np.argsort(numbers, kind="stable")
        result[order[np.searchsorted(numbers, found, sorter=order)]] = scores
        return result

    def _run(self, query: tantivy.Query, depth: int) -> Found:
        hits = self._hits(query, min(depth, self.count))
        numbers = self._numbers(self._key, hits)
        scores = np.array([hit[0] for hit in hits], dtype=np.float32)
        scores /= np.float32(K1_PLUS_1)
        order = np.lexsort((numbers, -scores))
        return numbers[order], scores[order]

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
            among = union(terms)
        else:
            among = tantivy.Query.term_set_query(self._schema, field, numbers.tolist())
        return tantivy.Query.boolean_query(
            [(tantivy.Occur.Must, tantivy.Query.const_score_query(among, 0.0)), (tantivy.Occur.Must, query)]
        )

    def _term(self, field: str, term: str, weight: float) -> tantivy.Query:
        return weighted(tantivy.Query.term_query(self._schema, field, term, index_option="freq"), weight)


def weighted(query: tantivy.Query, weight: float) -> tantivy.Query:
    """Return the query with its scores multiplied by a weight."""
    return query if weight == 1.0 else tantivy.Query.boost_query(query, weight)


def union(parts: list[tantivy.Query]) -> tantivy.Query:
    """Return the query whose score is the sum of those of its parts that match.

    Parts are best terms and phrases: tantivy skips what cannot reach the top in a flat union, not in a union of
    unions.
    """
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, part) for part in parts])
