"""The figures of one collection, by the first measure that it has."""

from __future__ import annotations

from eval.experiment.result import CollectionFacts, ExperimentResult
from eval.report.charts import Difference, intervals, query_differences
from eval.report.figure import Chart
from eval.report.latency_chart import Point, quality_against_latency
from eval.report.standing import Mean, Standing


def places(result: ExperimentResult) -> dict[str, int]:
    """Return each system's place, which decides its mark in every figure; the baseline comes first, at 0."""
    names = [name for name in result.pipelines if name != result.baseline]
    first = {result.baseline: 0} if result.baseline in result.pipelines else {}
    return first | {name: at for at, name in enumerate(names, 1)}


def section_charts(
    result: ExperimentResult, facts: CollectionFacts, standing: Standing, anchor: str
) -> list[Chart]:
    """Return quality against latency, for the systems that were timed, and the differences from the baseline."""
    if not standing.means:
        return []
    measure, means = next(iter(standing.means.items()))
    row, drawn = result.row(facts.name), []
    points = []
    for name, one in means.items():
        latency = row[name].latency
        if latency is not None:
            points.append(Point(name, one.mean, *_ends(one), latency.p50, latency.p95))
    if points:
        drawn.append(
            quality_against_latency(f"{anchor}-latency", str(measure), points, facts.name, places(result))
        )
    against = standing.against.get(measure, {})
    if against:
        apart = [
            Difference(name, one.difference.mean, *_ends(one.difference)) for name, one in against.items()
        ]
        drawn.append(
            intervals(f"{anchor}-intervals", str(measure), result.baseline, apart, facts.name, places(result))
        )
    return drawn


def query_charts(
    result: ExperimentResult, facts: CollectionFacts, standing: Standing, anchor: str
) -> list[Chart]:
    """Return a figure for each system that was compared: its difference from the baseline, query by query."""
    if not standing.against:
        return []
    measure, systems = next(iter(standing.against.items()))
    row, place = result.row(facts.name), places(result)
    baseline = row[result.baseline].evaluation.values[measure]
    sign = -1.0 if measure.lower_is_better else 1.0
    gains = {
        name: [
            sign * (value - baseline[query]) for query, value in row[name].evaluation.values[measure].items()
        ]
        for name in systems
    }
    most = max(abs(gain) for values in gains.values() for gain in values)
    return [
        query_differences(
            f"{anchor}-queries-{place[name]}", str(measure), name, result.baseline, values, most, place[name]
        )
        for name, values in gains.items()
    ]


def _ends(one: Mean) -> tuple[float, float]:
    """Return an interval's ends; the mean itself where they say nothing."""
    return (one.low, one.high) if one.bounded else (one.mean, one.mean)
