"""`Record`: what is noted of one request while it is answered, for the log, the metrics and the trace alike."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Answered:
    """One list that the engine made.

    Args:
        timings: Stage to milliseconds, in order.
        found: Documents in the whole list.
        rerank_depth: How many of them the cross-encoder read.
        degraded: Whether the service did less than was asked, because it was busy.
        at: When it was ready, in nanoseconds since 1970.
    """

    timings: Mapping[str, float]
    found: int
    rerank_depth: int
    degraded: bool
    at: int = field(default_factory=time.time_ns)


@dataclass(slots=True)
class Record:
    """One request.

    Args:
        request_id: Its name in logs and answers.
        method: The HTTP method, `other` for one that nobody uses.
        began: `time.perf_counter()` when it came.
        status: Of the answer; 0 until there is one.
        complete: Whether the answer was sent to its end.
        answers: What the engine found for it.
        errors: What went wrong on our side.
    """

    request_id: str
    method: str
    began: float = field(default_factory=time.perf_counter)
    status: int = 0
    complete: bool = False
    answers: list[Answered] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)


CURRENT: ContextVar[Record | None] = ContextVar("quire_request", default=None)


def current() -> Record | None:
    """Return the record of the request that this code works for; None outside of one."""
    return CURRENT.get()
