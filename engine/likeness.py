"""Documents like a given one: those whose vectors are nearest to its own, and the words that both are about.

A document's vector is the mean of its passages'. Where each document costs next to nothing to look at, and there are
no more than `EXACT_DOCUMENTS`, all of them are compared; elsewhere those that have a passage near to the given
document's vector. A document without a vector is compared by the words that name it (`engine.summary.naming`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from engine.document_text import known_document
from engine.ledger import DECIMALS
from engine.per_generation import PerGeneration
from engine.query import check_k
from engine.ranking import order_documents
from engine.similar import Similar, SimilarDocument
from engine.snapshot import Snapshot
from engine.summary.naming import keyphrases
from indexer.encoding import Vectors
from indexer.filters import Filter
from indexer.one_by_one import OneByOne
from indexer.protocol import Clause, IndexReader, LexicalQuery, Numbers, Selection, StoredDocument

EXACT_DOCUMENTS = 20_000
"""Of so many documents all vectors are compared, and remembered with the generation: 31 MB where a vector has 384."""
_WORDS = 12  # words and phrases that name a document
_SHARED = 5  # of them, so many are told of a document that says them too
_TELLING = 0.4  # ... that score at least so much of what the best of them does
_READ = 16  # passages of a similar document in which they are looked for, evenly spread
_DEPTH = 300  # passages that are proposed at first
_MOST_PASSAGES = 10_000  # ... and at most
_TIMES = 5  # documents to choose among, for each that is wanted


@dataclass(frozen=True, slots=True, eq=False)
class DocumentMatrix:
    """The vectors of all documents of a generation.

    Args:
        documents: Their numbers, ascending, shape (n,).
        vectors: Unit length, shape (n, dim); zeros for a document without vectors.
        there: Which documents have a vector, shape (n,).
    """

    documents: Numbers
    vectors: Vectors
    there: NDArray[np.bool_]


def matrix_of(reader: IndexReader) -> DocumentMatrix:
    """Return the vectors of all documents."""
    live = reader.live_documents()
    vectors = reader.document_vectors(live)
    return DocumentMatrix(live, vectors, np.asarray(vectors.any(axis=1)))


@dataclass(frozen=True, slots=True)
class _Found:
    """Documents, best first, with the cosines of their vectors with the given one's, or None."""

    documents: Numbers
    scores: Sequence[float]
    cosines: Sequence[float] | None


@dataclass(frozen=True, slots=True)
class _Words:
    """What names a document: the words and phrases as it writes them, and what BM25 looks for."""

    labels: dict[Clause, str]

    @property
    def query(self) -> LexicalQuery:
        return LexicalQuery(tuple(self.labels))


def similar_documents(
    snapshot: Snapshot,
    matrices: PerGeneration[DocumentMatrix],
    doc_id: str,
    k: int,
    filters: Filter | None = None,
) -> Similar:
    """Return up to k documents most like a given one.

    Args:
        snapshot: The index.
        matrices: Remembers the vectors of all documents.
        doc_id: Which document.
        k: How many are wanted.
        filters: Which documents may come; None for all.

    Raises:
        NoSuchDocument: there is no such document.
        InvalidQuery: `k` cannot be used.
        InvalidFilter: the filter names an unknown field, or compares it with the wrong type.
    """
    check_k(k)
    reader = snapshot.reader
    document = known_document(reader, doc_id)
    selection = None if filters is None else reader.select(filters)
    vector = reader.document_vectors(np.array([document.number], dtype=np.int64))[0]
    words = _words_of(snapshot, document) if k else _Words({})
    notices = []
    if vector.any():
        found = _near(reader, matrices, document, vector, k, selection)
    else:
        notices.append("The document has no vector, so these are those that share the words which name it.")
        found = _by_words(reader, document, words, k, selection)
    if k and not len(found.documents):
        notices.append("No other document that may come is like it.")
    return Similar(document.doc_id, document.title, _items(reader, found, words), tuple(notices))


def _near(
    reader: IndexReader,
    matrices: PerGeneration[DocumentMatrix],
    document: StoredDocument,
    vector: Vectors,
    k: int,
    selection: Selection | None,
) -> _Found:
    """Return the documents whose vectors are nearest, as far as they are nearer than unrelated texts are."""
    if isinstance(reader, OneByOne) and reader.document_count <= EXACT_DOCUMENTS:
        matrix = matrices.of(reader)
        documents, vectors = matrix.documents, matrix.vectors
        may = matrix.there & (documents != document.number)
        if selection is not None:
            may &= selection.holds(documents)
        cosines = (vectors @ vector).astype(np.float64)
        documents, cosines = documents[may], cosines[may]
    else:
        documents = _proposed(reader, document, vector, k, selection)
        vectors = reader.document_vectors(documents)
        cosines = (vectors @ vector).astype(np.float64)
    cosines = cosines.round(DECIMALS)
    near = np.flatnonzero(cosines > reader.unrelated_cosine)
    return _best(reader, documents[near], cosines[near], k, with_cosines=True)


