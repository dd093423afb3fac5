"""Trials of `SearchEngine`: settings in, the measure of every judged query out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from engine.answer import Question, candidates
from engine.clock import Clock
from engine.errors import translated
from engine.meaning import QueryEncoder
from engine.query import Query
from engine.reranking import QueryReranker
from engine.settings import SearchSettings
from engine.snapshot import Snapshot
from eval.collection import Collection, Judgements
from eval.errors import InvalidEvaluation
from eval.measures import Measure, evaluate
from eval.reranker_identity import asks_reranker, reranker_identity
from eval.run import Run, Span, in_given_order
from eval.tuning.memoising import MemoisingEncoder, memoising
from eval.tuning.stages import Values
from eval.tuning.store import TrialStore, code_fingerprint, hashed
from eval.tuning.trial import Floats, JudgedQuery
from indexer.elastic.settings import ElasticSettings
from indexer.encoding import Encoder
from indexer.index import Index
from indexer.local.manifest import NAME as MANIFEST
from indexer.opening import open_index

_CUTOFF = re.compile(r"@(\d+)")
_WITHOUT_CUTOFF = 1000


@dataclass(frozen=True, slots=True)
class TuningSource:
    """A collection and the index of its documents: a folder, or an address."""

    index: str | Path
    collection: Collection


class SearchTrials(AbstractContextManager["SearchTrials"]):
    """Tries search settings on judged queries. Query vectors are made once.

    A trial asks for as many documents as the measure looks at, and shows none of them, so that it costs little more
    than finding them.

    Args:
        sources: Collections with their indexes.
        measure: What is tuned for; higher is better.
        baseline: The settings in use.
        cache: Folder in which trials are kept for the next time; None keeps none. Those on Elasticsearch never are:
            nobody can tell afterwards whether the index was the same.
        encoder: The encoder of all indexes; without it each index loads its own.
        on_query: Told the collection, and how many of how many queries of the trial are done.
        elastic: How to reach Elasticsearch, for indexes there; None for what the environment says.

    Raises:
        InvalidEvaluation: nothing is judged, the judged documents are not in the index, two collections have one
            name, or the measure is one of time.
        SearchError, IndexingError: an index cannot be opened.
    """

    def __init__(
        self,
        sources: Sequence[TuningSource],
        measure: Measure,
        baseline: SearchSettings | None = None,
        *,
        cache: Path | None = None,
        encoder: Encoder | None = None,
        on_query: Callable[[str, int, int], None] | None = None,
        elastic: ElasticSettings | None = None,
    ) -> None:
        names = [source.collection.name for source in sources]
        if len(set(names)) < len(names):
            raise InvalidEvaluation(f"two collections have the same name: {', '.join(names)}")
        if str(measure).startswith("Latency"):
            raise InvalidEvaluation(f"{measure} is better when lower; tune for a measure of quality")
        self.measure = str(measure)
        self.settings = baseline or SearchSettings()
        self.baseline: Values = {
            name: value
            for name, value in asdict(self.settings).items()
            if isinstance(value, int | float | str) and not name.startswith(("passages_", "snippet_"))
        }
        self._searched: list[_Searched] = []
        try:
            for source in sources:
                self._searched.append(_Searched(source, measure, cache, encoder, on_query, elastic))
        except BaseException:
            self.close()
            raise
        self.queries = tuple(query for searched in self._searched for query in searched.queries)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What whoever reads the figures should know."""
        return tuple(searched.warning for searched in self._searched if searched.warning)

    def values(self, setting: Values) -> Floats:
        """Return the measure of every query, shape (n,), in the order of `queries`.

        Raises:
            SearchError: a value is outside its range, or a search failed.
        """
        settings = self.settings_of(setting)
        return np.concatenate([searched.values(settings) for searched in self._searched])

    def settings_of(self, setting: Values) -> SearchSettings:
        """Return the settings in use with these values in their place."""
        changed: dict[str, Any] = dict(setting)
        return replace(self.settings, passages_per_hit=1, facets=(), **changed)

    def close(self) -> None:
        """Close the indexes."""
        for searched in self._searched:
            searched.index.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Searched:
    """One collection on its index."""

    def __init__(
        self,
        source: TuningSource,
        measure: Measure,
        cache: Path | None,
        encoder: Encoder | None,
        on_query: Callable[[str, int, int], None] | None,
        elastic: ElasticSettings | None,
    ) -> None:
        collection = source.collection
        self._name = collection.name
        self._measure = measure
        self._on_query = on_query
        cutoff = _CUTOFF.search(str(measure))
        self._k = int(cutoff[1]) if cutoff else _WITHOUT_CUTOFF
        qrels = collection.judgements.qrels
        self._topics = [topic for query_id, topic in collection.topics.items() if query_id in qrels]
        if not self._topics:
            raise InvalidEvaluation(
                f"{self._name}: no topic is judged; topics and judgements do not belong together"
            )
        ids = {topic.query_id for topic in self._topics}
        judged = collection.judgements
        self._judgements = Judgements(
            {query: grades for query, grades in qrels.items() if query in ids},
            {query: spans for query, spans in judged.evidence.items() if query in ids},
            {query: parts for query, parts in judged.subtopics.items() if query in ids},
        )
        self._spans = bool(judged.evidence) and str(measure).startswith("Span")
        self.queries = [
            JudgedQuery(
                self._name, topic.query_id, f"user {topic.user_id}" if topic.user_id else _plain(topic.text)
            )
            for topic in self._topics
        ]
        with translated():
            self.index = open_index(source.index, encoder=encoder, elastic=elastic)
            self._snapshot = Snapshot(self.index.reader())
        self._memoising: MemoisingEncoder | None = None
        self._encoder = QueryEncoder(self._load)
        self._reranker = QueryReranker()
        self._rerankers: dict[str, str] = {}
        self.warning = self._check_documents(source)
        local = self.index if isinstance(self.index, Index) else None
        identity = (
            b"" if local is None else (local.path / MANIFEST).read_bytes(),
            self.index.encoder_identity.fingerprint,
            self.index.analyser.fingerprint,
            collection.fingerprint,
            str(measure),
            code_fingerprint(),
        )
        self._store = TrialStore(
            None if local is None else cache, hashed(identity), [topic.query_id for topic in self._topics]
        )

    def values(self, settings: SearchSettings) -> Floats:
        """Return the measure of each query with these settings."""
        name = self._trial(settings)
        known = self._store.read(name)
        if known is not None:
            return known
        rankings: dict[str, dict[str, float]] = {}
        spans: dict[str, list[Span]] = {}
        for done, topic in enumerate(self._topics):
            if self._on_query is not None:
                self._on_query(self._name, done, len(self._topics))
            rankings[topic.query_id], spans[topic.query_id] = self._answer(topic.text, settings)
        run = Run("trial", rankings, spans=spans if self._spans else {})
        found = evaluate(run, self._judgements, [self._measure]).values[self._measure]
        values = np.array([found[topic.query_id] for topic in self._topics], dtype=np.float64)
        self._store.write(name, values)
        return values

    def _trial(self, settings: SearchSettings) -> str:
        """Return what a trial is kept under: its settings, and which cross-encoder stands behind them."""
        if not asks_reranker(settings):
            return settings.fingerprint
        name = settings.reranker
        if name not in self._rerankers:  # as the engine does, which loads a model once
            self._rerankers[name] = reranker_identity(settings)
        return hashed((settings.fingerprint, self._rerankers[name]))

    def _answer(self, text: str, settings: SearchSettings) -> tuple[dict[str, float], list[Span]]:
        with translated():
            question = Question(
                Query(text, operators=False),
                settings,
                self._snapshot,
                self._encoder,
                Clock(),
                self._reranker,
            )
            rows = candidates(question, self._k).rows
            best = [] if rows is None else [rows[place] for place in range(min(self._k, len(rows)))]
            spans: list[Span] = []
            if self._spans and best:
                stored = self._snapshot.reader.passages([row.passages[0][0] for row in best])
                spans = [
                    Span(row.doc_id, at.passage.start, at.passage.end)
                    for row, at in zip(best, stored, strict=True)
                ]
        return in_given_order((row.doc_id, row.score) for row in best), spans

    def _load(self) -> Encoder:
        if self._memoising is None:
            self._memoising = memoising(self.index.encoder)
        return self._memoising

    def _check_documents(self, source: TuningSource) -> str:
        """Return a warning where relevant documents are not in the index.

        Raises:
            InvalidEvaluation: none of them is.
        """
        relevant = sorted(
            {
                doc_id
                for grades in self._judgements.qrels.values()
                for doc_id, grade in grades.items()
                if grade > 0
            }
        )
        missing = [doc_id for doc_id in relevant if self._snapshot.reader.find(doc_id) is None]
        if relevant and len(missing) == len(relevant):
            raise InvalidEvaluation(
                f"{self._name}: none of its {len(relevant):,} relevant documents is in {source.index} "
                f"(the first is {relevant[0]!r}); name the index that was made of this collection"
            )
        if missing:
            return (
                f"{self._name}: {len(missing):,} of {len(relevant):,} relevant documents are not in the index "
                f"(such as {missing[0]!r}); no setting can find them"
            )
        return ""


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
