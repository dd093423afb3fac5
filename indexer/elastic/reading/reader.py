"""One generation of an index on Elasticsearch, ready to answer. Implements `indexer.protocol.IndexReader`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from indexer.analyser import Analyser
from indexer.document import FieldKind, Scalar
from indexer.elastic.errors import ElasticNotFound
from indexer.elastic.reading.extent import Extent
from indexer.elastic.reading.lookups import Lookups
from indexer.elastic.reading.memory import Memory
from indexer.elastic.reading.pit import PointInTime, Tell
from indexer.elastic.reading.ranking import Ranking
from indexer.elastic.reading.selection import ElasticSelection, own, select
from indexer.elastic.reading.stored_vectors import StoredVectors
from indexer.elastic.reading.texts import Texts
from indexer.elastic.reading.vector_search import VectorSearch
from indexer.elastic.reading.words import Words
from indexer.elastic.shape.mappings import Made
from indexer.elastic.shape.metadata import fields_in
from indexer.elastic.wire.connection import Cluster, path_of
from indexer.encoding import Vectors
from indexer.errors import IndexChanged
from indexer.filters import Filter
from indexer.protocol import (
    Candidates,
    Clause,
    LexicalQuery,
    Numbers,
    Proposals,
    Scores,
    ScoresOf,
    Selection,
    StoredDocument,
    StoredPassage,
)

_MARGINS = {"none": 1e-3, "int8": 0.03, "int4": 0.1, "bbq": 0.3}
"""By quantisation, how far a rounded vector's cosine may be from its own."""


