"""An experiment's result as a terminal shows it: a table for each collection, then what did not work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from quire.columns import Column, table_lines
from quire.comparison_lines import CORRECTED, DASH, TESTED, p_text, signed
from quire.progress import plural
from quire.terminal import Screen, cut, harmless

if TYPE_CHECKING:
    from eval.experiment.result import CollectionFacts, ExperimentResult
    from eval.measures import Measure
    from eval.report.standing import Standing


BUSY = "timed while the machine was busy with other work"


def experiment_lines(result: ExperimentResult, screen: Screen) -> Iterator[str]:
    """Yield a table for each collection, with intervals and significance against the baseline."""
    from eval.report.standing import LEVEL, standing

    for facts in result.collections:
        found = standing(result, facts.name)
        if not found.means:
            continue
        yield screen.style(cut(harmless(_heading(facts)), screen.width), "bold")
        yield from table_lines(_columns(result, facts.name, found), screen, "  ")
        for problem in found.problems:
            yield from screen.wrap([(problem, False)], "    ", "  ! ")
        for line in _remarks(result, facts.name):
            yield from screen.wrap([(line, False)], "    ", "  ! ")
        yield ""
    if any(len(result.row(facts.name)) > 1 for facts in result.collections):
        corrected = (
            f"corrected by {CORRECTED[result.correction]} over all systems and measures of a collection"
            if result.correction in CORRECTED
            else "not corrected"
        )
        legend = (
            f"Against {result.baseline}: {TESTED.get(result.test, result.test)}, {corrected}; ▲ ▼ p under "
            f"{1 - LEVEL:.2g}. Intervals: {LEVEL:.0%}, bootstrap over topics. ms: the median for a page of hits."
        )
        yield from (screen.style(line, "dim") for line in screen.wrap([(legend, False)]))


def _heading(facts: CollectionFacts) -> str:
    topics = plural(len(facts.topics), "topic")
    if len(facts.topics) < facts.topics_in_all:
        topics += f" of {facts.topics_in_all:,}"
    split = f" ({facts.split})" if facts.split else ""
    return f"{facts.name}{split}: {plural(facts.documents, 'document')}, {topics}"


def _columns(result: ExperimentResult, collection: str, found: Standing) -> list[Column]:
    row = result.row(collection)
    first, *others = found.means
    means, against = found.means[first], found.against.get(first, {})

    def mean(measure: Measure, name: str) -> str:
        value = found.means[measure].get(name)
        if value is None:
            return DASH + " "
        contrast = found.against.get(measure, {}).get(name)
        mark = (
            " "
            if contrast is None or not contrast.significant
            else "▲"
            if contrast.difference.mean > 0
            else "▼"
        )
        return f"{value.mean:.4f}{mark}"

    columns = [
        Column("system", list(row), left=True),
        Column(f"{first} ", [mean(first, name) for name in row]),
        Column(
            "its interval",
            [
                f"{means[name].low:.4f} to {means[name].high:.4f}"
                if name in means and means[name].bounded
                else ""
                for name in row
            ],
            rank=4,
        ),
        Column(
            "differs",
            [signed(against[name].difference.mean) if name in against else "" for name in row],
            rank=1,
        ),
        Column(
            "corrected p",
            [p_text(against[name].corrected) if name in against else "" for name in row],
            rank=1,
        ),
        Column(
            "won/tied/lost",
            [
                f"{against[name].wins}/{against[name].ties}/{against[name].losses}" if name in against else ""
                for name in row
            ],
            rank=5,
        ),
    ]
    columns += [
        Column(f"{measure} ", [mean(measure, name) for name in row], rank=2 if at < 2 else 3)
        for at, measure in enumerate(others)
    ]
    times = [cell.latency for cell in row.values()]
    if any(times):
        columns.append(Column("ms", [f"{time.p50:.1f}" if time else DASH for time in times], rank=2))
    return [column for column in columns if any(entry.strip() for entry in column.entries)]


def _remarks(result: ExperimentResult, collection: str) -> Iterator[str]:
    """Yield what a reader of the table should know: equal remarks of several systems once."""
    systems: dict[str, list[str]] = {}
    lacking: dict[str, list[str]] = {}
    for name, cell in result.row(collection).items():
        for warning in cell.warnings:
            busy = warning.startswith("timed while")
            systems.setdefault(BUSY if busy else warning, []).append(name)
        if cell.unmeasured:
            lacking.setdefault(", ".join(cell.unmeasured), []).append(name)
    for warning, names in systems.items():
        yield f"{', '.join(names)}: {warning}"
    for measures, names in lacking.items():
        yield f"{', '.join(names)}: no {measures}; the report says why"
