"""A recipe's sources opened: what is known, of which documents, and what wrong answers are drawn from."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from quire.training.events import Doing, Tell
from quire.training.library import Library
from quire.training.recipe import ClickSettings, DataSource, Recipe
from reranker.data.candidates import Candidate, CandidateSource
from reranker.data.clicks import fit_power_law, from_clicks, from_sessions, read_clicks
from reranker.data.judged import JudgedQuery, from_qrels
from reranker.data.mining_settings import MiningSettings
from reranker.data.preferences import from_preferences, read_preferences
from reranker.data.structure import from_structure
from reranker.errors import TrainingDataError

if TYPE_CHECKING:
    from eval.collection import Collection
    from indexer.backend import DocumentIndex

_PIECE = 1 << 20
_EVERY = 500


@dataclass(frozen=True, slots=True)
class Opened:
    """A source ready to be read.

    Args:
        source: As the recipe has it.
        name: What its queries have as their source.
        fingerprint: Of what is known; not of the index.
        judged: Reads what is known, anew at each call.
        known: Whether a document is there; None where that cannot be told.
        candidates: Opens what wrong answers are drawn from.
        mining: How they are drawn.
    """

    source: DataSource
    name: str
    fingerprint: str
    judged: Callable[[], Iterator[JudgedQuery]]
    known: Callable[[str], bool] | None
    candidates: Callable[[], CandidateSource]
    mining: MiningSettings

    @property
    def mines(self) -> bool:
        """Whether any wrong answers are drawn."""
        documents = bool(self.source.index or self.source.collection)
        return documents and self.mining.negatives > 0

    def only(self, names: frozenset[str]) -> Opened:
        """Return the source with those of its queries alone that have these ids."""
        whole = self.judged
        digest = _hash(" ".join([self.fingerprint, *sorted(names)]))
        return replace(
            self,
            fingerprint=digest,
            judged=lambda: (query for query in whole() if query.query_id in names),
        )


class NoDocuments:
    """A `CandidateSource` without any: for preferences that bring their passages along."""

    fingerprint = "no documents"

    def search(self, query: str, depth: int) -> Sequence[Candidate]:
        """Return nothing."""
        return ()

    def best(self, query: str, doc_ids: Sequence[str]) -> Sequence[Candidate]:
        """Return nothing."""
        return ()

    def exactly(self, query: str, keys: Sequence[tuple[str, int]]) -> Sequence[Candidate]:
        """Return nothing."""
        return ()

    def near(self, query: str, text: str, depth: int) -> Sequence[Candidate]:
        """Return nothing."""
        return ()

    def random(self, query: str, count: int, seed: int) -> Sequence[Candidate]:
        """Return nothing."""
        return ()


def opened(source: DataSource, recipe: Recipe, library: Library, tell: Tell) -> Opened:
    """Open a source; one of finished examples is not to be opened here.

    Args:
        source: Which.
        recipe: Whose settings count.
        library: Has the indexes.
        tell: Told how far reading is.

    Raises:
        TrainingDataError: a file cannot be read.
        EvalError: a collection cannot be.
        IndexingError: an index cannot be.
    """
    collection = _collection(source)
    documents = _Documents(source, recipe, library, collection)
    fingerprint, judged = _knowledge(source, recipe, documents, collection)
    name = source.label

    def all_of_them() -> Iterator[JudgedQuery]:
        return (replace(query, source=name) for query in judged())

    def told() -> Iterator[JudgedQuery]:
        chosen = _chosen(all_of_them, source.queries, recipe.split.seed) if source.queries else all_of_them()
        for number, query in enumerate(chosen, 1):
            if number % _EVERY == 0:
                tell(Doing(f"reading {name}", number))
            yield query

    parts = (fingerprint, name, source.queries and (source.queries, recipe.split.seed))
    mining = source.mining or recipe.mining
    return Opened(source, name, _hash(repr(parts)), told, documents.known(), documents.candidates, mining)


class _Documents:
    """The documents of a source."""

    def __init__(
        self, source: DataSource, recipe: Recipe, library: Library, collection: Collection | None
    ) -> None:
        self._source, self._recipe, self._library = source, recipe, library
        self._collection = collection

    @property
    def there(self) -> bool:
        """Whether the source has any."""
        return bool(self._source.index) or self._collection is not None

    def index(self) -> DocumentIndex:
        """Return their index, made where there is none."""
        if not self._source.index and self._collection is not None:
            return self._library.made_of(self._collection)
        return self._library.index(self._source.index)

    def known(self) -> Callable[[str], bool]:
        """Return what tells whether a document is there, without making an index for it."""
        if not self.there:
            return lambda doc_id: False
        if self._source.index:
            reader = self.index().reader()
            return lambda doc_id: reader.find(doc_id) is not None
        ids: set[str] = set()

        def among(doc_id: str) -> bool:
            if not ids and self._collection is not None:
                ids.update(document.doc_id for document in self._collection.documents())
            return doc_id in ids

        return among

    def candidates(self) -> CandidateSource:
        """Return what wrong answers are drawn from."""
        if not self.there:
            return NoDocuments()
        from quire.mining_source import IndexSource

        index = self.index()
        return IndexSource(index.reader(), self._library.encoder(index), self._recipe.search)


def _collection(source: DataSource) -> Collection | None:
    if not source.collection:
        return None
    from eval.formats import read_collection

    return read_collection(source.collection, split=source.split)


Judged = Callable[[], Iterator[JudgedQuery]]


def _knowledge(
    source: DataSource, recipe: Recipe, documents: _Documents, collection: Collection | None
) -> tuple[str, Judged]:
    """Return a fingerprint of what is known, and what reads it."""
    if source.kind == "clicks":
        return _file_hash(source.clicks, recipe.clicks), lambda: _from_clicks(source.clicks, recipe.clicks)
    if source.kind == "preferences":
        return _file_hash(source.preferences, None), lambda: from_preferences(
            read_preferences(source.preferences)
        )
    if source.kind == "structure":
        from quire.mining_source import placed_passages

        index = documents.index()
        settings = recipe.structure

        # Mining adds the fingerprint of the index, which is all that this depends on besides.
        return _hash(repr(settings)), lambda: from_structure(placed_passages(index.reader()), settings)
    if collection is None:
        raise TrainingDataError(f"{source.label}: judgements are those of a collection, and none is given")
    texts = {topic.query_id: topic.text for topic in collection.topics.values()}
    return collection.fingerprint, lambda: from_qrels(texts, collection.judgements.qrels)


def _from_clicks(path: str, settings: ClickSettings) -> Iterator[JudgedQuery]:
    curve = fit_power_law(read_clicks(path), settings.clip) if settings.fit else settings.curve()
    if settings.by == "sessions":
        return from_sessions(read_clicks(path), curve)
    return from_clicks(read_clicks(path), curve)


def _chosen(judged: Judged, most: int, seed: int) -> Iterator[JudgedQuery]:
    """Yield at most so many of the queries, drawn by chance, in their order; reads all of them twice."""
    count = sum(1 for _ in judged())
    chosen = set(random.Random(seed).sample(range(count), min(most, count)))
    return (query for number, query in enumerate(judged()) if number in chosen)


def _file_hash(path: str, settings: object) -> str:
    """Return a hash of a file and of how it is read."""
    digest = blake2b(repr(settings).encode(), digest_size=16)
    try:
        with Path(path).open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except OSError as error:
        raise TrainingDataError(f"{path} cannot be read: {error}") from error
    return digest.hexdigest()


def _hash(text: str) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
