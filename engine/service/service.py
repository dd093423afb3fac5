"""`Service`: all that one process holds while it answers."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, cast

from engine.errors import translated
from engine.service.access.addresses import Proxies
from engine.service.access.keys import KeyRing
from engine.service.access.rates import Rates
from engine.service.access.seals import Seals
from engine.service.access.secret import signing_secrets
from engine.service.access.tokens import Tokens
from engine.service.engines import Engines
from engine.service.jobs.jobs import Jobs
from engine.service.pool import Pool
from engine.service.settings import ServiceSettings
from engine.service.watching.metrics import Metrics
from engine.settings import SearchSettings

if TYPE_CHECKING:
    from engine.configuration import Configuration
    from indexer.encoding import Encoder
    from indexer.readers import ReadOptions
    from reranker.scorer import PairScorer


class Service(AbstractContextManager["Service"]):
    """An index, ready to be asked over HTTP: its engines, its threads, and who may ask.

    Args:
        engines: What answers; closed with the service.
        settings: How the service runs.
        state: The folder of keys, the secret that signs tokens, and jobs; made when absent.
        reading: How files are read that are to be indexed; None for as usual.

    Raises:
        SearchError: the folder, or what is in it, cannot be used.
    """

    def __init__(
        self, engines: Engines, settings: ServiceSettings, state: Path, *, reading: ReadOptions | None = None
    ) -> None:
        self.settings = settings
        self.state = state
        self.engines = engines
        self.metrics = Metrics()
        self.pool = Pool(settings.threads, settings.queue, settings.request_seconds, self.metrics)
        self.keys = KeyRing(state)
        self.tokens = Tokens(state, settings)
        self.seals = Seals(signing_secrets(state, os.environ))
        self.rates = Rates(settings.burst, settings.workers)
        self.proxies = Proxies(settings.trusted_proxies)
        self.jobs = Jobs.open(state, engines.place, settings, engines.elastic, reading=reading)

    @classmethod
    def open(
        cls,
        place: str | Path,
        *,
        configuration: Configuration,
        encoder: Encoder | None = None,
        reranker: PairScorer | None = None,
    ) -> Service:
        """Open the index at a place, and all that a service needs besides.

        Args:
            place: A folder, or an address on Elasticsearch.
            configuration: [service], [search], [personal], [reading] and [elasticsearch] of it count.
            encoder: The one that the index was made with; None to load that one.
            reranker: The cross-encoder; None for the one that [search] names.

        Raises:
            SearchError: there is no index, it cannot be opened, or a setting cannot be used.
        """
        from indexer.opening import place_of

        settings = cast(ServiceSettings, configuration.section("service"))
        with translated():
            where = place_of(place)
        state = settings.state_folder(where)
        engines = Engines.open(
            where,
            search=_in_time(configuration.search, settings),
            personal=configuration.personal,
            elastic=configuration.elasticsearch,
            tenant=settings.tenant,
            encoder=encoder,
            reranker=reranker,
        )
        try:
            reading = cast("ReadOptions", configuration.section("reading"))
            return cls(engines, settings, state, reading=reading)
        except BaseException:
            engines.close()
            raise

    def close(self) -> None:
        """Let work in progress end, and let go of everything. Closing twice is harmless."""
        self.jobs.close()
        self.pool.close()
        self.engines.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _in_time(search: SearchSettings, settings: ServiceSettings) -> SearchSettings:
    """Return how to search such that reranking ends while somebody still waits: after half of the time there is.

    The same for every search, as a cursor goes on with the settings that it was made with.
    """
    most = settings.request_seconds * 500
    return (
        search
        if search.budget_ms is not None and search.budget_ms <= most
        else replace(search, budget_ms=most)
    )
