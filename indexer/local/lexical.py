"""BM25 of passages, by tantivy over ready-made terms: see `term_folder` for the formula.

`LexicalWriter` adds and deletes; `LexicalReader` scores. Three fields are scored, each with its own
statistics: title and headings (those of the passage's document and section, repeated on every passage)
and body.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tantivy

from indexer.local.term_folder import Found, TermReader, TermWriter, union, weighted
from indexer.protocol import Clause, LexicalQuery, Numbers, Scores

FIELDS = ("title", "headings", "body")
_HEAP = 96_000_000


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("passage", indexed=True, fast=True)
    builder.add_unsigned_field("document", indexed=True, fast=True)
    for name in FIELDS:
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="position")
    return builder.build()


class LexicalWriter(TermWriter):
    """Adds and deletes passages in the tantivy index in `folder`; nothing shows before `commit`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, _schema(), _HEAP)

    def add(
        self, passage: int, document: int, title: Sequence[str], headings: Sequence[str], body: Sequence[str]
    ) -> None:
        """Add a passage by its terms."""
        self._add(
            {"passage": passage, "document": document}, {"title": title, "headings": headings, "body": body}
        )


class LexicalReader(TermReader):
    """Scores passages against the tantivy index in `folder` as it is now; its answers never change.

    Raises:
        IndexCorrupt: tantivy cannot open the folder.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, _schema(), "passage")

    def search(self, query: LexicalQuery, depth: int) -> Found:
        """Return the best `depth` passages."""
        return self._run(self._compile(query), depth)

    def search_in(self, query: LexicalQuery, depth: int, documents: Numbers) -> Found:
        """Return the best `depth` passages of these documents: for few documents."""
        return self._run(self._within("document", documents, self._compile(query)), depth)

    def scores(self, query: LexicalQuery, passages: Numbers) -> Scores:
        """Return the scores of these passages, 0 where nothing matches."""
        if len(passages) == 0 or not query.clauses:
            return np.zeros(len(passages), dtype=np.float32)
        return self._scores(self._compile(query), passages)

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
        return self._every()

    def _compile(self, query: LexicalQuery) -> tantivy.Query:
        weights = {"title": query.title, "headings": query.headings, "body": query.body}
        return union([part for clause in query.clauses for part in self._parts(clause, weights)])

    def _clause(self, clause: Clause) -> tantivy.Query:
        return union(self._parts(clause, dict.fromkeys(FIELDS, 1.0)))

    def _parts(self, clause: Clause, weights: dict[str, float]) -> list[tantivy.Query]:
        parts = []
        for name in FIELDS if clause.field == "any" else (clause.field,):
            weight = weights[name] * clause.weight
            if weight <= 0:
                continue
            if len(clause.terms) == 1:
                parts.append(self._term(name, clause.terms[0], weight))
            else:
                phrase = tantivy.Query.phrase_query(self._schema, name, list(clause.terms))
                parts.append(weighted(phrase, weight))
        return parts
