"""What an index answers: one protocol, whatever holds the data.

The engine asks an `IndexReader` for candidates and for the stored values behind them, and knows no backend.
A reader is one generation of the index: its answers never change. Passages and documents are named by
integers that mean nothing outside the reader that gave them; `doc_id` is the name that lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from indexer.analyser import Analyser
from indexer.document import FieldKind as FieldKind
from indexer.document import MetadataValue, Passage, Scalar
from indexer.encoding import Vectors
from indexer.filters import Filter

Numbers: TypeAlias = NDArray[np.int64]
Scores: TypeAlias = NDArray[np.float32]
TextField: TypeAlias = Literal["any", "title", "headings", "body"]


@dataclass(frozen=True, slots=True)
class Clause:
    """One analysed part of a query.

    Args:
        terms: One term, or a phrase's terms in order.
        field: Where to look; `any` is all of them.
        weight: What its score is multiplied by: how often the query says it.
    """

    terms: tuple[str, ...]
    field: TextField = "any"
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class LexicalQuery:
    """What BM25 scores: a passage's score is the weighted sum over clauses and over fields."""

    clauses: tuple[Clause, ...]
    title: float = 1.0
    headings: float = 1.0
    body: float = 1.0


@dataclass(frozen=True, slots=True)
class Candidates:
    """Passages found: score descending, ties by passage number ascending, no repeats; three arrays of shape (n,)."""

    passages: Numbers
    documents: Numbers
    scores: Scores

    def __len__(self) -> int:
        return len(self.passages)