def _proposed(
    reader: IndexReader, document: StoredDocument, vector: Vectors, k: int, selection: Selection | None
) -> Numbers:
    """Return the other documents that have a passage among the nearest: several times as many as are wanted."""
    depth = _DEPTH + document.passages
    while True:
        depth = min(depth, _MOST_PASSAGES)
        found = reader.dense(vector, depth, selection)
        documents: Numbers = np.unique(found.documents)
        documents = documents[documents != document.number]
        if len(documents) >= _TIMES * k or len(found) < depth or depth == _MOST_PASSAGES:
            return documents
        depth *= 4


def _by_words(
    reader: IndexReader, document: StoredDocument, words: _Words, k: int, selection: Selection | None
) -> _Found:
    """Return the documents that say most of what names the given one."""
    depth = min(_DEPTH + document.passages, _MOST_PASSAGES)
    found = reader.lexical(words.query, depth, selection)
    documents = np.unique(found.documents)
    documents = documents[documents != document.number]
    scored = np.append(documents, document.number)
    scores = reader.whole_scores(words.query, scored).astype(np.float64)
    shares = (scores[:-1] / max(float(scores[-1]), 1e-9)).round(DECIMALS)
    said = np.flatnonzero(shares > 0)
    return _best(reader, documents[said], shares[said], k, with_cosines=False)


def _best(
    reader: IndexReader, documents: Numbers, scores: NDArray[np.float64], k: int, *, with_cosines: bool
) -> _Found:
    if len(documents) > k > 0:  # ids are looked up of those only that may be among the k
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        documents, scores = documents[scores >= least], scores[scores >= least]
    values: list[float] = scores.tolist()
    order = order_documents(values, reader.doc_ids(documents))[:k]
    best = [values[at] for at in order]
    return _Found(documents[np.array(order, dtype=np.int64)], best, best if with_cosines else None)


def _words_of(snapshot: Snapshot, document: StoredDocument) -> _Words:
    analyser = snapshot.reader.analyser
    labels: dict[Clause, str] = {}
    for phrase in keyphrases(snapshot, [document.doc_id], _WORDS):
        for part in _parts(phrase.text):
            for terms in analyser.phrases(part):
                labels.setdefault(Clause(terms), part)
    return _Words(labels)


def _parts(phrase: str) -> Iterator[str]:
    """Yield a phrase, and of a longer one the pairs of words in it."""
    yield phrase
    words = phrase.split()
    if len(words) > 2:
        for first, second in pairwise(words):
            yield f"{first} {second}"


def _items(reader: IndexReader, found: _Found, words: _Words) -> tuple[SimilarDocument, ...]:
    said = _said(reader, found.documents, words)
    return tuple(
        SimilarDocument(
            doc_id=document.doc_id,
            score=score,
            rank=rank,
            title=document.title,
            source=document.source,
            metadata=MappingProxyType(dict(document.metadata)),
            cosine=None if found.cosines is None else found.cosines[rank - 1],
            words=said.get(document.number, ()),
        )
        for rank, (document, score) in enumerate(
            zip(reader.documents(found.documents), found.scores, strict=True), 1
        )
    )


def _said(reader: IndexReader, documents: Numbers, words: _Words) -> dict[int, tuple[str, ...]]:
    """Return which of some words each document says, those that score most in one of its passages first."""
    if not len(documents) or not words.labels:
        return {}
    passages, owners = reader.passages_of_all(documents)
    spread = np.concatenate([_spread(np.flatnonzero(owners == number)) for number in documents.tolist()])
    best: dict[int, dict[str, float]] = {}
    parts = reader.explain_lexical(words.query, passages[spread])
    for owner, clauses in zip(owners[spread].tolist(), parts, strict=True):
        mine = best.setdefault(owner, {})
        for clause, score in clauses:
            label = words.labels[clause]
            mine[label] = max(mine.get(label, 0.0), round(float(score), 4))
    return {owner: _most_telling(mine) for owner, mine in best.items()}


def _most_telling(scores: Mapping[str, float]) -> tuple[str, ...]:
    """Return the words and phrases that score most, no two of them with a word in common."""
    told: list[str] = []
    words: set[str] = set()
    least = _TELLING * max(scores.values(), default=0.0)
    for label in sorted(scores, key=lambda label: (-scores[label], label)):
        if len(told) == _SHARED or scores[label] < least:
            break
        mine = set(label.casefold().split())
        if words.isdisjoint(mine):
            told.append(label)
            words |= mine
    return tuple(told)


def _spread(places: Numbers) -> Numbers:
    """Return so many of some places as are read, evenly spread."""
    if len(places) <= _READ:
        return places
    spread: Numbers = places[np.linspace(0, len(places) - 1, _READ).astype(np.int64)]
    return spread
