"""The combined calls of `indexer.protocol.IndexReader` made of the single ones, where each costs next to nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Self

import numpy as np

from indexer.document import Scalar, kind_of
from indexer.encoding import Vectors
from indexer.protocol import (
    NOTHING,
    Candidates,
    Clause,
    LexicalQuery,
    Numbers,
    Proposals,
    Scores,
    ScoresOf,
    Selection,
    StoredDocument,
)


class OneByOne(ABC):
    """A reader that answers combined calls one by one: what each means is said in the protocol."""

    @abstractmethod
    def lexical(self, query: LexicalQuery, depth: int, selection: Selection | None = None) -> Candidates:
        """Return the best passages by BM25."""

    @abstractmethod
    def dense(self, vector: Vectors, depth: int, selection: Selection | None = None) -> Candidates:
        """Return the best passages by cosine."""

    @abstractmethod
    def lexical_scores(self, query: LexicalQuery, passages: Numbers) -> Scores:
        """Return BM25 scores."""

    @abstractmethod
    def dense_scores(self, vector: Vectors, passages: Numbers) -> Scores:
        """Return cosines."""

    @abstractmethod
    def whole_scores(self, query: LexicalQuery, documents: Numbers) -> Scores:
        """Return BM25 scores of whole documents."""

    @abstractmethod
    def whole_best(self, query: LexicalQuery, selection: Selection | None = None) -> float:
        """Return the highest of them."""

    @abstractmethod
    def passages_of_all(self, documents: Numbers) -> tuple[Numbers, Numbers]:
        """Return the passages of these documents."""

    @abstractmethod
    def documents(self, numbers: Sequence[int] | Numbers) -> list[StoredDocument]:
        """Return these documents."""

    @abstractmethod
    def text(self, document: int, start: int, end: int) -> str:
        """Return a stretch of a document's text."""

    def dense_each(
        self, vectors: Vectors, depth: int, selection: Selection | None = None
    ) -> list[Candidates]:
        """Return what `dense` does for each of these vectors, shape (n, dim)."""
        return [self.dense(vector, depth, selection) for vector in vectors]

    def propose(
        self,
        query: LexicalQuery,
        vector: Vectors | None,
        lexical_depth: int,
        dense_depth: int,
        selection: Selection | None = None,
        whole: bool = False,
    ) -> Proposals:
        """Return what `lexical`, `dense` and `whole_best` do, of those that are asked."""
        return Proposals(
            self.lexical(query, lexical_depth, selection) if lexical_depth > 0 else NOTHING,
            NOTHING if vector is None or dense_depth <= 0 else self.dense(vector, dense_depth, selection),
            self.whole_best(query, selection) if whole else 0.0,
        )

    def scores_of(
        self,
        query: LexicalQuery,
        vector: Vectors | None,
        bm25_of: Numbers,
        cosines_of: Numbers,
        whole_of: Numbers,
    ) -> ScoresOf:
        """Return what `lexical_scores`, `dense_scores` and `whole_scores` do; cosines without a vector are NaN."""
        unknown = np.full(len(cosines_of), np.nan, dtype=np.float32)
        nothing = np.zeros(0, dtype=np.float32)
        return ScoresOf(
            self.lexical_scores(query, bm25_of) if len(bm25_of) else nothing,
            unknown if vector is None or not len(cosines_of) else self.dense_scores(vector, cosines_of),
            self.whole_scores(query, whole_of) if len(whole_of) else nothing,
        )

    def passages_near(
        self, vector: Vectors, documents: Numbers, least: Scores, known: Numbers
    ) -> tuple[Numbers, Numbers, Scores]:
        """Return the passages of documents with a cosine of at least that, or with none, and not `known`."""
        passages, owners = self.passages_of_all(documents)
        new = ~np.isin(passages, known, assume_unique=True)
        passages, owners = passages[new], owners[new]
        cosines = self.dense_scores(vector, passages)
        near = np.flatnonzero(~(cosines < least[np.searchsorted(documents, owners)]))
        near = near[np.argsort(passages[near])]
        return passages[near], owners[near], cosines[near]

    def explain_lexical(self, query: LexicalQuery, passages: Numbers) -> list[list[tuple[Clause, float]]]:
        """Return for each passage what each matching clause adds to its BM25 score, largest first."""
        parts: list[list[tuple[Clause, float]]] = [[] for _ in passages]
        for clause in query.clauses:
            alone = LexicalQuery((clause,), query.title, query.headings, query.body)
            for at, score in enumerate(self.lexical_scores(alone, passages).tolist()):
                if score > 0:
                    parts[at].append((clause, score))
        return [sorted(each, key=lambda part: -part[1]) for each in parts]

    def texts(self, spans: Sequence[tuple[int, int, int]]) -> list[str]:
        """Return what `text` does for each of these: document, start, end."""
        return [self.text(document, start, end) for document, start, end in spans]

    def value_counts(
        self, fields: Sequence[str], documents: Numbers
    ) -> Mapping[str, Sequence[tuple[Scalar, int]]]:
        """Return for each metadata field its values among these documents, with how many of them have each."""
        counters: dict[str, Counter[tuple[str, Scalar]]] = {name: Counter() for name in fields}
        for stored in self.documents(documents):
            for name, counter in counters.items():
                value = stored.metadata.get(name, ())
                values = value if isinstance(value, tuple) else (value,)
                counter.update({(kind_of(item), item) for item in values})
        return {
            name: [(value, count) for (_, value), count in counter.items()]
            for name, counter in counters.items()
        }

    def watched(self, tell: Callable[[str], None]) -> Self:
        """Return this reader: it answers whole, or fails."""
        return self
