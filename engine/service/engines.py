"""`Engines`: one search engine a tenant, over one open index and one set of models."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import translated
from engine.search_engine import SearchEngine
from engine.settings import SearchSettings

if TYPE_CHECKING:
    from engine.personal.settings import PersonalSettings
    from indexer.backend import DocumentIndex
    from indexer.elastic.settings import ElasticSettings
    from indexer.encoding import Encoder
    from indexer.opening import Place
    from reranker.scorer import PairScorer


class Engines:
    """Gives the engine of a tenant. Safe to share between threads.

    Args:
        index: What is searched; `close` closes it.
        place: Where it is.
        search: How to search.
        personal: How readers' past counts.
        tenant: The tenant of the search box.
        reranker: The cross-encoder; None for the one that `search` names.
        elastic: How Elasticsearch is reached, for those who open the index once more, to write.
    """

    def __init__(
        self,
        index: DocumentIndex,
        place: Place,
        *,
        search: SearchSettings | None = None,
        personal: PersonalSettings | None = None,
        tenant: str = "default",
        reranker: PairScorer | None = None,
        elastic: ElasticSettings | None = None,
    ) -> None:
        self.index = index
        self.place = place
        self.elastic = elastic
        self._lock = threading.Lock()
        self.shared = SearchEngine.over(
            index, settings=search, reranker=reranker, tenant=tenant, personal=personal
        )
        self._engines = {tenant: self.shared}

    @classmethod
    def open(
        cls,
        place: str | Path,
        *,
        search: SearchSettings | None = None,
        personal: PersonalSettings | None = None,
        elastic: ElasticSettings | None = None,
        tenant: str = "default",
        encoder: Encoder | None = None,
        reranker: PairScorer | None = None,
    ) -> Engines:
        """Open the index at a place.

        Raises:
            SearchError: there is none, it cannot be opened, or its encoder cannot be loaded.
        """
        from indexer.opening import open_index, place_of

        with translated():
            where = place_of(place)
            index = open_index(where, encoder=encoder, elastic=elastic)
        try:
            return cls(
                index,
                where,
                search=search,
                personal=personal,
                tenant=tenant,
                reranker=reranker,
                elastic=elastic,
            )
        except BaseException:
            index.close()
            raise

    def of(self, tenant: str) -> SearchEngine:
        """Return a tenant's engine.

        Args:
            tenant: A name that a key or a signed token has proved: each that is asked for is kept.

        Raises:
            InvalidProfileChange: that is no name of a tenant.
        """
        with self._lock:
            engine = self._engines.get(tenant)
            if engine is None:
                engine = self._engines[tenant] = self.shared.beside(tenant)
            return engine

    @property
    def generation(self) -> int:
        """The generation of the index that is searched."""
        return self.shared.generation

    def titles(self, doc_ids: Sequence[str]) -> dict[str, str]:
        """Return the titles of those of some documents that the index has, by id.

        Raises:
            SearchError: the index cannot be read.
        """
        with translated():
            reader = self.index.reader()
            numbers = reader.find_all(doc_ids)
            found = reader.documents(numbers[numbers >= 0])
        return {document.doc_id: document.title for document in found}

    def lookups(self) -> dict[str, tuple[int, int]]:
        """Return how often what is remembered was known, and how often not, for all tenants together."""
        with self._lock:
            others = [engine for engine in self._engines.values() if engine is not self.shared]
        found = self.shared.lookups()
        profiles = [found["profiles"], *(engine.lookups()["profiles"] for engine in others)]
        return found | {
            "profiles": (sum(hits for hits, _ in profiles), sum(misses for _, misses in profiles))
        }

    def check(self) -> None:
        """See whether the index can be asked.

        Raises:
            SearchError: it cannot.
        """
        with translated():
            self.index.reader().fields()

    def refresh(self) -> bool:
        """Turn to the newest generation, for every tenant; searches in flight keep theirs.

        Returns:
            Whether there was a newer one.

        Raises:
            SearchError: the index cannot be read just now; the generation at hand stays.
        """
        return self.shared.refresh()

    def close(self) -> None:
        """Let go of the index and of all readers."""
        with self._lock:
            engines, self._engines = self._engines, {}
        for engine in engines.values():
            if engine is not self.shared:
                engine.close()
        self.shared.close()
        self.index.close()
