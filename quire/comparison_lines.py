"""A comparison as a person reads it: a table for each measure, and queries with what both systems found."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from quire.columns import Column, table_lines
from quire.progress import plural
from quire.terminal import Screen, cells, cut, harmless

if TYPE_CHECKING:
    from eval.comparison import Comparison, Contrast, QueryCase, ShownHit

CORRECTED = {"holm": "Holm", "benjamini-hochberg": "Benjamini-Hochberg"}
TESTED = {"t": "paired t-test", "wilcoxon": "Wilcoxon's signed ranks", "randomisation": "randomisation test"}
DASH = "–"


def p_text(p: float) -> str:
    """Return a p-value as it is printed."""
    return "<0.0001" if p < 0.00005 else f"{p:.4f}"


def signed(value: float) -> str:
    """Return a difference as it is printed: with its sign, and without one where it is printed as zero."""
    text = f"{value:+.4f}"
    return text[1:] if float(text) == 0.0 else text


def interval_text(interval: tuple[float, float], *, sign: bool = False) -> str:
    """Return an interval as it is printed."""
    if not all(map(math.isfinite, interval)):
        return DASH
    return " to ".join(signed(end) if sign else f"{end:.4f}" for end in interval)


def comparison_lines(comparison: Comparison, screen: Screen) -> Iterator[str]:
    """Yield a table for each measure, and what the columns were made with."""
    for measure in comparison.measures:
        contrasts = [contrast for contrast in comparison.contrasts if contrast.measure == measure]
        against = f", against {comparison.baseline}" if comparison.baseline is not None else ", every pair"
        number = f"{contrasts[0].n:,} queries" if contrasts[0].n != 1 else "1 query"
        yield screen.style(cut(harmless(f"{measure} on {number}{against}"), screen.width), "bold")
        if comparison.baseline is None:
            yield from table_lines(_means(comparison, str(measure)), screen, "  ")
            yield ""
            yield from table_lines(_pairs(comparison, contrasts), screen, "  ")
        else:
            yield from table_lines(_against_baseline(comparison, contrasts), screen, "  ")
        yield ""
    yield from (screen.style(line, "dim") for line in screen.wrap([(_legend(comparison), False)]))


def _means(comparison: Comparison, measure: str) -> list[Column]:
    rows = [row for row in comparison.rows if str(row.measure) == measure]
    return [
        Column("system", [row.system for row in rows], left=True),
        Column("mean", [f"{row.mean:.4f}" for row in rows]),
        Column("its interval", [interval_text(row.interval) for row in rows]),
    ]


def _against_baseline(comparison: Comparison, contrasts: Sequence[Contrast]) -> list[Column]:
    measure = contrasts[0].measure
    rows = [comparison.row(measure, name) for name in comparison.systems]
    columns = [
        Column("system", [row.system for row in rows], left=True),
        Column("mean", [f"{row.mean:.4f}" for row in rows]),
        Column("its interval", [interval_text(row.interval) for row in rows], rank=5),
    ]
    rest = _contrast_columns(comparison, contrasts)
    return columns + [
        Column(column.header, ["", *column.entries], column.rank, column.left) for column in rest
    ]


def _pairs(comparison: Comparison, contrasts: Sequence[Contrast]) -> list[Column]:
    names = [f"{contrast.system} over {contrast.baseline}" for contrast in contrasts]
    return [Column("pair", names, left=True), *_contrast_columns(comparison, contrasts)]


def _contrast_columns(comparison: Comparison, contrasts: Sequence[Contrast]) -> list[Column]:
    marks = [_mark(comparison, contrast) for contrast in contrasts]
    corrected = [
        f"{p_text(contrast.corrected_p)} {mark}" for contrast, mark in zip(contrasts, marks, strict=True)
    ]
    alone = comparison.correction not in CORRECTED or comparison.family == 1
    columns = [
        Column("differs", [signed(contrast.difference) for contrast in contrasts]),
        Column("its interval", [interval_text(contrast.interval, sign=True) for contrast in contrasts]),
        Column("p", [p_text(contrast.p_value) for contrast in contrasts], rank=2),
        Column("p  " if alone else "corrected p  ", corrected),
        Column("effect", [_number(contrast.effect, "+.2f") for contrast in contrasts], rank=3),
        Column("detectable", [_number(contrast.detectable, ".4f") for contrast in contrasts], rank=4),
        Column("won", [f"{contrast.wins:,}" for contrast in contrasts]),
        Column("tied", [f"{contrast.ties:,}" for contrast in contrasts], rank=1),
        Column("lost", [f"{contrast.losses:,}" for contrast in contrasts]),
    ]
    return [column for column in columns if not (alone and column.header == "p")]


def _mark(comparison: Comparison, contrast: Contrast) -> str:
    if not comparison.significant(contrast):
        return " "
    return "▲" if contrast.gain > 0 else "▼"


def _number(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else DASH


def _legend(comparison: Comparison) -> str:
    family = comparison.family
    corrected = (
        f"corrected by {CORRECTED[comparison.correction]} over the {plural(family, 'comparison')} shown"
        if comparison.correction in CORRECTED and family > 1
        else "not corrected"
    )
    level = 1.0 - comparison.level
    return (
        f"p: {TESTED[comparison.test]}, {corrected}; ▲ ▼ under {level:.3g}. Intervals: {comparison.level:.0%}, "
        f"bootstrap over queries. A tie differs by at most {comparison.tolerance:g}."
    )


def case_lines(
    lost: Sequence[QueryCase],
    gained: Sequence[QueryCase],
    system: str,
    baseline: str,
    measure: str,
    screen: Screen,
) -> Iterator[str]:
    """Yield the queries on which a system loses and gains most, with what both ranked first side by side."""
    for cases, what in ((lost, "loses"), (gained, "gains")):
        head = f"Where {system} {what} most against {baseline}, by {measure}"
        yield screen.style(cut(harmless(head), screen.width), "bold")
        if not cases:
            yield f"  Nowhere: no query {what} more than a tie."
            yield ""
        for case in cases:
            values = f"{signed(case.difference)}  ({case.baseline_value:.4f} to {case.value:.4f})"
            yield f"  {harmless(case.query_id)}  {screen.style(values, 'red' if what == 'loses' else 'green')}"
            text = harmless(" ".join(case.text.split()))
            if text:
                yield from screen.wrap([(text, False)], "    ")
            yield from _side_by_side(case, system, baseline, screen)
            yield ""


def _side_by_side(case: QueryCase, system: str, baseline: str, screen: Screen) -> Iterator[str]:
    half = (screen.width - 4 - 2) // 2
    left = [cut(harmless(baseline), half), *(_hit(hit, half) for hit in case.baseline_hits)]
    right = [cut(harmless(system), half), *(_hit(hit, half) for hit in case.hits)]
    left = left if len(left) > 1 else [left[0], "nothing found"]
    right = right if len(right) > 1 else [right[0], "nothing found"]
    for at in range(max(len(left), len(right))):
        ours = left[at] if at < len(left) else ""
        theirs = right[at] if at < len(right) else ""
        line = ("    " + ours + " " * (half - cells(ours) + 2) + theirs).rstrip()
        yield screen.style(line, "dim") if at == 0 else line


def _hit(hit: ShownHit, width: int) -> str:
    """Return a hit as `1 [3] 184 its title`: the grade between brackets, a dot where nobody judged it."""
    grade = "·" if hit.grade is None else str(hit.grade)
    title = " ".join(hit.title.split())
    return cut(harmless(f"{hit.rank} [{grade}] {hit.doc_id} {title}".rstrip()), width)
