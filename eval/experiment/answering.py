"""Ask a system every topic, one after another, and time what a reader would wait for."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np

from eval.collection import Topic
from eval.experiment.ground import Doing
from eval.experiment.pipeline import Ready
from eval.experiment.result import Latency
from eval.run import Run, Span, in_given_order

WARM_UP = 8
"""So many topics are answered before the clock counts: files are read, models and caches warm."""


def answered(ready: Ready, name: str, topics: Mapping[str, Topic], k: int, page: int, doing: Doing) -> Run:
    """Return the run of a system over all topics.

    Args:
        ready: The system.
        name: What to call the run.
        topics: What is asked.
        k: How many documents an answer is to have.
        page: How many it has when it is timed, where a short answer takes less time.
        doing: Told how far it is.

    Raises:
        PipelineFailed, or an error of the engine: it does not answer.
        InvalidEvaluation: it answers with a document twice, or a score that is no number.
    """
    asked = min(page, k) if ready.paged else k
    if ready.timed:
        for topic in _spread(list(topics.values()), WARM_UP):
            ready.answer(topic, asked)
    rankings: dict[str, dict[str, float]] = {}
    seconds: dict[str, float] = {}
    spans: dict[str, Sequence[Span]] = {}
    for done, (query_id, topic) in enumerate(topics.items(), 1):
        started = time.perf_counter()
        answer = ready.answer(topic, asked)
        took = time.perf_counter() - started
        if asked < k:
            answer = ready.answer(topic, k)
        rankings[query_id] = in_given_order(answer.ranked)
        if answer.seconds is not None or ready.timed:
            seconds[query_id] = took if answer.seconds is None else answer.seconds
        if answer.spans:
            spans[query_id] = answer.spans
        doing("answering topics", done, len(topics))
    return Run(name, rankings, seconds, spans)


def latency_of(run: Run) -> Latency | None:
    """Return how long a run's answers took; None where nobody measured."""
    if not run.seconds:
        return None
    times = np.fromiter(run.seconds.values(), dtype=np.float64) * 1000
    p50, p95 = np.percentile(times, [50, 95])
    return Latency(
        queries=len(times),
        mean=round(float(times.mean()), 3),
        p50=round(float(p50), 3),
        p95=round(float(p95), 3),
        slowest=round(float(times.max()), 3),
    )


def _spread(topics: Sequence[Topic], most: int) -> list[Topic]:
    step = max(1, -(-len(topics) // most))
    return list(topics[::step])
