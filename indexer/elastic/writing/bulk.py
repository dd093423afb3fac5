"""Bulk requests: several under way at once, each action acknowledged or its refusal told, and never too much in memory.

What the server is too busy for (429, 503, no answer) is sent again after random pauses that grow, action by action;
ids make sending twice harmless. So is what it says to have no index for, for a shorter while. What it refuses for good
is reported with the action, and the others go on.
"""

from __future__ import annotations

import logging
import random
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from indexer.elastic.errors import ElasticError, ElasticForbidden, cause_of, refusal
from indexer.elastic.wire.connection import Cluster
from indexer.elastic.wire.retrying import pause
from indexer.errors import IndexFull, IndexingError, IndexUnavailable

Side: TypeAlias = Literal["passages", "documents"]
Owner = TypeVar("Owner")

WORKERS = 3
PATIENCE = 180.0
"""Seconds for which a cluster may be unable to take an action: a node that is lost takes half a minute to replace."""
MISSING = 10.0
"""Seconds for which an index may be missing: a node that has just started may know of none for a moment."""
_SECONDS = 60.0  # of one request
_TOO_LARGE = 413
_BLOCKED = "cluster_block_exception"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Action(Generic[Owner]):
    """Something to store or delete.

    Args:
        side: In which of the two indexes.
        id: Of what.
        routing: Its shard's.
        body: JSON without line breaks; None to delete.
        owner: For whom.
        guard: Sequence number and primary term that it must still have, for a deletion; a conflict counts as done.
    """

    side: Side
    id: str
    routing: str
    body: bytes | None
    owner: Owner
    guard: tuple[int, int] | None = None

    @property
    def size(self) -> int:
        """Bytes that it takes in a request, about."""
        return len(self.body or b"") + len(self.id) + 2 * len(self.routing) + 80

    def lines(self, names: Mapping[Side, str]) -> bytes:
        """Return it as lines of a bulk request, given what the indexes are called."""
        address = f'"_index":"{names[self.side]}","_id":"{self.id}","routing":"{self.routing}"'
        if self.guard is not None:
            address += f',"if_seq_no":{self.guard[0]},"if_primary_term":{self.guard[1]}'
        if self.body is None:
            return f'{{"delete":{{{address}}}}}\n'.encode()
        return b'{"index":{%s}}\n%s\n' % (address.encode(), self.body)


@dataclass(frozen=True, slots=True)
class Delivered(Generic[Owner]):
    """What became of the actions of one request.

    Args:
        done: Acknowledged.
        refused: Refused for good, with the reason.
        blocked: Not taken, since the index takes no writes.
    """

    done: list[Action[Owner]]
    refused: list[tuple[Action[Owner], str]]
    blocked: list[Action[Owner]]


