"""What a reader should know before trusting a table: what is missing, what nobody judged, what failed."""

from __future__ import annotations

import re
from collections.abc import Mapping

from eval.experiment.result import SHOWN, Cell, CollectionFacts, ExperimentResult
from eval.report import numbers

_REMARK = re.compile(r"\s*\([^()]*\)$")
FEW_QUERIES = 25
LITTLE_JUDGED = 0.5
JUDGED_LESS = 0.05
"""Judged@10 this much below the baseline's is told: such a system is likely better than its numbers."""


def of_experiment(result: ExperimentResult) -> list[str]:
    """Return what concerns the experiment as a whole, in sentences."""
    said = [
        f"{failure.pipeline} could not be run on {failure.collection}: {failure.reason}"
        for failure in result.failures
    ]
    if result.baseline and result.baseline not in result.pipelines:
        said.append(f"The baseline {result.baseline} is not among the systems, so nothing is compared.")
    if not result.baseline and len(result.pipelines) > 1:
        said.append("No baseline is named, so no differences are tested.")
    return said


def of_collection(result: ExperimentResult, facts: CollectionFacts) -> list[str]:
    """Return what concerns one collection, in sentences."""
    row = result.row(facts.name)
    said = []
    if result.baseline in result.pipelines and row and result.baseline not in row:
        said.append(f"The baseline {result.baseline} has no numbers here, so nothing is compared.")
    if row and len(facts.qrels) < FEW_QUERIES:
        queries = numbers.count(len(facts.qrels), "query", "queries")
        said.append(f"With only {queries}, intervals are wide and only large differences can be shown.")
    hopeless = sum(not any(grade > 0 for grade in grades.values()) for grades in facts.qrels.values())
    if hopeless:
        said.append(
            f"{numbers.count(hopeless, 'query has', 'queries have')} no relevant document among those judged, and "
            "cannot be answered well by any system."
        )
    said += _missing(row, facts)
    said += _judged(result, row, facts)
    return said + _of_cells(row)


def _of_cells(row: Mapping[str, Cell]) -> list[str]:
    """Return the cells' own warnings; what several say, but for a remark in brackets at its end, is said once."""
    alike: dict[str, list[tuple[str, str]]] = {}
    for name, cell in row.items():
        for warning in cell.warnings:
            alike.setdefault(_REMARK.sub("", warning), []).append((name, warning))
    return [
        f"{', '.join(name for name, _ in found)}: {found[0][1] if len(found) == 1 else warning}"
        for warning, found in alike.items()
    ]


def judged(cell: Cell, facts: CollectionFacts) -> float:
    """Return Judged@10 over what a cell kept: the mean over queries of the share of ten places judged."""
    shares = [
        sum(doc_id in grades for doc_id in list(cell.top.get(query, ()))[:SHOWN]) / SHOWN
        for query, grades in facts.qrels.items()
    ]
    return sum(shares) / len(shares) if shares else 0.0


def _missing(row: Mapping[str, Cell], facts: CollectionFacts) -> list[str]:
    said = []
    for name, cell in row.items():
        empty = sum(not cell.found.get(query, len(cell.top.get(query, ()))) for query in facts.qrels)
        if empty:
            said.append(
                f"{name} found nothing for {numbers.count(empty, 'query', 'queries')}; "
                f"{'it counts' if empty == 1 else 'they count'} with each measure's default, mostly 0."
            )
    return said


def _judged(result: ExperimentResult, row: Mapping[str, Cell], facts: CollectionFacts) -> list[str]:
    shares = {name: judged(cell, facts) for name, cell in row.items() if cell.top}
    if not shares:
        return []
    said = []
    low, high = min(shares.values()), max(shares.values())
    if low < LITTLE_JUDGED:
        around = (
            numbers.share(low)
            if numbers.share(low) == numbers.share(high)
            else (f"{numbers.share(low)} to {numbers.share(high)}")
        )
        said.append(
            f"Judged@{SHOWN} is {around}: most of the first {SHOWN} documents were never judged, and count as not "
            "relevant. Compare systems; do not read the means as absolute."
        )
    against = shares.get(result.baseline)
    for name, share in shares.items():
        if against is not None and against - share > JUDGED_LESS:
            said.append(
                f"Of {name}'s first {SHOWN} documents {numbers.share(share)} are judged, of {result.baseline}'s "
                f"{numbers.share(against)}: {name} may be better than its numbers say."
            )
    return said
