"""What an index answers, worked out the slow way from the documents alone: no index, no server, double precision."""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from indexer.analyser import Analyser
from indexer.context import contextual_text
from indexer.document import Document, MetadataValue, Passage, Scalar
from indexer.encoder.hashing import HashingEncoder
from indexer.field_values import field_row
from indexer.filters import And, Eq, Exists, Filter, In, Not, Or, Range
from indexer.protocol import Clause, LexicalQuery
from indexer.splitter import Splitter, SplitterSettings
from indexer.token_coding import TokenCoding
from indexer.token_sample import fit_coding

Key: TypeAlias = tuple[str, int]
"""A passage by a name that lasts: its document's id and its ordinal."""
Terms: TypeAlias = Sequence[str]
FIELDS = ("title", "headings", "body")


@dataclass(frozen=True)
class PlainPassage:
    """A passage with all that is scored of it."""

    document: Document
    passage: Passage
    read: str
    terms: Mapping[str, Terms]
    vector: NDArray[np.float32] | None

    @property
    def key(self) -> Key:
        return self.passage.doc_id, self.passage.ordinal


class PlainIndex:
    """Documents, split and analysed as an index does it, and every question answered by looking at all of them."""

    def __init__(
        self, documents: Iterable[Document], encoder: HashingEncoder, settings: SplitterSettings
    ) -> None:
        self.analyser = Analyser()
        self.encoder = encoder
        self.documents = {document.doc_id: document for document in documents}
        splitter = Splitter(encoder, settings)
        self.passages = {
            passage.key: passage
            for document in self.documents.values()
            for passage in self._split(splitter, document)
        }
        self.of_document: dict[str, list[Key]] = {doc_id: [] for doc_id in self.documents}
        for key in self.passages:
            self.of_document[key[0]].append(key)

    def _split(self, splitter: Splitter, document: Document) -> Iterable[PlainPassage]:
        terms = self.analyser.terms
        title = terms(document.title)
        for passage in splitter.split(document):
            text = document.text[passage.start : passage.end]
            read = contextual_text(document.title, passage.headings, text)
            headings = [term for heading in passage.headings for term in terms(heading)]
            vector = self.encoder.encode_query(read) if self.encoder.readable(read) >= 0.5 else None
            words = {"title": title, "headings": headings, "body": terms(text)}
            yield PlainPassage(document, passage, read, words, vector)

    @cached_property
    def _by_field(self) -> dict[str, dict[Key, Terms]]:
        return {name: {key: p.terms[name] for key, p in self.passages.items()} for name in FIELDS}

    @cached_property
    def _whole(self) -> dict[str, dict[str, Terms]]:
        """Title, and title with text, of the documents that have passages."""
        having = [self.documents[doc_id] for doc_id, keys in self.of_document.items() if keys]
        terms = self.analyser.terms
        titles = {document.doc_id: terms(document.title) for document in having}
        return {"title": titles, "text": {d.doc_id: [*titles[d.doc_id], *terms(d.text)] for d in having}}

    def bm25(self, query: LexicalQuery) -> dict[Key, float]:
        """Return the score of every passage that matches."""
        weights = {"title": query.title, "headings": query.headings, "body": query.body}
        scores: Counter[Key] = Counter()
        for clause in query.clauses:
            for name in FIELDS if clause.field == "any" else (clause.field,):
                for key, score in _unit(self._by_field[name], clause.terms):
                    scores[key] += weights[name] * clause.weight * score
        return {key: score for key, score in scores.items() if score > 0}

    def whole_bm25(self, query: LexicalQuery) -> dict[str, float]:
        """Return the score of every document as a whole, that matches."""
        scores: Counter[str] = Counter()
        for clause in query.clauses:
            name, weight = ("title", query.title) if clause.field == "title" else ("text", query.body)
            for term in clause.terms:
                for doc_id, score in _unit(self._whole[name], (term,)):
                    scores[doc_id] += weight * clause.weight * score
        return {doc_id: score for doc_id, score in scores.items() if score > 0}

    def cosines(self, vector: NDArray[np.float32]) -> dict[Key, float]:
        """Return the cosine of every passage that has a vector."""
        return {
            key: float(passage.vector.astype(np.float64) @ vector)
            for key, passage in self.passages.items()
            if passage.vector is not None
        }

    @cached_property
    def _coding(self) -> TokenCoding:
        return fit_coding(self.encoder)

    def late(self, text: str, weights: Sequence[float], key: Key) -> float:
        """Return how well a passage's tokens, as they are coded, meet those of a query; NaN without a vector."""
        passage = self.passages[key]
        if passage.vector is None:
            return math.nan
        held = self.encoder.encode_query_tokens(passage.read)
        says = [any(map(str.isalnum, passage.read[start:end])) for start, end in held.spans.tolist()]
        if not any(says):
            return math.nan
        stored = self._coding.decode(self._coding.encode(held.vectors[says])).astype(np.float64)
        asked = self.encoder.encode_query_tokens(text).vectors.astype(np.float64) @ self._coding.axes.T
        asked /= np.linalg.norm(asked, axis=1, keepdims=True)
        return float(np.average((asked @ stored.T).max(axis=1), weights=weights))

    def holding(self, clause: Clause) -> set[str]:
        """Return the documents that hold a clause in some passage."""
        names = FIELDS if clause.field == "any" else (clause.field,)
        return {
            key[0]
            for name in names
            for key, terms in self._by_field[name].items()
            if _occurrences(terms, clause.terms)
        }

    def selected(
        self, filters: Filter | None, required: Sequence[Clause] = (), excluded: Sequence[Clause] = ()
    ) -> set[str]:
        """Return the documents that may answer."""
        chosen = {
            doc_id
            for doc_id, document in self.documents.items()
            if filters is None or matches(filters, document.metadata)
        }
        for clause in required:
            chosen &= self.holding(clause)
        for clause in excluded:
            chosen -= self.holding(clause)
        return chosen

    def document_vector(self, doc_id: str) -> NDArray[np.float64]:
        """Return the mean of a document's vectors, at unit length; zeros without any."""
        vectors = [self.passages[key].vector for key in self.of_document[doc_id]]
        found = [vector for vector in vectors if vector is not None]
        total = np.sum(found, axis=0, dtype=np.float64) if found else np.zeros(self.encoder.dim)
        return total / (np.linalg.norm(total) or 1.0)

    def frequency(self, term: str) -> int:
        """Return in how many passages a term occurs."""
        return sum(any(term in terms for terms in p.terms.values()) for p in self.passages.values())

    @cached_property
    def words(self) -> Counter[str]:
        """How often each word occurs."""
        return Counter(
            word
            for document in self.documents.values()
            for word, _ in self.analyser.words(f"{document.title}\n{document.text}")
        )


