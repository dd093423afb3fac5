"""How the service runs: `ServiceSettings`, the section [service], checked when made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from engine.errors import InvalidSearchSettings
from engine.settings import check_whole

Box: TypeAlias = Literal["open", "token", "off"]
LogFormat: TypeAlias = Literal["json", "text"]


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Where the service listens, who may ask for what, and how much.

    Args:
        host: The address to listen on; 127.0.0.1 is reached from this machine alone.
        port: The TCP port; 0 for any that is free.
        hosts: Names under which the service is reached, as browsers say them in Host; none by default, which means
            localhost where it listens on a loopback address, and any name elsewhere. Addresses always are; `*` is
            any.
        workers: Processes that answer.
        threads: Searches that one process works on at once; 0 for one per processor.
        queue: Requests that may wait in one process for a thread; beyond that it answers 503 at once.
        state: Folder for API keys, the secret that signs readers' tokens, and jobs; empty for `service` in the index's
            folder. An index on Elasticsearch needs one named.
        box: The search box: `open` to whoever reaches it, for those with a reader's `token` only, or `off`.
        guests: Whether a browser without a token may have a profile of its own, under a name made up for it.
        tenant: Whose readers the search box knows.
        date_field: The metadata field that the box offers a date range and sorting for; empty for the first field of
            dates that the index has.
        cors_origins: Origins whose pages may call /v1 from a browser; none by default.
        trusted_proxies: Addresses whose X-Forwarded-For and X-Forwarded-Proto are believed.
        roots: Folders that indexing jobs may read; none by default, so that only uploads are indexed.
        max_body_kb: Kilobytes that a request's body may have, uploads apart.
        max_upload_mb: Megabytes that one upload may have.
        max_waiting_jobs: Indexing jobs that may be unfinished; beyond that no more are taken in, and 503 is answered.
        max_query_chars: Characters that a query may have.
        max_k: Results that one request may ask for.
        max_filter_nodes: Conditions that a filter may have, nested ones counted.
        max_rerank_depth: Documents that one request may have reranked.
        rate_per_minute: Requests a minute that one API key may make, and one address the box; keys may have their own.
        burst: Requests that may come at once before the rate counts.
        token_hours: Hours that a reader's token is valid at most.
        guest_days: Days that a guest's profile can be reached without a visit.
        request_seconds: Seconds after which a request that is not answered is given up.
        parse_seconds: Seconds of processor time that reading one upload may take.
        parse_mb: Megabytes of memory that reading one upload may take.
        refresh_seconds: Seconds between looks for a newer generation of the index.
        drain_seconds: Seconds that requests in flight are given when the service is told to stop.
        log: `json`, one object a line, or `text`.

    Raises:
        InvalidSearchSettings: a value is of the wrong type or outside its range.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    hosts: tuple[str, ...] = ()
    workers: int = 1
    threads: int = 0
    queue: int = 64
    state: str = ""
    box: Box = "open"
    guests: bool = True
    tenant: str = "default"
    date_field: str = ""
    cors_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    max_body_kb: int = 1024
    max_upload_mb: int = 100
    max_waiting_jobs: int = 200
    max_query_chars: int = 2000
    max_k: int = 100
    max_filter_nodes: int = 100
    max_rerank_depth: int = 200
    rate_per_minute: int = 600
    burst: int = 60
    token_hours: int = 24
    guest_days: int = 180
    request_seconds: int = 30
    parse_seconds: int = 60
    parse_mb: int = 2048
    refresh_seconds: int = 2
    drain_seconds: int = 20
    log: LogFormat = "json"

    def __post_init__(self) -> None:
        for name, low, high in _WHOLE:
            check_whole(name, getattr(self, name), low, high)
        for name in ("host", "state", "tenant", "date_field"):
            if not isinstance(getattr(self, name), str):
                raise InvalidSearchSettings(f"{name} is a string, found {getattr(self, name)!r:.60}")
        for name, choices in (("box", get_args(Box)), ("log", get_args(LogFormat))):
            if getattr(self, name) not in choices:
                found = getattr(self, name)
                raise InvalidSearchSettings(f"{name} is one of {', '.join(choices)}; found {found!r:.40}")
        if not isinstance(self.guests, bool):
            raise InvalidSearchSettings(f"guests is true or false, found {self.guests!r:.40}")
        for name in ("hosts", "cors_origins", "trusted_proxies", "roots"):
            values: object = getattr(self, name)
            if not isinstance(values, list | tuple) or not all(
                isinstance(one, str) and one for one in values
            ):
                raise InvalidSearchSettings(f"{name} is a list of strings, found {values!r:.80}")
            object.__setattr__(self, name, tuple(values))

    def state_folder(self, index: str | Path) -> Path:
        """Return where keys, the secret and jobs are kept.

        Args:
            index: Where the index is, as `indexer.opening.place_of` returns it.

        Raises:
            InvalidSearchSettings: the index is no folder, and none is named.
        """
        if self.state:
            return Path(self.state)
        if isinstance(index, Path):
            return index / "service"
        raise InvalidSearchSettings(
            "an index on Elasticsearch has no folder for the service's keys and jobs; name one: --state FOLDER, "
            "QUIRE_SERVICE_STATE, or state under [service]"
        )


_WHOLE = (
    ("port", 0, 65_535),
    ("workers", 1, 256),
    ("threads", 0, 1024),
    ("queue", 0, 100_000),
    ("max_body_kb", 1, 1_000_000),
    ("max_upload_mb", 1, 100_000),
    ("max_waiting_jobs", 1, 1_000_000),
    ("max_query_chars", 1, 100_000),
    ("max_k", 1, 10_000),
    ("max_filter_nodes", 0, 10_000),
    ("max_rerank_depth", 0, 1000),
    ("rate_per_minute", 1, 10_000_000),
    ("burst", 1, 1_000_000),
    ("token_hours", 1, 8760),
    ("guest_days", 1, 3650),
    ("request_seconds", 1, 3600),
    ("parse_seconds", 1, 86_400),
    ("parse_mb", 64, 1_000_000),
    ("refresh_seconds", 1, 3600),
    ("drain_seconds", 0, 3600),
)
