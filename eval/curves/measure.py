"""Ask every engine of a sweep the same queries: for quality once, for time in turns."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from engine.query import Query
from engine.search_engine import SearchEngine
from eval.collection import Judgements, Topic
from eval.curves.curve import Curve, Point, Rule, Value, choose
from eval.curves.sweep import Sweep
from eval.errors import InvalidEvaluation
from eval.measures import Measure, evaluate
from eval.run import Run, Span, in_given_order

PAGE = 10
"""How many documents are asked for when a search is timed, and compared with the exhaustive one's."""

_WARM_UP = 5
_ROUNDS = 3
_CUTOFF = re.compile(r"@(\d+)")
_DEEP = 1000  # documents asked for where a measure has no cutoff
Doing = Callable[[str, int, int], None]


def measure(
    sweep: Sweep,
    topics: Mapping[str, Topic],
    judgements: Judgements | None,
    measures: Sequence[Measure],
    *,
    name: str,
    rule: Rule = "current",
    queries: int = 0,
    timed: int = 100,
    doing: Doing = lambda what, done, total: None,
) -> Curve:
    """Return the curve of a sweep.

    Each measure is taken of a search for as many documents as it looks at, because a search for more looks deeper:
    nDCG@10 is what a reader of ten sees. Latency is measured apart, on the first page: each query goes to all values
    in turn, beginning with another one each time, so that what disturbs the machine disturbs all alike; three rounds,
    of which each query's quickest counts.

    Args:
        sweep: The engines.
        topics: What is asked.
        judgements: What is right; None for topics that nobody judged: then there is no quality.
        measures: The first decides.
        name: The collection's name.
        rule: How the point is chosen.
        queries: At most so many queries, spread evenly; 0 for all.
        timed: At most so many queries are timed, spread evenly.
        doing: Told what is being done, and how far it is.

    Raises:
        InvalidEvaluation: there is nothing to ask, or judgements come without measures.
    """
    asked = dict(topics)
    if judgements is not None:
        asked = {query: topic for query, topic in asked.items() if query in judgements.qrels}
    asked = _spread(asked, queries)
    if not asked or timed < 1 or (judgements is not None and not measures):
        raise InvalidEvaluation(
            f"{name}: a curve needs judged queries (found {len(asked)}), and a measure for them"
        )
    judged = None if judgements is None else _of(judgements, asked)
    deep = {one: _depth(one) for one in measures} if judged is not None else {}
    answers: dict[Value, dict[int, Run]] = {}
    values: dict[Value, dict[str, dict[str, float]]] = {}
    for value, engine in sweep.engines.items():
        named = f"{sweep.parameter} {value}"
        answers[value] = {k: _run(named, engine, asked, k, doing) for k in sorted({PAGE, *deep.values()})}
        values[value] = {}
        for k, run in answers[value].items():
            asking = [one for one in measures if judged is not None and deep[one] == k]
            if judged is not None and asking:
                found = evaluate(run, judged, asking)
                values[value] |= {str(one): dict(found.values[one]) for one in asking}
    agreement: dict[Value, float] = {}
    if sweep.exhaustive is not None:
        wanted = _run(sweep.against, sweep.exhaustive, asked, PAGE, doing)
        agreement = {value: _agreement(wanted, runs[PAGE]) for value, runs in answers.items()}
    times = _times(sweep.engines, list(_spread(asked, timed).values()), doing)
    points = []
    for value in sweep.engines:
        p50, p95 = np.percentile(times[value], [50, 95])
        means = {str(one): one.aggregate(values[value][str(one)].values()) for one in deep}
        points.append(
            Point(value, means, {}, agreement.get(value), round(float(p50), 3), round(float(p95), 3))
        )
    chosen, words = choose(points, rule, sweep.current)
    from eval.experiment.machine import machine, versions

    return Curve(
        parameter=sweep.parameter,
        collection=name,
        points=[
            replace(point, differences=_differences(values[point.value], values[chosen])) for point in points
        ],
        chosen=chosen,
        rule=words,
        queries=len(asked),
        timed=min(timed, len(asked)),
        against=sweep.against,
        settings=dict(sweep.settings),
        index=sweep.index,
        machine=machine(),
        versions=versions(),
        measured=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _run(name: str, engine: SearchEngine, topics: Mapping[str, Topic], k: int, doing: Doing) -> Run:
    rankings: dict[str, dict[str, float]] = {}
    spans: dict[str, list[Span]] = {}
    for at, (query_id, topic) in enumerate(topics.items(), 1):
        hits = engine.search(Query(topic.text, operators=False), k=k).hits
        rankings[query_id] = in_given_order((hit.doc_id, hit.score) for hit in hits)
        spans[query_id] = [Span(hit.doc_id, shown.start, shown.end) for hit in hits for shown in hit.passages]
        doing(f"searching with {name}", at, len(topics))
    return Run(name, rankings, spans=spans)


def _agreement(wanted: Run, found: Run) -> float:
    """Return the mean share of the exhaustive search's first pages that the other's have, too."""
    shares = []
    for query, ranking in wanted.rankings.items():
        page = set(list(ranking)[:PAGE])
        shares.append(len(page & set(list(found.rankings[query])[:PAGE])) / len(page) if page else 1.0)
    return float(np.mean(shares))


def _times(
    engines: Mapping[Value, SearchEngine], topics: Sequence[Topic], doing: Doing
) -> dict[Value, list[float]]:
    """Return each query's quickest time at each value, in milliseconds."""
    queries = [Query(topic.text, operators=False) for topic in topics]
    order = list(engines.items())
    for _, engine in order:
        for query in queries[:_WARM_UP]:
            engine.search(query, k=PAGE)
    quickest = {value: [float("inf")] * len(queries) for value in engines}
    for turn in range(_ROUNDS):
        for at, query in enumerate(queries):
            first = (at + turn) % len(order)
            for value, engine in order[first:] + order[:first]:
                started = time.perf_counter()
                engine.search(query, k=PAGE)
                took = (time.perf_counter() - started) * 1000
                quickest[value][at] = min(quickest[value][at], took)
            doing("timing", turn * len(queries) + at + 1, _ROUNDS * len(queries))
    return quickest


def _differences(
    mine: Mapping[str, Mapping[str, float]], chosen: Mapping[str, Mapping[str, float]]
) -> dict[str, tuple[float, float]]:
    """Return the interval of the mean difference from the chosen point, for each measure."""
    from eval.statistics import bootstrap_interval

    found = {}
    for name, by_query in mine.items():
        change = np.array([by_query[query] - chosen[name][query] for query in by_query])
        low, high = bootstrap_interval(change, rounds=2000) if len(change) > 1 else (0.0, 0.0)
        found[name] = (low, high)
    return found


def _of(judgements: Judgements, asked: Mapping[str, Topic]) -> Judgements:
    return Judgements(
        {query: judgements.qrels[query] for query in asked},
        {query: spans for query, spans in judgements.evidence.items() if query in asked},
        {query: topics for query, topics in judgements.subtopics.items() if query in asked},
    )


def _depth(measure: Measure) -> int:
    """Return how many documents a measure looks at; those of the first page are all there anyway."""
    cutoff = _CUTOFF.search(str(measure))
    return max(PAGE, int(cutoff[1])) if cutoff else _DEEP


def _spread(topics: Mapping[str, Topic], most: int) -> dict[str, Topic]:
    """Return at most so many topics, evenly spread over all; all for 0."""
    if most <= 0 or len(topics) <= most:
        return dict(topics)
    names = list(topics)
    return {names[at]: topics[names[at]] for at in np.linspace(0, len(names) - 1, most).astype(int).tolist()}