NOTHING = Candidates(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
"""No candidates."""


@dataclass(frozen=True, slots=True)
class Proposals:
    """What both sides of an index propose for one query.

    Args:
        lexical: As `lexical` gives it; nothing where that side was not asked.
        dense: As `dense` gives it, likewise.
        whole_best: As `whole_best` gives it; 0 where it was not asked for.
    """

    lexical: Candidates
    dense: Candidates
    whole_best: float


@dataclass(frozen=True, slots=True)
class ScoresOf:
    """Scores that were looked up together, each array in the order of the numbers it was asked for.

    Args:
        bm25: Of passages, as `lexical_scores` gives them.
        cosines: Of passages, as `dense_scores` gives them.
        whole: Of documents, as `whole_scores` gives them.
    """

    bm25: Scores
    cosines: Scores
    whole: Scores


class Selection(Protocol):
    """Some of the documents, as one reader understands it."""

    @property
    def count(self) -> int:
        """How many documents."""
        ...

    def __contains__(self, document: int) -> bool:
        """Whether the document of this number is one of them."""
        ...

    def holds(self, documents: Numbers) -> NDArray[np.bool_]:
        """Return whether each of these documents is one of them, shape (n,)."""
        ...


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage and the numbers that the reader knows it by."""

    number: int
    document: int
    passage: Passage


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """What is known of a document without its text. `length` is in characters; `pages` as in `Document`."""

    number: int
    doc_id: str
    title: str
    source: str
    metadata: Mapping[str, MetadataValue]
    length: int
    passages: int
    pages: tuple[int, ...]


class IndexReader(Protocol):
    """One generation of an index. Safe to share between threads.

    Some calls do what several others do, or what one does again and again: to an index on a server those are one
    trip in place of many.
    """

    @property
    def generation(self) -> int:
        """Grows with every commit."""
        ...

    @property
    def analyser(self) -> Analyser:
        """The analyser that the documents were analysed with."""
        ...

    @property
    def encoder_fingerprint(self) -> str:
        """The fingerprint of the encoder that made the vectors."""
        ...

    @property
    def unrelated_cosine(self) -> float:
        """The cosine that the encoder gives to unrelated texts: where the scale of meaning begins."""
        ...

    @property
    def document_count(self) -> int:
        """Documents in this generation."""
        ...

    @property
    def passage_count(self) -> int:
        """Passages in this generation."""
        ...

    @property
    def has_token_vectors(self) -> bool:
        """Whether passages were stored with their tokens' vectors, which `late_scores` compares."""
        ...

    def fields(self) -> Mapping[str, frozenset[FieldKind]]:
        """Return the metadata fields there are, with the kinds of value that they hold."""
        ...

    def select(
        self, filters: Filter | None = None, required: Sequence[Clause] = (), excluded: Sequence[Clause] = ()
    ) -> Selection | None:
        """Return the documents that pass the filter, hold every required and no excluded clause in some passage.

        None stands for all documents, when nothing was asked.

        Raises:
            InvalidFilter: an unknown field (with the nearest known name), or a value of the wrong type.
        """
        ...

    def lexical(self, query: LexicalQuery, depth: int, selection: Selection | None = None) -> Candidates:
        """Return the best `depth` passages by BM25 (k1 1.2, b 0.75, Lucene's formula), fewer only if fewer match."""
        ...

    def dense(self, vector: Vectors, depth: int, selection: Selection | None = None) -> Candidates:
        """Return the best `depth` passages by cosine with `vector`, shape (dim,); passages without vector never."""
        ...

    def dense_each(
        self, vectors: Vectors, depth: int, selection: Selection | None = None
    ) -> list[Candidates]:
        """Return what `dense` does for each of these vectors, shape (n, dim)."""
        ...

    def propose(
        self,
        query: LexicalQuery,
        vector: Vectors | None,
        lexical_depth: int,
        dense_depth: int,
        selection: Selection | None = None,
        whole: bool = False,
    ) -> Proposals:
        """Return what `lexical`, `dense` and `whole_best` do, of those that are asked.

        Args:
            query: What BM25 scores.
            vector: What the query means, shape (dim,); None leaves that side out.
            lexical_depth: For `lexical`; 0 leaves it out.
            dense_depth: For `dense`; 0 leaves it out.
            selection: The documents that may answer; None for all.
            whole: Whether to ask `whole_best`.
        """
        ...

    def scores_of(
        self,
        query: LexicalQuery,
        vector: Vectors | None,
        bm25_of: Numbers,
        cosines_of: Numbers,
        whole_of: Numbers,
    ) -> ScoresOf:
        """Return what `lexical_scores`, `dense_scores` and `whole_scores` do for these numbers; without a vector NaN.

        Args:
            query: What BM25 scores.
            vector: What the query means, shape (dim,), or None.
            bm25_of: Passages.
            cosines_of: Passages.
            whole_of: Documents.
        """
        ...

    def passages_near(
        self, vector: Vectors, documents: Numbers, least: Scores, known: Numbers
    ) -> tuple[Numbers, Numbers, Scores]:
        """Return the passages of some documents that resemble a vector, or of which nobody can say.

        Args:
            vector: Shape (dim,).
            documents: Whose passages: ascending, no repeats, shape (n,).
            least: For each document the lowest cosine that is of interest, shape (n,); passages without a vector are
                there too.
            known: Passages that are not to be among them.

        Returns:
            The passages, ascending; the document of each; its cosine, NaN without a vector.
        """
        ...

    def lexical_scores(self, query: LexicalQuery, passages: Numbers) -> Scores:
        """Return the BM25 scores of these passages, in their order; 0 for those that do not match."""
        ...

    def dense_scores(self, vector: Vectors, passages: Numbers) -> Scores:
        """Return the cosines of these passages, in their order; NaN for those without a vector."""
        ...

    def late_scores(self, tokens: Vectors, weights: Scores, passages: Numbers) -> Scores:
        """Return for each passage how well its tokens meet the query's, each by its own best: late interaction.

        For every token of the query the best cosine among the passage's tokens, and of these the weighted mean
        (MaxSim: Khattab and Zaharia 2020, section 3.3, as a mean), so about -1 to 1. A passage's score does not
        depend on the others. The cosines are those of the tokens as they are stored, projected and rounded: higher
        than those of the whole vectors, and in nearly the same order.

        Args:
            tokens: The query's, unit vectors as `TokenEncoder.encode_query_tokens` gives them, shape (t, width).
            weights: One for each token, 0 or more, shape (t,); where all are 0, each counts the same.
            passages: Which passages, in any order.

        Returns:
            float32, shape (n,); NaN for a passage without tokens, for every passage where the index was made
            without them (`has_token_vectors`), and where the query has no token.

        Raises:
            InvalidSettings: the shapes do not fit each other or the index.
        """
        ...

    def whole_scores(self, query: LexicalQuery, documents: Numbers) -> Scores:
        """Return the BM25 scores of these documents as wholes, in their order; 0 for those that do not match.

        N, lengths and frequencies are those of documents that have passages. Title and text are one field here,
        which counts with the query's weight of the body; only clauses on titles look in the title alone, with the
        weight of titles. A phrase counts by its single terms.
        """
        ...

    def whole_best(self, query: LexicalQuery, selection: Selection | None = None) -> float:
        """Return the highest of `whole_scores` among the documents that may answer; 0 when none matches."""
        ...

    def explain_lexical(self, query: LexicalQuery, passages: Numbers) -> list[list[tuple[Clause, float]]]:
        """Return for each passage what each matching clause adds to its BM25 score, largest first."""
        ...

    def vectors(self, passages: Numbers) -> Vectors:
        """Return the vectors of these passages, shape (n, dim); rows of zeros for those without one."""
        ...

    def document_vectors(self, documents: Numbers) -> Vectors:
        """Return one vector for each of these documents: the mean of its passages' vectors, scaled to unit length.

        Returns:
            Shape (n, dim), in the order asked; a row of zeros for a document without vectors.
        """
        ...

    def document_centre(self) -> Vectors:
        """Return the mean of the documents' vectors, or of a sample's, shape (dim,): what all of them have in common.

        The same at every call; zeros where no document has a vector.
        """
        ...

    def passages(self, numbers: Sequence[int] | Numbers) -> list[StoredPassage]:
        """Return these passages, in the order asked."""
        ...

    def passages_of(self, document: int) -> Numbers:
        """Return the numbers of a document's passages, in the document's order."""
        ...

    def passages_of_all(self, documents: Numbers) -> tuple[Numbers, Numbers]:
        """Return the numbers of these documents' passages, document by document, and the document of each."""
        ...

    def live_documents(self) -> Numbers:
        """Return the numbers of all documents of this generation, ascending."""
        ...

    def documents(self, numbers: Sequence[int] | Numbers) -> list[StoredDocument]:
        """Return these documents, in the order asked."""
        ...

    def find(self, doc_id: str) -> StoredDocument | None:
        """Return the document of this id, or None when this generation has none."""
        ...

    def find_all(self, doc_ids: Sequence[str]) -> Numbers:
        """Return the numbers of the documents of these ids, in the order asked; -1 where there is none."""
        ...

    def doc_ids(self, documents: Numbers) -> list[str]:
        """Return the ids of these documents, in the order asked; quicker than `documents`."""
        ...

    def text(self, document: int, start: int, end: int) -> str:
        """Return the characters from `start` to `end` of the document's text, reading no more than is needed."""
        ...

    def texts(self, spans: Sequence[tuple[int, int, int]]) -> list[str]:
        """Return what `text` does for each of these: document, start, end."""
        ...

    def value_counts(
        self, fields: Sequence[str], documents: Numbers
    ) -> Mapping[str, Sequence[tuple[Scalar, int]]]:
        """Return for each metadata field its values among these documents, with how many of them have each.

        A document of several values counts once for each; values of different kinds are different. In any order.
        """
        ...

    def document_frequencies(self, terms: Sequence[str]) -> list[int]:
        """Return in how many passages each of these terms occurs, in whatever field."""
        ...

    def spellings(self, word: str, limit: int = 5) -> list[tuple[str, int]]:
        """Return words of the index near `word`, each with how often it occurs: nearest first, then most frequent.

        Near is an edit distance of 1, or of 2 from six letters on.
        """
        ...

    def watched(self, tell: Callable[[str], None]) -> IndexReader:
        """Return this reader such that it calls `tell`, with a sentence, where an answer lacks something.

        An index of several machines may answer without one of them; one in a folder answers whole or fails.
        """
        ...
