"""A collection's part of a report: its table, its comparisons, its figures, and the queries that differ most."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from eval.experiment.result import Cell, CollectionFacts, ExperimentResult
from eval.measures.measure import Measure
from eval.report import cautions, numbers
from eval.report.contents import (
    BETTER,
    WORSE,
    ComparisonRow,
    ComparisonTable,
    Entry,
    Extremes,
    Section,
    ShownHit,
    ShownQuery,
    SystemRow,
)
from eval.report.section_charts import query_charts, section_charts
from eval.report.standing import Against, Mean, Standing

if TYPE_CHECKING:
    from eval.comparison import QueryCase
    from eval.comparison import ShownHit as FoundHit

SHOWN_QUERIES = 3
SHOWN_HITS = 5
_TITLE = 120


def section(result: ExperimentResult, facts: CollectionFacts, standing: Standing, anchor: str) -> Section:
    """Return what a report says of one collection."""
    row = result.row(facts.name)
    return Section(
        name=facts.name,
        anchor=anchor,
        facts=_facts(facts, row),
        warnings=cautions.of_collection(result, facts) + standing.problems,
        measures=[str(measure) for measure in standing.means],
        rows=_rows(result, row, standing),
        comparisons=[
            ComparisonTable(str(measure), [_comparison(measure, name, one) for name, one in systems.items()])
            for measure, systems in standing.against.items()
        ],
        charts=section_charts(result, facts, standing, anchor),
        query_charts=query_charts(result, facts, standing, anchor),
        family=standing.family,
        extremes=_extremes(result, facts, row, standing),
        unmeasured=[
            (name, measure, reason)
            for name, cell in row.items()
            for measure, reason in cell.unmeasured.items()
        ],
    )


def entries(measure: Measure, means: Mapping[str, Mean], against: Mapping[str, Against]) -> dict[str, Entry]:
    """Return a measure's entries by system: the best marked, and what is significantly apart from the baseline."""
    printed = {name: numbers.mean(one.mean) for name, one in means.items()}
    finite = {name: one.mean for name, one in means.items() if math.isfinite(one.mean)}
    top = ""
    if len(finite) > 1:
        top = printed[(min if measure.lower_is_better else max)(finite, key=finite.__getitem__)]
    return {
        name: Entry(
            text=printed[name],
            value=finite.get(name),
            interval=_interval(one),
            best=printed[name] == top,
            verdict=_verdict(measure, against.get(name)),
        )
        for name, one in means.items()
    }


def _verdict(measure: Measure, one: Against | None) -> str:
    if one is None or not one.significant:
        return ""
    return BETTER if (one.difference.mean > 0) is not measure.lower_is_better else WORSE


def _interval(one: Mean, printed: Callable[[float], str] = numbers.bound) -> str:
    return f"{printed(one.low)} to {printed(one.high)}" if one.bounded else ""


def _facts(facts: CollectionFacts, row: Mapping[str, Cell]) -> list[tuple[str, str]]:
    said = [("documents", f"{facts.documents:,}")]
    passages = {cell.index.passages for cell in row.values() if cell.index is not None}
    if passages:
        said.append(("passages", " or ".join(f"{number:,}" for number in sorted(passages))))
    queries = f"{len(facts.topics):,}"
    if facts.topics_in_all > len(facts.topics):
        queries += f" of {facts.topics_in_all:,}"
    said.append(("queries", queries))
    relevant = [sum(grade > 0 for grade in grades.values()) for grades in facts.qrels.values()]
    if relevant:
        said.append(("relevant a query", f"{sum(relevant) / len(relevant):.1f} on average"))
    if facts.split:
        said.append(("split", facts.split))
    return said


def _rows(result: ExperimentResult, row: Mapping[str, Cell], standing: Standing) -> list[SystemRow]:
    columns = [
        entries(measure, means, standing.against.get(measure, {}))
        for measure, means in standing.means.items()
    ]
    timed = {name: cell.latency for name, cell in row.items() if cell.latency is not None}
    return [
        SystemRow(
            name=name,
            baseline=name == result.baseline,
            entries=[column.get(name, Entry(numbers.NONE)) for column in columns],
            p50=_milliseconds(timed[name].p50) if name in timed else Entry(numbers.NONE),
            p95=_milliseconds(timed[name].p95) if name in timed else Entry(numbers.NONE),
        )
        for name in row
    ]


def _milliseconds(value: float) -> Entry:
    return Entry(numbers.milliseconds(value), value)


def _comparison(measure: Measure, name: str, one: Against) -> ComparisonRow:
    return ComparisonRow(
        system=name,
        difference=Entry(
            numbers.difference(one.difference.mean),
            one.difference.mean,
            _interval(one.difference, numbers.difference_bound),
            verdict=_verdict(measure, one),
        ),
        p_value=numbers.p_value(one.p_value),
        corrected=numbers.p_value(one.corrected),
        effect=numbers.effect(one.effect),
        wins=one.wins,
        ties=one.ties,
        losses=one.losses,
        detectable=numbers.mean(one.detectable),
    )


def _extremes(
    result: ExperimentResult, facts: CollectionFacts, row: Mapping[str, Cell], standing: Standing
) -> list[Extremes]:
    """Return, by the first measure compared here, the queries that each system loses and gains most in."""
    from eval.comparison import extremes

    if not standing.against:
        return []
    measure, systems = next(iter(standing.against.items()))
    baseline = row[result.baseline]
    found = []
    for name in systems:
        lost, gained = extremes(
            row[name].evaluation,
            baseline.evaluation,
            measure,
            facts.topics,
            row[name].top,
            baseline.top,
            facts.qrels,
            titles=facts.titles,
            count=SHOWN_QUERIES,
            shown=SHOWN_HITS,
        )
        if lost or gained:
            found.append(Extremes(name, [_query(case) for case in lost], [_query(case) for case in gained]))
    return found


def _query(case: QueryCase) -> ShownQuery:
    return ShownQuery(
        query_id=case.query_id,
        text=case.text,
        system=Entry(numbers.mean(case.value), case.value),
        baseline=Entry(numbers.mean(case.baseline_value), case.baseline_value),
        difference=Entry(numbers.difference(case.difference), case.difference),
        hits=[_hit(hit) for hit in case.hits],
        baseline_hits=[_hit(hit) for hit in case.baseline_hits],
    )


def _hit(hit: FoundHit) -> ShownHit:
    return ShownHit(hit.doc_id, _cut(hit.title), hit.grade)


def _cut(title: str) -> str:
    line = " ".join(title.split())
    return line if len(line) <= _TITLE else line[: _TITLE - 1].rstrip() + "…"
