"""One generation of the embedded index, ready to answer. Implements `indexer.protocol.IndexReader`."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from indexer.analyser import Analyser
from indexer.document import FieldKind
from indexer.encoding import Vectors
from indexer.errors import IndexCorrupt
from indexer.filters import Filter
from indexer.identity import EncoderIdentity
from indexer.local import truth
from indexer.local.catalogue import Catalogue
from indexer.local.document_vectors import DocumentVectors
from indexer.local.filter_masks import mask
from indexer.local.graph import GraphReader
from indexer.local.lexical import LexicalReader
from indexer.local.manifest import Manifest
from indexer.local.nearest import Nearest
from indexer.local.selection import DocumentSelection, own
from indexer.local.spelling import Spelling
from indexer.local.stored import Stored
from indexer.local.token_vectors import TokenReader, coding_of
from indexer.local.vectors import FILE, VectorFile
from indexer.local.whole import WholeReader
from indexer.one_by_one import OneByOne
from indexer.protocol import (
    NOTHING,
    Candidates,
    Clause,
    LexicalQuery,
    Numbers,
    Scores,
    Selection,
    StoredDocument,
    StoredPassage,
)

_FEW_DOCUMENTS = 4096  # up to so many are given to tantivy as a set; of more, what it finds is filtered


class LocalReader(OneByOne):
    """Reads the generation that `manifest` names; made by `Index.reader`.

    Raises:
        IndexCorrupt: a derived file is missing or cut short.
    """

    def __init__(self, index: Path, manifest: Manifest, analyser: Analyser, encoder: EncoderIdentity) -> None:
        self._manifest = manifest
        self._analyser = analyser
        self._encoder = encoder
        folder = manifest.folder(index)
        for name, check in manifest.files.items():
            path = folder / name
            size = path.stat().st_size if path.exists() else -1
            if size < check.size or (size > check.size and name != FILE):
                raise IndexCorrupt(f"{path} has {size} bytes, {check.size} were written")
        self._connections = truth.Connections(folder / truth.FILE)
        if not manifest.whole:
            raise IndexCorrupt(f"{index} has no index of whole documents; opening it makes one")
        self._lexical = LexicalReader(folder / manifest.lexical)
        self._whole = WholeReader(folder / manifest.whole)
        self._vectors = VectorFile(folder / FILE, manifest.rows, encoder.dim)
        graph = GraphReader(folder, manifest.graph, encoder.dim) if manifest.graph else None
        self._nearest = Nearest(self._vectors, graph)
        self._stored = Stored(self._connections)
        with self._connections.borrow() as connection:
            self._catalogue = Catalogue(connection, manifest.generation, manifest.rows)
        self._spelling_lock = threading.Lock()

    @property
    def generation(self) -> int:
        """Grows with every commit."""
        return self._manifest.generation

    @property
    def analyser(self) -> Analyser:
        """The analyser that the documents were analysed with."""
        return self._analyser

    @property
    def encoder_fingerprint(self) -> str:
        """The fingerprint of the encoder that made the vectors."""
        return self._encoder.fingerprint

    @property
    def unrelated_cosine(self) -> float:
        """The cosine that the encoder gives to unrelated texts."""
        return self._encoder.unrelated

    @property
    def document_count(self) -> int:
        """Documents in this generation."""
        return self._catalogue.documents

    @property
    def passage_count(self) -> int:
        """Passages in this generation."""
        return self._catalogue.passages

    @property
    def vector_count(self) -> int:
        """Passages that have a vector."""
        return len(self._catalogue.encoded)

    @property
    def has_token_vectors(self) -> bool:
        """Whether passages were stored with their tokens' vectors."""
        return self._tokens is not None

    @cached_property
    def _tokens(self) -> TokenReader | None:
        with self._connections.borrow() as connection:
            coding = coding_of(truth.read_meta(connection))
        return None if coding is None else TokenReader(self._connections, coding)

    @cached_property
    def _fields(self) -> dict[str, frozenset[FieldKind]]:
        kinds: dict[str, set[FieldKind]] = {}
        with self._connections.borrow() as connection:
            for name, kind in connection.execute("SELECT DISTINCT name, kind FROM fields"):
                kinds.setdefault(name, set()).add(kind)
        return {name: frozenset(found) for name, found in kinds.items()}

    def fields(self) -> Mapping[str, frozenset[FieldKind]]:
        """Return the metadata fields there are, with the kinds of value that they hold."""
        return self._fields

    def select(
        self, filters: Filter | None = None, required: Sequence[Clause] = (), excluded: Sequence[Clause] = ()
    ) -> DocumentSelection | None:
        """Return the documents that pass the filter, hold every required and no excluded clause in some passage."""
        if filters is None and not required and not excluded:
            return None
        chosen = self._catalogue.live.copy()
        if filters is not None:
            with self._connections.borrow() as connection:
                chosen &= mask(connection, filters, len(chosen), self._fields)
        for clauses, wanted in ((required, True), (excluded, False)):
            for clause in clauses:
                holds = np.zeros(len(chosen), dtype=np.bool_)
                holds[self._lexical.matching_documents(clause)] = True
                chosen &= holds if wanted else ~holds
        return DocumentSelection(chosen, int(chosen.sum()))

    def lexical(self, query: LexicalQuery, depth: int, selection: Selection | None = None) -> Candidates:
        """Return the best `depth` passages by BM25, fewer only if fewer match."""
        chosen = own(selection)
        if depth <= 0 or not query.clauses or (chosen is not None and chosen.count == 0):
            return NOTHING
        if chosen is None:
            return self._candidates(*self._lexical.search(query, depth))
        if chosen.count <= _FEW_DOCUMENTS:
            return self._candidates(*self._lexical.search_in(query, depth, np.flatnonzero(chosen.mask)))
        share = chosen.count / max(self._catalogue.documents, 1)
        ask = int(depth / share * 1.5) + depth
        while True:
            passages, scores = self._lexical.search(query, ask)
            kept = np.flatnonzero(chosen.mask[self._catalogue.document_of[passages]])[:depth]
            if len(kept) == depth or len(passages) < ask:
                return self._candidates(passages[kept], scores[kept])
            ask *= 4

    def _candidates(self, passages: Numbers, scores: Scores) -> Candidates:
        return Candidates(passages, self._catalogue.document_of[passages], scores)

    def dense(self, vector: Vectors, depth: int, selection: Selection | None = None) -> Candidates:
        """Return the best `depth` passages by cosine with `vector`; passages without vector never."""
        rows = self._catalogue.encoded
        chosen = own(selection)
        if chosen is not None:
            rows = rows[chosen.mask[self._catalogue.document_of[rows]]]
        if depth <= 0 or len(rows) == 0:
            return NOTHING
        return self._candidates(*self._nearest.best(vector, depth, rows))

    def lexical_scores(self, query: LexicalQuery, passages: Numbers) -> Scores:
        """Return the BM25 scores of these passages, in their order; 0 for those that do not match."""
        return self._lexical.scores(query, passages)

    def dense_scores(self, vector: Vectors, passages: Numbers) -> Scores:
        """Return the cosines of these passages, in their order; NaN for those without a vector."""
        scores = self._vectors.scores(vector, passages)
        scores[~self._catalogue.has_vector[passages]] = np.nan
        return scores

    def late_scores(self, tokens: Vectors, weights: Scores, passages: Numbers) -> Scores:
        """Return for each passage how well its tokens meet the query's; NaN where it has none."""
        if self._tokens is None:
            return np.full(len(passages), np.nan, dtype=np.float32)
        return self._tokens.scores(tokens, weights, passages)

    def whole_scores(self, query: LexicalQuery, documents: Numbers) -> Scores:
        """Return the BM25 scores of these documents as wholes, in their order; 0 for those that do not match."""
        return self._whole.scores(query, documents)

    def whole_best(self, query: LexicalQuery, selection: Selection | None = None) -> float:
        """Return the highest BM25 score of a whole document that may answer; 0 when none matches."""
        chosen = own(selection)
        if not query.clauses or (chosen is not None and chosen.count == 0):
            return 0.0
        if chosen is None:
            _, scores = self._whole.search(query, 1)
        elif chosen.count <= _FEW_DOCUMENTS:
            _, scores = self._whole.search_in(query, 1, np.flatnonzero(chosen.mask))
        else:
            ask = int(4 * self._catalogue.documents / chosen.count) + 16
            while True:
                documents, scores = self._whole.search(query, ask)
                scores = scores[chosen.mask[documents]]
                if len(scores) or len(documents) < ask:
                    break
                ask *= 4
        return float(scores[0]) if len(scores) else 0.0

    def vectors(self, passages: Numbers) -> Vectors:
        """Return the vectors of these passages, shape (n, dim); rows of zeros for those without one."""
        return np.array(self._vectors.matrix[passages])

    @cached_property
    def _document_vectors(self) -> DocumentVectors:
        return DocumentVectors(self._catalogue, self._vectors)

    def document_vectors(self, documents: Numbers) -> Vectors:
        """Return one vector for each of these documents: the mean of its passages' vectors, scaled to unit length."""
        return self._document_vectors.of(documents)

    def document_centre(self) -> Vectors:
        """Return the mean of the documents' vectors, or of a sample's."""
        return self._document_vectors.centre

    def passages(self, numbers: Sequence[int] | Numbers) -> list[StoredPassage]:
        """Return these passages, in the order asked."""
        return self._stored.passages(numbers)

    def passages_of(self, document: int) -> Numbers:
        """Return the numbers of a document's passages, in the document's order."""
        return self._catalogue.passages_of(document)

    def passages_of_all(self, documents: Numbers) -> tuple[Numbers, Numbers]:
        """Return the numbers of these documents' passages, document by document, and the document of each."""
        return self._catalogue.passages_of_all(documents)

    def documents(self, numbers: Sequence[int] | Numbers) -> list[StoredDocument]:
        """Return these documents, in the order asked."""
        return self._stored.documents(numbers)

    def find(self, doc_id: str) -> StoredDocument | None:
        """Return the document of this id, or None when this generation has none."""
        live = [
            number
            for number in self._stored.numbers(doc_id)
            if number < len(self._catalogue.live) and self._catalogue.live[number]
        ]
        return self._stored.documents(live)[0] if live else None

    def find_all(self, doc_ids: Sequence[str]) -> Numbers:
        """Return the numbers of the documents of these ids, in the order asked; -1 where there is none."""
        with self._connections.borrow() as connection:
            return self._catalogue.find_all(connection, doc_ids)

    def live_documents(self) -> Numbers:
        """Return the numbers of all documents of this generation, in the order they came."""
        return np.flatnonzero(self._catalogue.live)

    def doc_ids(self, documents: Numbers) -> list[str]:
        """Return the ids of these documents, in the order asked."""
        return self._stored.doc_ids(documents)

    def text(self, document: int, start: int, end: int) -> str:
        """Return the characters from `start` to `end` of the document's text."""
        return self._stored.text(document, start, end)

    def document_frequencies(self, terms: Sequence[str]) -> list[int]:
        """Return in how many passages each of these terms occurs."""
        return [self._lexical.matching_passages(Clause((term,))) for term in terms]

    @cached_property
    def _spelling(self) -> Spelling:
        with self._connections.borrow() as connection:
            return Spelling(dict(connection.execute("SELECT word, count FROM words")))

    def spellings(self, word: str, limit: int = 5) -> list[tuple[str, int]]:
        """Return words of the index near `word`, with how often each occurs: nearest first, then most frequent."""
        with self._spelling_lock:
            spelling = self._spelling
        near = []
        for candidate, count in spelling.near(word, limit * 4):
            terms = self._analyser.terms(candidate)
            if terms and all(self.document_frequencies(terms)):
                near.append((candidate, count))
            if len(near) == limit:
                break
        return near

    def close(self) -> None:
        """Close the connections that are idle."""
        self._connections.close()
