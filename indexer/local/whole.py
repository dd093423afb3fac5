"""BM25 of whole documents, by tantivy over ready-made terms: see `term_folder` for the formula.

One entry a document that has passages, with two fields: its title, and its text, in which title and headings are
included. In the text alone a query is looked for, so that a word of the title counts as one more word of the text
does: scored apart, short titles have too much say. The field of titles is for clauses on titles.

Statistics are those of documents: how many hold a term, and how long they are. A passage says where a text speaks
of something, the whole says how much it does: Callan, "Passage-Level Evidence in Document Retrieval" (SIGIR 1994);
Bendersky and Kurland, "Utilizing Passage-Based Language Models for Document Retrieval" (ECIR 2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tantivy

from indexer.local.term_folder import Found, TermReader, TermWriter, union
from indexer.protocol import LexicalQuery, Numbers, Scores

_HEAP = 48_000_000


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("document", indexed=True, fast=True)
    for name in ("title", "text"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    return builder.build()


class WholeWriter(TermWriter):
    """Adds and deletes documents in the tantivy index in `folder`; nothing shows before `commit`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, _schema(), _HEAP)

    def add(self, document: int, title: Sequence[str], text: Sequence[str]) -> None:
        """Add a document by its terms."""
        self._add({"document": document}, {"title": title, "text": [*title, *text]})


class WholeReader(TermReader):
    """Scores documents against the tantivy index in `folder` as it is now; its answers never change.

    A phrase counts by its single terms; a clause on headings or body counts in the text.

    Raises:
        IndexCorrupt: tantivy cannot open the folder.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, _schema(), "document")

    def search(self, query: LexicalQuery, depth: int) -> Found:
        """Return the best `depth` documents."""
        return self._run(self._compile(query), depth)

    def search_in(self, query: LexicalQuery, depth: int, documents: Numbers) -> Found:
        """Return the best `depth` of these documents: for few documents."""
        return self._run(self._within("document", documents, self._compile(query)), depth)

    def scores(self, query: LexicalQuery, documents: Numbers) -> Scores:
        """Return the scores of these documents, 0 where nothing matches."""
        if len(documents) == 0 or not query.clauses:
            return np.zeros(len(documents), dtype=np.float32)
        return self._scores(self._compile(query), documents)

    def all_documents(self) -> Numbers:
        """Return the numbers of all documents, ascending."""
        return self._every()

    def _compile(self, query: LexicalQuery) -> tantivy.Query:
        weights: dict[tuple[str, str], float] = {}
        for clause in query.clauses:
            for term in clause.terms:
                field, weight = ("title", query.title) if clause.field == "title" else ("text", query.body)
                weights[term, field] = weights.get((term, field), 0.0) + weight * clause.weight
        return union(
            [self._term(name, term, weight) for (term, name), weight in weights.items() if weight > 0]
        )
