"""`Service`: all that one process holds while it answers."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, cast

from engine.service.access.addresses import Proxies
from engine.service.access.keys import KeyRing
from engine.service.access.rates import Rates
from engine.service.access.tokens import Tokens
from engine.service.engines import Engines
from engine.service.jobs.jobs import Jobs
from engine.service.pool import Pool
from engine.service.settings import ServiceSettings
from engine.service.watching.metrics import Metrics

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
        where = place_of(place)
        state = settings.state_folder(where)
        engines = Engines.open(
            where,
            search=configuration.search,
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
