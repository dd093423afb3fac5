"""`Metrics`: what Prometheus is told. Labels come from short lists: routes, statuses, stages, kinds of errors.

    quire_requests_total{method,route,status}   quire_request_seconds{method,route}   quire_requests_in_flight
    quire_search_stage_seconds{stage}           quire_search_candidates               quire_search_rerank_depth
    quire_search_degraded_total{level}          quire_errors_total{kind}
    quire_pool_waiting  quire_pool_working      quire_pool_wait_seconds               quire_pool_refused_total{reason}
    quire_jobs{state}   quire_index_generation  quire_index_reloads_total             quire_resident_bytes{pid}
    quire_cache_hits_total{cache}               quire_cache_misses_total{cache}

Where several processes answer, each keeps its numbers in files of a folder that all share (`share_between_processes`),
and whichever is asked adds them up. A process that takes a dead one's place goes on in its files: no number falls, and
there are never more files than processes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, multiprocess, values

from engine.errors import SearchError
from engine.ranking import Ranking
from engine.service.watching.record import Answered, current

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
STAGE_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
COUNTS = (0, 1, 10, 50, 100, 200, 500, 1000, 10_000)
MOST_STAGES = 64
"""Beyond so many different names of stages, which nobody has seen, they are one."""

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_STAGE = re.compile(r"[a-z][a-z0-9_ -]{0,39}")
_UPPER = re.compile(r"(?<!^)(?=[A-Z])")


def share_between_processes(folder: Path, number: int) -> None:
    """Let every `Metrics` made in this process from now on keep its numbers in a folder.

    Args:
        folder: The same for all processes of one service; empty when the first of them starts.
        number: Which of the processes this is. Only one at a time has a number.
    """
    os.environ[_FOLDER] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: number)  # type: ignore[no-untyped-call]


def forget_process(folder: Path, number: int) -> None:
    """Take out of a shared folder what only a living process has: how much it waits for, and works on."""
    for path in folder.glob(f"gauge_live*_{number}.db"):
        path.unlink(missing_ok=True)


class Metrics:
    """What one process counts. Safe to share between threads."""

    def __init__(self) -> None:
        self._folder = os.environ.get(_FOLDER)
        self._registry = CollectorRegistry()
        own = self._registry
        self._requests = Counter(
            "quire_requests", "Requests answered.", ["method", "route", "status"], registry=own
        )
        self._seconds = Histogram(
            "quire_request_seconds",
            "From a request to the end of its answer.",
            ["method", "route"],
            buckets=SECONDS,
            registry=own,
        )
        self._flying = Gauge(
            "quire_requests_in_flight",
            "Requests that are being answered.",
            multiprocess_mode="livesum",
            registry=own,
        )
        self._stages = Histogram(
            "quire_search_stage_seconds",
            "By stage of a search.",
            ["stage"],
            buckets=STAGE_SECONDS,
            registry=own,
        )
        self._found = Histogram(
            "quire_search_candidates",
            "Documents in the list that a page is of.",
            buckets=COUNTS,
            registry=own,
        )
        self._depth = Histogram(
            "quire_search_rerank_depth",
            "Documents that the cross-encoder read.",
            buckets=COUNTS,
            registry=own,
        )
        self._degraded = Counter(
            "quire_search_degraded",
            "Searches that did less than was asked, under load.",
            ["level"],
            registry=own,
        )
        self._errors = Counter("quire_errors", "Errors on our side.", ["kind"], registry=own)
        self._waiting = Gauge(
            "quire_pool_waiting",
            "Requests that wait for a thread.",
            multiprocess_mode="livesum",
            registry=own,
        )
        self._working = Gauge(
            "quire_pool_working", "Threads at work.", multiprocess_mode="livesum", registry=own
        )
        self._waited = Histogram(
            "quire_pool_wait_seconds",
            "How long requests waited for a thread.",
            buckets=STAGE_SECONDS,
            registry=own,
        )
        self._refused = Counter(
            "quire_pool_refused", "Requests answered 503 unread.", ["reason"], registry=own
        )
        self._jobs = Gauge(
            "quire_jobs", "Indexing jobs.", ["state"], multiprocess_mode="livemax", registry=own
        )
        self._generation: Gauge | None = None
        self._reloads = Counter("quire_index_reloads", "Newer generations taken up.", registry=own)
        self._memory = Gauge(
            "quire_resident_bytes", "Memory of each process.", multiprocess_mode="liveall", registry=own
        )
        self._hits = Counter("quire_cache_hits", "What was known from before.", ["cache"], registry=own)
        self._misses = Counter("quire_cache_misses", "What was not.", ["cache"], registry=own)
        self._lookups: dict[str, tuple[int, int]] = {}
        self._known_stages: set[str] = set()

    def began(self) -> None:
        """Count a request that has come."""
        self._flying.inc()

    def ended(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered.

        Args:
            method: The HTTP method.
            route: The route's template, never the path.
            status: Of the answer.
            seconds: Since it came.
        """
        method = method if method in METHODS else "other"
        self._flying.dec()
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def answered(self, ranking: Ranking, degraded: Sequence[str] = (), level: int = 0) -> None:
        """Count a search, and note it for the request that it belongs to.

        Args:
            ranking: What was found.
            degraded: What was left out of it because the service was busy, in sentences.
            level: How much that was: 1 a smaller depth, 2 no reranking; 0 where it is not known.
        """
        for name, milliseconds in ranking.timings.items():
            self._stages.labels(self._stage(name)).observe(milliseconds / 1000)
        self._found.observe(ranking.found)
        self._depth.observe(ranking.reranked_depth)
        if degraded:
            self._degraded.labels(str(level) if level in (1, 2) else "other").inc()
        record = current()
        if record is not None:
            timings = {self._stage(name): value for name, value in ranking.timings.items()}
            record.answers.append(Answered(timings, ranking.found, ranking.reranked_depth, bool(degraded)))

    def error(self, error: BaseException) -> None:
        """Count an error that is not the caller's, and note it for the log of the request that it belongs to."""
        ours = isinstance(error, SearchError)
        self._errors.labels(_UPPER.sub("-", type(error).__name__).lower() if ours else "fault").inc()
        record = current()
        if record is not None:
            record.errors.append(error)

    def pool(self, *, waiting: int, working: int) -> None:
        """Say how many requests wait for a thread, and how many threads are at work."""
        self._waiting.set(waiting)
        self._working.set(working)

    def waited(self, seconds: float) -> None:
        """Count a request that got its thread after so long."""
        self._waited.observe(seconds)

    def refused(self, reason: str) -> None:
        """Count a request that got none: `full`, the queue was; `late`, it waited too long."""
        self._refused.labels(reason if reason in ("full", "late") else "other").inc()

    def jobs(self, counts: Mapping[str, int]) -> None:
        """Say how many indexing jobs there are in each state; states are those of the jobs' own short list."""
        for state, count in counts.items():
            self._jobs.labels(state).set(count)

    def generation(self, number: int, *, newer: bool = False) -> None:
        """Say which generation of the index this process answers from, and whether it has just taken it up."""
        if self._generation is None:  # one that still starts has none, and would be furthest behind with 0
            self._generation = Gauge(
                "quire_index_generation",
                "Generation of the index, of the process that is furthest behind.",
                multiprocess_mode="livemin",
                registry=self._registry,
            )
        self._generation.set(number)
        if newer:
            self._reloads.inc()

    def caches(self, lookups: Mapping[str, tuple[int, int]]) -> None:
        """Say how often what is remembered was known, and how often not, from a short list of kinds.

        Args:
            lookups: Both by kind, as counted since this process began, or since something was made anew: a number
                that is smaller than the last one told counts from 0.
        """
        for cache, now in lookups.items():
            before = self._lookups.get(cache, (0, 0))
            for counter, new, old in zip((self._hits, self._misses), now, before, strict=True):
                counter.labels(cache).inc(new - old if new >= old else new)
            self._lookups[cache] = now

    def memory(self, resident: int) -> None:
        """Say how many bytes of memory this process has."""
        self._memory.set(resident)

    def render(self) -> bytes:
        """Return everything in Prometheus' text form: of all processes, where several share a folder."""
        registry = self._registry
        if self._folder is not None:
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry, path=self._folder)  # type: ignore[no-untyped-call]
        return prometheus_client.generate_latest(registry)

    def _stage(self, name: str) -> str:
        if name not in self._known_stages:
            if len(self._known_stages) >= MOST_STAGES or not _STAGE.fullmatch(name):
                return "other"
            self._known_stages.add(name)
        return name
