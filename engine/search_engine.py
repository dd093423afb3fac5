"""`SearchEngine`: an index, its encoder and settings, ready to answer."""

from __future__ import annotations

import asyncio
import copy
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from engine.answer import first_page, later_page
from engine.around_search import Answer
from engine.clock import Clock
from engine.errors import translated
from engine.for_readers import ForReaders
from engine.meaning import QueryEncoder
from engine.query import Query, as_query, check_k
from engine.question import Question
from engine.ranking import Ranking
from engine.readership import Readership
from engine.reranking import QueryReranker
from engine.settings import SearchSettings
from engine.snapshot import Generations, ReadableIndex, Snapshot
from engine.why_not import WhyNot, explain_absence
from indexer.encoding import Encoder
from indexer.errors import IndexChanged
from indexer.filters import Filter

if TYPE_CHECKING:
    from engine.personal.settings import PersonalSettings
    from indexer.backend import DocumentIndex
    from indexer.elastic.settings import ElasticSettings
    from reranker.scorer import PairScorer


class SearchEngine(ForReaders, AbstractContextManager["SearchEngine"]):
    """Answers queries; what it does besides is in `ForReaders` and `AroundSearch`.

    Safe to share between threads; a search sees one generation from start to end.

    Args:
        index: Anything with `reader()`.
        encoder: The one that the index was made with. Its fingerprint is compared on the first query that
            needs it.
        settings: How to search, unless a search says otherwise.
        reranker: The cross-encoder; without it, the one that the settings name is loaded when a query first needs it.
        tenant: Whose readers it knows. They are kept beside the index: in its folder, or on Elasticsearch.
        personal: How readers' past counts.
    """

    def __init__(
        self,
        index: ReadableIndex,
        encoder: Encoder,
        settings: SearchSettings | None = None,
        *,
        reranker: PairScorer | None = None,
        tenant: str = "default",
        personal: PersonalSettings | None = None,
    ) -> None:
        self._prepare(index, lambda: encoder, settings, reranker, lambda: None)
        self._readership = Readership(index, tenant, self._encoder, personal)

    def _prepare(
        self,
        index: ReadableIndex,
        load: Callable[[], Encoder],
        settings: SearchSettings | None,
        reranker: PairScorer | None,
        close: Callable[[], None],
    ) -> None:
        self.settings = settings or SearchSettings()
        self._reranker = QueryReranker(reranker)
        self._generations = Generations(index)
        self._encoder = QueryEncoder(load)
        self._close = close
        self._prepare_around()

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        encoder: Encoder | None = None,
        settings: SearchSettings | None = None,
        reranker: PairScorer | str | None = None,
        tenant: str = "default",
        personal: PersonalSettings | None = None,
        elastic: ElasticSettings | None = None,
    ) -> SearchEngine:
        """Open the index in a folder, or at an address on Elasticsearch.

        Args:
            path: The folder, or an address such as elasticsearch://localhost:9200/books.
            encoder: The encoder that the index was made with; without it, that one is loaded by name when a
                query first needs it.
            settings: How to search.
            reranker: The cross-encoder, or its name in place of the one in `settings`.
            tenant: Whose readers the engine knows: letters, digits, - and _. Tenants share nothing but the index.
            personal: How readers' past counts.
            elastic: How to reach Elasticsearch; None for what the environment says (QUIRE_ELASTICSEARCH_...).

        Raises:
            InvalidSearchSettings: the reranker's name is an empty string; or that is neither a folder nor an address.
            NoSuchIndex: there is none.
            IndexOpenError: it is damaged, of another format version, or made with another encoder.
            BackendUnavailable: Elasticsearch gives no answer.
        """
        from indexer.opening import open_index

        if isinstance(reranker, str):
            settings = replace(settings or SearchSettings(), reranker=reranker)
        with translated():
            index = open_index(path, encoder=encoder, elastic=elastic)
        scorer = None if isinstance(reranker, str) else reranker
        engine = cls.over(index, settings=settings, reranker=scorer, tenant=tenant, personal=personal)
        engine._close = index.close
        return engine

    @classmethod
    def over(
        cls,
        index: DocumentIndex,
        *,
        settings: SearchSettings | None = None,
        reranker: PairScorer | None = None,
        tenant: str = "default",
        personal: PersonalSettings | None = None,
    ) -> SearchEngine:
        """Return an engine over an index that is open, and stays so; its encoder is loaded when first needed."""
        engine = cls.__new__(cls)
        engine._prepare(index, lambda: index.encoder, settings, reranker, lambda: None)
        engine._readership = Readership(index, tenant, engine._encoder, personal)
        return engine

    @property
    def generation(self) -> int:
        """The generation of the index that is searched."""
        with translated():
            return self._current().reader.generation

    def beside(self, tenant: str) -> SearchEngine:
        """Return an engine for another tenant's readers, which shares this one's index, models and generation.

        Closing it lets go of those readers alone; closing this one ends both.

        Raises:
            InvalidProfileChange: that is no name of a tenant.
        """
        # What is made once for an index is made of this engine before it is copied, or each copy would make its own.
        _ = (self._summariser, self._marker)
        other = copy.copy(self)
        other._readership = self._readership.beside(tenant)
        other._close = _nothing
        return other

    def lookups(self) -> dict[str, tuple[int, int]]:
        """Return how often what is remembered was of use: by what it is, how often it was known, and how often not.

        `scores` are the cross-encoder's, of passages; `sentences` the vectors that marks are made of; `profiles` those
        of this tenant's readers. The first two count for all engines that share them (`beside`).
        """
        return {
            "scores": self._reranker.lookups,
            "sentences": self._marker.lookups,
            "profiles": self._readership.lookups,
        }

    def search(
        self,
        query: str | Query,
        *,
        k: int = 10,
        filters: Filter | Mapping[str, object] | None = None,
        cursor: str | None = None,
        explain: bool = False,
        settings: SearchSettings | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> Ranking:
        """Return the k best documents for a query.

        Args:
            query: Words and operators (`engine.syntax`), or a Query.
            k: How many; fewer come back only when fewer match.
            filters: Which documents may answer: a Filter, or its JSON form.
            cursor: `Ranking.cursor` of the page before, for the next k; everything else as on that page.
            explain: Look up what each word adds to each hit's score.
            settings: How to search this once.
            cancelled: Asked between stages whether nobody waits for the answer any more.

        Raises:
            InvalidQuery: the query, k, filters, facets or cursor cannot be used.
            IndexOpenError: the index cannot be read.
            SearchCancelled: it was cancelled.
        """
        asked = as_query(query, filters)
        check_k(k)

        def answer() -> Ranking:
            question = self._question(asked, settings, Clock(cancelled))
            if cursor is not None:
                return later_page(question, k, explain, cursor)
            return first_page(question, k, explain)

        return self._answered(answer)

    async def asearch(
        self,
        query: str | Query,
        *,
        k: int = 10,
        filters: Filter | Mapping[str, object] | None = None,
        cursor: str | None = None,
        explain: bool = False,
        settings: SearchSettings | None = None,
    ) -> Ranking:
        """Do `search` in a worker thread. Cancelling the task ends the work before its next stage."""
        given_up = threading.Event()
        try:
            return await asyncio.to_thread(
                self.search,
                query,
                k=k,
                filters=filters,
                cursor=cursor,
                explain=explain,
                settings=settings,
                cancelled=given_up.is_set,
            )
        except asyncio.CancelledError:
            given_up.set()
            raise

    def why_not(
        self,
        query: str | Query,
        doc_id: str,
        *,
        k: int = 10,
        filters: Filter | Mapping[str, object] | None = None,
        settings: SearchSettings | None = None,
    ) -> WhyNot:
        """Return which stage kept a document out of the k best for a query, and by how much.

        A query that names a field to sort by is taken as one by score: that alone decides who is found.

        Raises:
            InvalidQuery: the query, k or filters cannot be used.
        """
        asked = replace(as_query(query, filters), sort="")
        check_k(k)
        return self._answered(lambda: explain_absence(self._question(asked, settings, Clock()), doc_id, k))

    def refresh(self) -> bool:
        """Pick up the newest generation of the index; searches in flight keep theirs.

        Returns:
            Whether there was a newer one.
        """
        with translated():
            return self._generations.renew()

    def close(self) -> None:
        """Let go of the index. Closing twice is harmless."""
        self._readership.close()
        if self._close is not _nothing:
            self._generations.close()
        self._close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _answered(self, answer: Callable[[], Answer]) -> Answer:
        """Return an answer from the index; from the newest generation when the one at hand is gone meanwhile."""
        with translated():
            try:
                return answer()
            except IndexChanged:
                self._generations.drop()
                return answer()

    def _question(self, query: Query, settings: SearchSettings | None, clock: Clock) -> Question:
        question = Question(
            query,
            settings or self.settings,
            self._current(),
            self._encoder,
            clock,
            self._reranker,
            self._readership,
        )
        clock.step("open")
        return question

    def _current(self) -> Snapshot:
        return self._generations.current()


def _nothing() -> None:
    """Close nothing."""