class ElasticReader:
    """Reads one generation; made by `ElasticReader.open`.

    Answers are those of `indexer.local.reader.LocalReader`, as far as ties and rounding go; what each call means is
    said in the protocol. What was met before is remembered and costs nothing.
    """

    def __init__(
        self,
        point: PointInTime,
        analyser: Analyser,
        made: Made,
        fields: Mapping[str, frozenset[FieldKind]],
        extent: Extent,
        memory: Memory,
        tell: Tell | None = None,
    ) -> None:
        self._point = point
        self._analyser = analyser
        self._made = made
        self._fields = fields
        self._extent = extent
        self._memory = memory
        self._tell = tell
        shared = (point, tell, memory)
        self._near = VectorSearch(*shared, extent, _MARGINS[made.quantisation])
        self._ranking = Ranking(*shared, self._near)
        self._lookups = Lookups(*shared)
        self._texts = Texts(*shared)
        self._vectors = StoredVectors(*shared, made.encoder.dim, made.coding)
        self._words = Words(*shared, analyser)

    @classmethod
    def open(cls, cluster: Cluster, passages: str, documents: str, analyser: Analyser) -> ElasticReader:
        """Return a reader of what the two indexes hold now.

        Args:
            cluster: Where they are.
            passages: The index of passages, by its own name: an alias may lead elsewhere later.
            documents: The index of documents, likewise.
            analyser: The one that they were made with.

        Raises:
            IndexChanged: the indexes are gone.
            IndexUnavailable: the cluster does not answer.
        """
        try:
            told = cluster.request("GET", path_of(documents, "_mapping"))
        except ElasticNotFound as error:
            raise IndexChanged(f"{documents} is gone from the cluster: take a new reader") from error
        mapping = next(iter(told.values()))["mappings"]
        point = PointInTime(cluster, passages, documents)
        made = Made.from_meta(mapping["_meta"])
        return cls(point, analyser, made, fields_in(mapping), Extent(point), Memory())

    @property
    def generation(self) -> int:
        """Grows with every commit."""
        return self._point.generation

    @property
    def analyser(self) -> Analyser:
        """The analyser that the documents were analysed with."""
        return self._analyser

    @property
    def encoder_fingerprint(self) -> str:
        """The fingerprint of the encoder that made the vectors."""
        return self._made.encoder.fingerprint

    @property
    def unrelated_cosine(self) -> float:
        """The cosine that the encoder gives to unrelated texts."""
        return self._made.encoder.unrelated

    @property
    def document_count(self) -> int:
        """Documents in this generation."""
        return self._extent.counts.documents

    @property
    def passage_count(self) -> int:
        """Passages in this generation."""
        return self._extent.counts.passages

    @property
    def vector_count(self) -> int:
        """Passages that have a vector."""
        return self._extent.counts.vectors

    @property
    def has_token_vectors(self) -> bool:
        """Whether passages were stored with their tokens' vectors."""
        return self._made.coding is not None

    def fields(self) -> Mapping[str, frozenset[FieldKind]]:
        """Return the metadata fields there are, with the kinds of value that they hold."""
        return self._fields

    def select(
        self, filters: Filter | None = None, required: Sequence[Clause] = (), excluded: Sequence[Clause] = ()
    ) -> ElasticSelection | None:
        """Return the documents that pass the filter, hold every required and no excluded clause in some passage."""
        return select(self._point, self._tell, self._fields, filters, required, excluded)

    def propose(
        self,
        query: LexicalQuery,
        vector: Vectors | None,
        lexical_depth: int,
        dense_depth: int,
        selection: Selection | None = None,
        whole: bool = False,
    ) -> Proposals:
        """Return what `lexical`, `dense` and `whole_best` do, of those that are asked, in one request."""
        return self._ranking.propose(query, vector, lexical_depth, dense_depth, own(selection), whole)

    def scores_of(
        self,
        query: LexicalQuery,
        vector: Vectors | None,
        bm25_of: Numbers,
        cosines_of: Numbers,
        whole_of: Numbers,
    ) -> ScoresOf:
        """Return what `lexical_scores`, `dense_scores` and `whole_scores` do, in one request."""
        return self._ranking.scores_of(query, vector, bm25_of, cosines_of, whole_of)

    def lexical(self, query: LexicalQuery, depth: int, selection: Selection | None = None) -> Candidates:
        """Return the best `depth` passages by BM25, fewer only if fewer match."""
        return self.propose(query, None, depth, 0, selection).lexical

    def dense(self, vector: Vectors, depth: int, selection: Selection | None = None) -> Candidates:
        """Return the best `depth` passages by cosine with `vector`; passages without vector never."""
        return self._near.each(vector[None], depth, own(selection))[0]

    def dense_each(
        self, vectors: Vectors, depth: int, selection: Selection | None = None
    ) -> list[Candidates]:
        """Return what `dense` does for each of these vectors, shape (n, dim), in one request."""
        return self._near.each(vectors, depth, own(selection))

    def passages_near(
        self, vector: Vectors, documents: Numbers, least: Scores, known: Numbers
    ) -> tuple[Numbers, Numbers, Scores]:
        """Return the passages of documents with a cosine of at least that, or with none, and not `known`."""
        return self._near.near(vector, documents, least, known)

    def lexical_scores(self, query: LexicalQuery, passages: Numbers) -> Scores:
        """Return the BM25 scores of these passages, in their order; 0 for those that do not match."""
        return self.scores_of(query, None, passages, _NONE, _NONE).bm25

    def dense_scores(self, vector: Vectors, passages: Numbers) -> Scores:
        """Return the cosines of these passages, in their order; NaN for those without a vector."""
        return self.scores_of(LexicalQuery(()), vector, _NONE, passages, _NONE).cosines

    def late_scores(self, tokens: Vectors, weights: Scores, passages: Numbers) -> Scores:
        """Return for each passage how well its tokens meet the query's; NaN where it has none."""
        return self._vectors.late_scores(tokens, weights, passages)

    def whole_scores(self, query: LexicalQuery, documents: Numbers) -> Scores:
        """Return the BM25 scores of these documents as wholes, in their order; 0 for those that do not match."""
        return self.scores_of(query, None, _NONE, _NONE, documents).whole

    def whole_best(self, query: LexicalQuery, selection: Selection | None = None) -> float:
        """Return the highest BM25 score of a whole document that may answer; 0 when none matches."""
        return self.propose(query, None, 0, 0, selection, True).whole_best

    def explain_lexical(self, query: LexicalQuery, passages: Numbers) -> list[list[tuple[Clause, float]]]:
        """Return for each passage what each matching clause adds to its BM25 score, largest first."""
        return self._ranking.explain(query, passages)

    def vectors(self, passages: Numbers) -> Vectors:
        """Return the vectors of these passages, shape (n, dim); rows of zeros for those without one."""
        return self._vectors.of_passages(passages)

    def document_vectors(self, documents: Numbers) -> Vectors:
        """Return one vector for each of these documents: the mean of its passages' vectors, scaled to unit length."""
        return self._vectors.of_documents(documents)

    def document_centre(self) -> Vectors:
        """Return the mean of the documents' vectors, or of a sample's."""
        return self._vectors.centre()

    def passages(self, numbers: Sequence[int] | Numbers) -> list[StoredPassage]:
        """Return these passages, in the order asked."""
        return self._lookups.passages(numbers)

    def passages_of(self, document: int) -> Numbers:
        """Return the numbers of a document's passages, in the document's order."""
        return self.passages_of_all(np.array([document], dtype=np.int64))[0]

    def passages_of_all(self, documents: Numbers) -> tuple[Numbers, Numbers]:
        """Return the numbers of these documents' passages, document by document, and the document of each."""
        counts = self._lookups.counts(documents)
        owners = np.repeat(documents, counts)
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return owners + within, owners

    def live_documents(self) -> Numbers:
        """Return the numbers of all documents of this generation, ascending."""
        return self._lookups.live()

    def documents(self, numbers: Sequence[int] | Numbers) -> list[StoredDocument]:
        """Return these documents, in the order asked."""
        return self._lookups.documents(numbers)

    def find(self, doc_id: str) -> StoredDocument | None:
        """Return the document of this id, or None when this generation has none."""
        return self._lookups.find(doc_id)

    def find_all(self, doc_ids: Sequence[str]) -> Numbers:
        """Return the numbers of the documents of these ids, in the order asked; -1 where there is none."""
        return self._lookups.find_all(doc_ids)

    def doc_ids(self, documents: Numbers) -> list[str]:
        """Return the ids of these documents, in the order asked."""
        return self._lookups.doc_ids(documents)

    def text(self, document: int, start: int, end: int) -> str:
        """Return the characters from `start` to `end` of the document's text."""
        return self._texts.of([(document, start, end)])[0]

    def texts(self, spans: Sequence[tuple[int, int, int]]) -> list[str]:
        """Return what `text` does for each of these: document, start, end."""
        return self._texts.of(spans)

    def value_counts(
        self, fields: Sequence[str], documents: Numbers
    ) -> Mapping[str, Sequence[tuple[Scalar, int]]]:
        """Return for each metadata field its values among these documents, with how many of them have each."""
        return self._words.value_counts(fields, documents, self._fields, self.documents)

    def document_frequencies(self, terms: Sequence[str]) -> list[int]:
        """Return in how many passages each of these terms occurs, in whatever field."""
        return self._words.frequencies(terms)

    def spellings(self, word: str, limit: int = 5) -> list[tuple[str, int]]:
        """Return words of the index near `word`, nearest first, then in the most documents."""
        return self._words.near(word, limit)

    def watched(self, tell: Callable[[str], None]) -> ElasticReader:
        """Return this reader such that it calls `tell`, once a sentence, where an answer lacks something."""
        told: set[str] = set()

        def once(sentence: str) -> None:
            if sentence not in told:
                told.add(sentence)
                tell(sentence)

        return ElasticReader(
            self._point, self._analyser, self._made, self._fields, self._extent, self._memory, once
        )

    def close(self) -> None:
        """Let the server forget this generation; of no use from then on."""
        self._point.close()


_NONE: Numbers = np.zeros(0, dtype=np.int64)
