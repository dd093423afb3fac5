"""The one way of asking an Elasticsearch cluster anything.

A request is repeated, after a random pause that grows (full jitter), when the server says "not now" (429, 502, 503,
504; for as long as its Retry-After says) or the connection fails, and only where doing it twice does no harm. All
of that happens within one deadline. A cluster that keeps failing is left alone for a while
(`indexer.elastic.wire.breaker`).
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from indexer.elastic.address import ElasticAddress, as_address
from indexer.elastic.errors import ElasticError, refusal
from indexer.elastic.pairing import check_together
from indexer.elastic.settings import ElasticSettings
from indexer.elastic.wire.breaker import Breaker
from indexer.elastic.wire.encoding import INSTALL, path_of, payload_of, query_of
from indexer.elastic.wire.reply import Lost, Reply
from indexer.elastic.wire.retrying import pause, repeatable
from indexer.elastic.wire.version import check_version
from indexer.errors import IndexingError, IndexUnavailable, InvalidSettings

if TYPE_CHECKING:
    from indexer.elastic.wire.transport import Wire

__all__ = ["Cluster", "path_of"]

log = logging.getLogger(__name__)

_TOO_BUSY = 429

JSON = "application/json"
LINES = "application/x-ndjson"

_DEFAULTS = ElasticSettings()
_TELLING = 1.0


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    target: str
    payload: bytes | None
    kind: str
    seconds: float
    retries: int
    repeat: bool
    judge: Callable[[Reply], IndexingError | None]
    """Returns what is wrong with an answer, or None."""


class Cluster:
    """A cluster and who asks it. Safe to share between threads; connections are kept and reused.

    Nothing is sent before the first request. `Cluster.open` also checks that the server is one that Quire works with.

    Args:
        address: Where it is.
        settings: How to reach it.
        clock: Gives seconds that only grow.
        sleep: Waits so many seconds.
        chance: Gives random numbers from 0 to 1.

    Raises:
        InvalidSettings: address and settings do not go together.
    """

    def __init__(
        self,
        address: ElasticAddress | str,
        settings: ElasticSettings = _DEFAULTS,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.address = as_address(address)
        self.settings = settings
        check_together(self.address, settings)
        self._clock, self._sleep, self._chance = clock, sleep, chance
        self._breaker = Breaker(self.address.cluster, clock=clock)
        self._lock = threading.Lock()
        self._wire: Wire | None = None
        self._process = 0
        self._version: str | None = None

    @classmethod
    def open(cls, address: ElasticAddress | str, settings: ElasticSettings = _DEFAULTS) -> Self:
        """Return the cluster at an address, once it has answered.

        Raises:
            InvalidSettings: address and settings do not go together, or the client is not installed.
            IndexUnavailable: no answer.
            IndexVersionMismatch: not a server that Quire works with.
            ElasticForbidden: the credentials are wrong.
        """
        cluster = cls(address, settings)
        try:
            log.debug("%s runs Elasticsearch %s", cluster.address.cluster, cluster.version or "(unknown)")
        except BaseException:
            cluster.close()
            raise
        return cluster

    def __repr__(self) -> str:
        return f"Cluster({str(self.address)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def version(self) -> str:
        """The server's version, or the empty string where this user may not know it; asked for once."""
        if self._version is None:
            self._version = check_version(self.request, self.address.cluster, self.settings.who)
        return self._version

    def close(self) -> None:
        """Close the connections. A later request opens new ones."""
        with self._lock:
            wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        lines: Iterable[Any] | bytes | None = None,
        params: Mapping[str, Any] | None = None,
        timeout: float | None = None,
        retries: int | None = None,
        repeat: bool | None = None,
    ) -> Any:
        """Ask, and return the answer as read from JSON, or text where that is sent; for HEAD, whether it is there.

        Args:
            method: GET, HEAD, POST, PUT or DELETE.
            path: From the first slash on, quoted (`path_of`).
            body: What to send, as JSON; numpy arrays are fine.
            lines: What to send as lines of JSON (bulk): each a value, or bytes of JSON already; or all of it as
                bytes that end in a newline. Not with `body`.
            params: Of the URL; True and False become true and false, lists are joined by commas.
            timeout: The most seconds for all of it; None for the setting.
            retries: How often to repeat; None for the setting.
            repeat: Whether doing it twice does no harm; None to go by method and path.

        Raises:
            ElasticNotFound: 404.
            ElasticConflict: 409.
            ElasticForbidden: 401, 403.
            ElasticError: another refusal.
            IndexFull: the server's disk is nearly full.
            IndexUnavailable: no answer, or "not now", for the whole time, or the breaker is open.
        """
        call = _Call(
            method,
            path + query_of(params or {}),
            payload_of(body, lines),
            JSON if lines is None else LINES,
            self.settings.timeout_seconds if timeout is None else timeout,
            self.settings.retries if retries is None else retries,
            repeatable(method, path, params or {}) if repeat is None else repeat,
            self._judge(method, path),
        )
        reply = self._ask(call)
        return reply.status < 300 if method == "HEAD" else reply.body

    def msearch(
        self,
        searches: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
        *,
        params: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Ask several searches in one request, and return their answers in the same order.

        All is asked again while the server is too busy for one of them (429). A search that failed otherwise has an
        `error` in place of hits: what to do about it is for the caller to say, and so it is where shards failed.

        Args:
            searches: Header (`{}` for one with a point in time) and body of each.
            params: Of the URL.

        Raises:
            as `request`.
        """
        if not searches:
            return []
        call = _Call(
            "POST",
            "/_msearch" + query_of(params or {}),
            payload_of(None, [part for search in searches for part in search]),
            LINES,
            self.settings.timeout_seconds,
            self.settings.retries,
            True,
            self._judge_searches,
        )
        answers: list[dict[str, Any]] = self._ask(call).body["responses"]
        return answers

    def _ask(self, call: _Call) -> Reply:
        deadline = self._clock() + call.seconds
        tries = 0
        while True:
            self._breaker.check()
            tries += 1
            error, again, wait = self._try(call, tries, deadline - self._clock())
            if isinstance(error, Reply):
                return error
            if not again or tries > call.retries or self._clock() + wait >= deadline:
                raise error
            log.info("asking again in %.2f s: %s", wait, error)
            if wait:
                self._sleep(wait)

    def _try(self, call: _Call, tries: int, left: float) -> tuple[Reply | IndexingError, bool, float]:
        """Ask once: returns the answer, or what went wrong, whether to ask again, and after how many seconds."""
        start = self._clock()
        hosts = max(1, len(self.address.hosts))
        # A host that hangs must leave time for asking another one.
        seconds = left / 2 if hosts > 1 and call.repeat and tries <= call.retries else left
        try:
            reply = self._connected().send(call.method, call.target, call.payload, call.kind, seconds)
        except Lost as lost:
            # A limit that the caller made very short says nothing about the cluster.
            if not lost.slow or seconds >= _TELLING:
                self._breaker.failed(lost.reason, slow=lost.slow)
            wait = 0.0 if tries < hosts else pause(tries, self._chance(), None)
            again = lost.again and (call.repeat or not lost.sent)
            return self._unreachable(lost, call, tries, self._clock() - start), again, wait
        self._breaker.succeeded()
        error = call.judge(reply)
        if error is None:
            return reply, False, 0.0
        again = isinstance(error, IndexUnavailable) and (call.repeat or reply.status == _TOO_BUSY)
        if isinstance(error, IndexUnavailable):
            error.retry_after = reply.retry_after
        return error, again, pause(tries, self._chance(), reply.retry_after)

    def _connected(self) -> Wire:
        with self._lock:
            # Connections must not be shared with a process that was forked off.
            if self._wire is None or self._process != os.getpid():
                self._wire, self._process = _wire(self.address, self.settings), os.getpid()
            return self._wire

    def _judge(self, method: str, path: str) -> Callable[[Reply], IndexingError | None]:
        def judge(reply: Reply) -> IndexingError | None:
            if 200 <= reply.status < 300 or (method == "HEAD" and reply.status == 404):
                return None
            return self._refusal(reply.status, reply.body, f"{method} {path}")

        return judge

    def _judge_searches(self, reply: Reply) -> IndexingError | None:
        if not 200 <= reply.status < 300:
            return self._refusal(reply.status, reply.body, "POST /_msearch")
        responses = reply.body.get("responses") if isinstance(reply.body, dict) else None
        if responses is None:
            return ElasticError(
                reply.status, "no_responses", "the answer holds no responses", "POST /_msearch"
            )
        busy = [one for one in responses if one.get("status") == _TOO_BUSY]
        return self._refusal(_TOO_BUSY, busy[0], "a search") if busy else None

    def _refusal(self, status: int, body: Any, asked: str) -> IndexingError:
        return refusal(status, body, asked=f"{asked} of {self.address.cluster}", who=self.settings.who)

    def _unreachable(self, lost: Lost, call: _Call, tries: int, seconds: float) -> IndexUnavailable:
        what = f"{lost.reason} ({seconds:.1f} s)" if lost.slow else lost.reason
        times = f", {tries} times" if tries > 1 else ""
        done = "; whether the request was carried out is unknown" if lost.sent and not call.repeat else ""
        return IndexUnavailable(
            f"{self.address.cluster} does not answer{times}: {what}{done}. Check that Elasticsearch runs there, and "
            "that the address, its http or https, and ca are right"
        )


def _wire(address: ElasticAddress, settings: ElasticSettings) -> Wire:
    try:
        from indexer.elastic.wire.transport import Wire
    except ImportError as missing:
        raise InvalidSettings(
            f"an index on Elasticsearch needs packages that are not installed ({missing.name}): {INSTALL}"
        ) from missing
    return Wire(address, settings)