def _occurrences(terms: Terms, clause: Terms) -> int:
    size = len(clause)
    return sum(list(terms[at : at + size]) == list(clause) for at in range(len(terms) - size + 1))


def _unit(entries: Mapping[object, Terms], clause: Terms) -> Iterable[tuple[object, float]]:
    """Yield the BM25 score of one term or phrase in one field, for the entries that hold it (k1 1.2, b 0.75)."""
    idf = 0.0
    for term in clause:  # a phrase has the sum of its terms' weights
        frequency = sum(term in terms for terms in entries.values())
        idf += math.log(1 + (len(entries) - frequency + 0.5) / (frequency + 0.5))
    mean = sum(map(len, entries.values())) / max(len(entries), 1)
    for key, terms in entries.items():
        count = _occurrences(terms, clause)
        if count:
            yield key, idf * count / (count + 1.2 * (0.25 + 0.75 * kept_length(len(terms)) / mean))


def kept_length(length: int) -> int:
    """Return a length as Lucene and tantivy keep it, in one byte: 24 and the rest's four highest bits."""
    rest = length - 24
    if rest < 16:
        return length
    shift = rest.bit_length() - 4
    return 24 + (rest >> shift << shift)


def matches(condition: Filter, metadata: Mapping[str, MetadataValue]) -> bool:
    """Say what a filter means, on one document."""
    match condition:
        case And(parts):
            return all(matches(part, metadata) for part in parts)
        case Or(parts):
            return any(matches(part, metadata) for part in parts)
        case Not(inner):
            return not matches(inner, metadata)
        case Exists(name):
            return bool(_values(metadata, name))
        case Eq(name, wanted):
            return any(field_row(value) == field_row(wanted) for value in _values(metadata, name))
        case In(name, several):
            return any(matches(Eq(name, wanted), metadata) for wanted in several)
        case Range(name):
            asked = {"gte": operator.ge, "gt": operator.gt, "lte": operator.le, "lt": operator.lt}
            bounds = [(getattr(condition, at), compare) for at, compare in asked.items()]
            return any(
                all(_compared(value, bound, compare) for bound, compare in bounds if bound is not None)
                for value in _values(metadata, name)
            )
    raise AssertionError(condition)


def _values(metadata: Mapping[str, MetadataValue], name: str) -> tuple[Scalar, ...]:
    value = metadata.get(name, ())
    return value if isinstance(value, tuple) else (value,)


def _compared(value: Scalar, bound: Scalar, compare: object) -> bool:
    (kind, text, number), (other, low, limit) = field_row(value), field_row(bound)
    if kind != other:
        return False
    return bool(compare(text, low) if kind == "string" else compare(number, limit))  # type: ignore[operator]
