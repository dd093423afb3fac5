"""The figures of differences: with intervals, query by query, and over all collections at once.

Each function is pure: values in, a `Chart` out. Systems are told apart by shape and by a label beside them, never by
colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.comparison.compare import TIE
from eval.report.figure import INK, MUTED, RULE, WIDTH, Chart, blank, style
from eval.report.marks import look, shortened


@dataclass(frozen=True, slots=True)
class Difference:
    """How far a system is from the baseline, in a measure's units: the mean, and its interval."""

    name: str
    mean: float
    low: float
    high: float


def intervals(
    name: str,
    measure: str,
    baseline: str,
    differences: Sequence[Difference],
    collection: str,
    places: Mapping[str, int],
    better: str = "Right",
) -> Chart:
    """Draw each system's mean difference from the baseline with its interval, one a line, in the order given.

    Args:
        name: The chart's name.
        measure: The measure.
        baseline: The system that the others are compared with.
        differences: Of the other systems.
        collection: Where it was measured.
        places: System to its place, for `look`.
        better: Which side of zero is the better one, as the description begins.
    """
    with style():
        figure = blank(WIDTH, 62 + 19 * max(len(differences), 1))
        axes = figure.subplots()
        axes.axvline(0, color=MUTED, linewidth=0.9)
        for row, difference in enumerate(differences):
            shape = look(places[difference.name])
            axes.plot([difference.low, difference.high], [row] * 2, color=shape["color"], linewidth=1.2)
            axes.plot([difference.mean], [row], markersize=6, linestyle="none", **shape)
        axes.set_yticks(range(len(differences)), [shortened(difference.name) for difference in differences])
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.set_ylim(max(len(differences), 1) - 0.4, -0.6)
        axes.spines["left"].set_visible(False)
        axes.locator_params(axis="x", nbins=5)
        axes.grid(axis="x")
        axes.set_xlabel(f"difference in {measure} from {shortened(baseline)}")
    said = "; ".join(f"{d.name} {d.mean:+.3f} ({d.low:+.3f} to {d.high:+.3f})" for d in differences)
    words = f"{better} of zero is better than {baseline}. {said}."
    return Chart(name, f"Differences in {measure} with their intervals, {collection}", words, figure)


def query_differences(
    name: str,
    measure: str,
    system: str,
    baseline: str,
    differences: Sequence[float],
    most: float,
    place: int = 1,
) -> Chart:
    """Draw one bar a query, sorted: what it gained or lost.

    Args:
        name: The chart's name.
        measure: The measure.
        system: The system.
        baseline: What it is compared with.
        differences: What each query gained, in any order: system minus baseline where more is better.
        most: The ends of the upright axis, so that charts beside each other agree; in the measure's units.
        place: The system's, for `look`.
    """
    values = sorted(differences, reverse=True)
    won, lost = sum(value > TIE for value in values), sum(value < -TIE for value in values)
    with style():
        figure = blank(WIDTH, 140)
        axes = figure.subplots()
        if values:
            axes.stairs(values, range(len(values) + 1), fill=True, color=look(place)["color"], linewidth=0)
        axes.axhline(0, color=MUTED, linewidth=0.6)
        axes.set_xlim(0, max(len(values), 1))
        axes.set_ylim(-most or -1, most or 1)
        axes.spines["bottom"].set_visible(False)
        axes.set_xticks([])
        axes.locator_params(axis="y", nbins=5)
        axes.set_ylabel(f"gain in {measure}")
        corner: dict[str, Any] = {"transform": axes.transAxes, "fontsize": 9}
        axes.text(0.995, 0.97, f"{won:,} better", ha="right", va="top", **corner)
        axes.text(0.01, 0.03, f"{lost:,} worse", ha="left", va="bottom", **corner)
    words = (
        f"Of {len(values):,} queries {system} answers {won:,} better than {baseline}, {lost:,} worse, and "
        f"{len(values) - won - lost:,} equally well."
    )
    return Chart(name, f"{system} against {baseline}, a bar a query", words, figure)


def all_collections(
    name: str,
    measures: Mapping[str, str],
    means: Mapping[str, Sequence[float | None]],
    places: Mapping[str, int],
) -> Chart:
    """Draw every system's mean on every collection, one collection a line.

    Args:
        name: The chart's name.
        measures: Collection to the measure that its line shows, in the order of the lines.
        means: Collection to the means of the systems, in their order; None where one did not run.
        places: The systems in the order of the means, each with its place, for `look`.
    """
    kinds = list(dict.fromkeys(measures.values()))
    with style():
        figure = blank(WIDTH, 56 + 24 * max(len(measures), 1) + 14 * math.ceil(len(places) / 2))
        axes = figure.subplots()
        for position, (system, place) in enumerate(places.items()):
            shape = look(place)
            raised = 0.5 * ((position + 0.5) / len(places) - 0.5)  # so that equal means lie side by side
            drawn: list[tuple[float, float]] = [
                (at + raised, mean)
                for at, row in enumerate(means.values())
                if (mean := row[position]) is not None
            ]
            axes.plot(
                [one[1] for one in drawn],
                [one[0] for one in drawn],
                markersize=6,
                linestyle="none",
                label=shortened(system),
                **shape,
            )
        lines = [
            shortened(collection) if len(kinds) == 1 else f"{shortened(collection)} {measure}"
            for collection, measure in measures.items()
        ]
        axes.set_yticks(range(len(lines)), lines)
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.set_ylim(max(len(lines), 1) - 0.4, -0.6)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        for at in range(1, len(lines)):
            axes.axhline(at - 0.5, color=RULE, linewidth=0.6)
        axes.set_xlabel(kinds[0] if len(kinds) == 1 else "mean of the measure named")
        if places:
            figure.legend(loc="outside upper left", ncols=2, frameon=False, fontsize=9, handletextpad=0.3)
    said = "; ".join(
        f"{collection}: "
        + ", ".join(
            f"{system} {mean:.3f}" for system, mean in zip(places, row, strict=True) if mean is not None
        )
        for collection, row in means.items()
    )
    return Chart(name, "Every system on every collection", f"Means of the systems. {said}.", figure)