class Bulk(Generic[Owner]):
    """Sends actions in threads. For one thread's use.

    Args:
        cluster: Where.
        workers: Requests under way at once.
        patience: For how many seconds to send an action again.
        clock: Gives seconds that only grow.
        sleep: Waits so many seconds.
        chance: Gives random numbers from 0 to 1.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        workers: int = WORKERS,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._cluster = cluster
        self._workers = workers
        self._patience = patience
        self._clock, self._sleep, self._chance = clock, sleep, chance
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="quire-bulk")
        self._under_way: deque[Future[Delivered[Owner]]] = deque()

    @property
    def busy(self) -> bool:
        """Whether any request is under way."""
        return bool(self._under_way)

    @property
    def full(self) -> bool:
        """Whether as many are under way as may be."""
        return len(self._under_way) >= self._workers

    def send(self, actions: Sequence[Action[Owner]], names: Mapping[Side, str]) -> None:
        """Send actions in one request; to be called when not `full`."""
        self._under_way.append(self._threads.submit(self._deliver, list(actions), dict(names)))

    def take(self, *, block: bool) -> list[Delivered[Owner]]:
        """Return the results that are there; with `block`, wait for one when there is none and some are under way.

        Raises:
            IndexUnavailable: the server could not take some actions for too long.
            IndexFull: its disk is full.
            IndexingError: it refuses us, or lacks the index.
        """
        if block and self._under_way:
            wait(self._under_way, return_when=FIRST_COMPLETED)
        finished = [future for future in self._under_way if future.done()]
        for future in finished:
            self._under_way.remove(future)
        return [future.result() for future in finished]

    def close(self) -> None:
        """Wait for what is under way, forget what came of it, and end the threads."""
        self._threads.shutdown(cancel_futures=True)
        self._under_way.clear()

    def _deliver(self, actions: list[Action[Owner]], names: Mapping[Side, str]) -> Delivered[Owner]:
        result: Delivered[Owner] = Delivered([], [], [])
        started, attempt = self._clock(), 0
        missing_since: float | None = None
        while actions:
            attempt += 1
            error: IndexingError
            try:
                again, found = self._once(actions, names, result)
                if found is None:
                    return result
                actions, error = again, found
            except IndexUnavailable as unavailable:
                error = unavailable
            now = self._clock()
            if isinstance(error, IndexUnavailable):
                missing_since = None
            elif missing_since is None:
                missing_since = now
            if now - started > self._patience or (
                missing_since is not None and now - missing_since > MISSING
            ):
                raise error
            retry_after = error.retry_after if isinstance(error, IndexUnavailable) else None
            seconds = pause(attempt, self._chance(), retry_after)
            _log.info("%d actions are sent again in %.1f s: %s", len(actions), seconds, error)
            self._sleep(seconds)
        return result

    def _once(
        self, actions: list[Action[Owner]], names: Mapping[Side, str], result: Delivered[Owner]
    ) -> tuple[list[Action[Owner]], IndexingError | None]:
        """Send a request; return what is to be sent again, and why."""
        try:
            answer = self._cluster.request(
                "POST",
                "/_bulk",
                lines=b"".join(action.lines(names) for action in actions),
                params={"filter_path": "errors,items.*.status,items.*.error.type,items.*.error.reason"},
                timeout=max(_SECONDS, self._cluster.settings.timeout_seconds),
            )
        except ElasticError as error:
            if error.status != _TOO_LARGE:
                raise
            return self._halved(actions, names, result, error)
        if not answer["errors"]:
            result.done.extend(actions)
            return [], None
        again: list[Action[Owner]] = []
        reason: IndexingError | None = None
        for action, item in zip(actions, answer["items"], strict=True):
            [told] = item.values()
            failed = self._sorted_out(action, told, result)
            if failed is not None:
                again.append(action)
                reason = failed
        return again, reason

    def _halved(
        self,
        actions: list[Action[Owner]],
        names: Mapping[Side, str],
        result: Delivered[Owner],
        error: ElasticError,
    ) -> tuple[list[Action[Owner]], IndexingError | None]:
        if len(actions) == 1:
            size = actions[0].size
            result.refused.append(
                (actions[0], f"{size:,} bytes are more than the server takes at once: {error}")
            )
            return [], None
        middle = len(actions) // 2
        again, reason = self._once(actions[:middle], names, result)
        more, other = self._once(actions[middle:], names, result)
        return again + more, reason or other

    def _sorted_out(
        self, action: Action[Owner], told: Mapping[str, Any], result: Delivered[Owner]
    ) -> IndexingError | None:
        """Put an action where its answer belongs; return the reason when it is to be sent again."""
        status = int(told["status"])
        if "error" not in told or (status == 409 and action.guard is not None):
            result.done.append(action)
            return None
        kind, reason = cause_of(told)
        error = refusal(status, told, asked=f"{action.side} {action.id}", who=self._cluster.settings.who)
        if isinstance(error, IndexUnavailable) or (status == 404 and kind.startswith("index_")):
            return error
        if isinstance(error, IndexFull) or status == 401:
            raise error
        if kind == _BLOCKED:
            result.blocked.append(action)
        elif isinstance(error, ElasticForbidden):
            raise error
        else:
            result.refused.append((action, f"{reason} ({kind})"))
        return None


def is_blocked(error: BaseException) -> bool:
    """Whether this says that an index takes no writes."""
    return isinstance(error, ElasticError) and error.kind == _BLOCKED
