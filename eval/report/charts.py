"""The figures of a report: quality against latency, intervals, differences query by query, all collections at once.

Each function is pure: values in, a `Chart` out. Systems are told apart by shape and by a label beside them, never by
colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from eval.report.figure import GROUND, INK, MARKERS, MUTED, SERIES, Chart, blank, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 330.0
"""Points. Small, so that text is still readable where a page shows it on a phone."""

FASTEST = 0.01
"""Milliseconds; what is faster than the clock tells, zero included, is drawn here."""

_LABEL = 26
_Box: TypeAlias = tuple[float, float, float, float]
_PLACES = (
    (5, 4, "left", "bottom"),
    (5, -4, "left", "top"),
    (-5, 4, "right", "bottom"),
    (-5, -4, "right", "top"),
    (7, 0, "left", "center"),
    (-7, 0, "right", "center"),
    (5, 14, "left", "bottom"),
    (5, -14, "left", "top"),
    (-5, 14, "right", "bottom"),
    (-5, -14, "right", "top"),
)
"""Where a label may stand: to the right, upwards, in points; and which of its corners is there. First is best."""


@dataclass(frozen=True, slots=True)
class Point:
    """A system in a plane.

    Args:
        name: The system.
        quality: Its mean.
        low: Lower end of the mean's interval.
        high: Upper end.
        p50: Median latency in milliseconds.
        p95: The 95th percentile.
    """

    name: str
    quality: float
    low: float
    high: float
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Difference:
    """How far a system is from the baseline, in a measure's units: the mean, and its interval."""

    name: str
    mean: float
    low: float
    high: float


def look(position: int) -> dict[str, Any]:
    """Return marker and colour of the system at a place of the experiment; the baseline is a hollow circle, at 0."""
    if position == 0:
        return {"marker": "o", "markerfacecolor": "none", "markeredgecolor": INK, "color": INK}
    colour = SERIES[(position - 1) % len(SERIES)]
    # Past the sixth system the shapes go on while the colours begin again, so that no pair comes twice before 30.
    shift = (position - 1) // len(SERIES)
    marker = MARKERS[(position - 1 + shift) % len(MARKERS)]
    return {"marker": marker, "markerfacecolor": colour, "markeredgecolor": colour, "color": colour}


def quality_against_latency(
    name: str, measure: str, points: Sequence[Point], collection: str, places: Mapping[str, int]
) -> Chart:
    """Draw each system at its median latency and its mean, the interval upright, the way to its p95 level.

    Args:
        name: The chart's name.
        measure: The measure, as the axis says it.
        points: The systems with a latency.
        collection: Where it was measured.
        places: System to its place, for `look`.
    """
    with style():
        figure = blank(WIDTH, 230)
        axes = figure.subplots()
        for point in points:
            shape, middle = look(places[point.name]), max(point.p50, FASTEST)
            thin = {"color": shape["color"], "linewidth": 0.9, "solid_capstyle": "butt"}
            axes.plot([middle, max(point.p95, middle)], [point.quality] * 2, **thin)
            axes.plot([middle] * 2, [point.low, point.high], **thin)
            axes.plot([middle], [point.quality], markersize=6, linestyle="none", **shape)
        axes.set_xscale("log")
        _room(axes, points)
        axes.set_xlabel("median latency of a query, ms (line: to p95)")
        axes.set_ylabel(measure)
        axes.grid(axis="y")
        _label(axes, points)
    said = "; ".join(f"{p.name} {p.quality:.3f} at {p.p50:.3g} ms" for p in points)
    return Chart(name, f"{measure} against latency, {collection}", f"Upper left is better. {said}.", figure)


def _room(axes: Axes, points: Sequence[Point]) -> None:
    """Give the axes room for labels, and ticks that are read as numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    left = min((max(point.p50, FASTEST) for point in points), default=1.0)
    right = max((max(point.p95, point.p50, FASTEST) for point in points), default=10.0)
    share = max(math.log10(right / left), 0.7) * 0.22
    axes.set_xlim(left / 10**share, right * 10**share)
    axes.margins(y=0.14)
    narrow = right / left < 100
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if narrow else (1.0,)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _label(axes: Axes, points: Sequence[Point]) -> None:
    """Write each name beside its mark, where it hits no other mark, name or line, as far as that can be had."""
    figure = axes.get_figure(root=True)
    if figure is None:
        return
    figure.draw_without_rendering()
    size = figure.dpi / 72
    taken, lines = [], []
    for point in points:
        x, y = axes.transData.transform((max(point.p50, FASTEST), point.quality))
        right, top = axes.transData.transform((max(point.p95, point.p50, FASTEST), point.high))
        bottom = axes.transData.transform((1.0, point.low))[1]
        taken.append((x - 4 * size, y - 4 * size, x + 4 * size, y + 4 * size))
        lines += [(x - size, bottom, x + size, top), (x, y - size, right, y + size)]
    inside = axes.get_window_extent()
    frame = (inside.x0, inside.y0, inside.x1, inside.y1)
    ground = {"facecolor": GROUND, "edgecolor": "none", "alpha": 0.75, "pad": 0.6}
    for point in points:
        tried: list[tuple[float, int, Any, _Box]] = []
        for rank, (dx, dy, across, up) in enumerate(_PLACES):
            text = axes.annotate(
                shortened(point.name),
                (max(point.p50, FASTEST), point.quality),
                (dx, dy),
                textcoords="offset points",
                ha=across,
                va=up,
                fontsize=8,
                bbox=ground,
            )
            extent = text.get_window_extent()
            box = (extent.x0, extent.y0, extent.x1, extent.y1)
            hits = sum(_shared(box, other) for other in taken) + _area(box) - _shared(box, frame)
            tried.append((3 * hits + sum(_shared(box, line) for line in lines), rank, text, box))
        chosen = min(tried, key=lambda one: one[:2])
        for one in tried:
            if one is not chosen:
                one[2].remove()
        taken.append(chosen[3])


def _area(box: _Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _shared(a: _Box, b: _Box) -> float:
    """Return the area that two boxes share."""
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def shortened(name: str, most: int = _LABEL) -> str:
    """Return a name on one line, cut to so many characters with an ellipsis."""
    line = " ".join(name.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def intervals(
    name: str,
    measure: str,
    baseline: str,
    differences: Sequence[Difference],
    collection: str,
    places: Mapping[str, int],
) -> Chart:
    """Draw each system's mean difference from the baseline with its interval, one a line, in the order given.

    Args:
        name: The chart's name.
        measure: The measure.
        baseline: The system that the others are compared with.
        differences: Of the other systems.
        collection: Where it was measured.
        places: System to its place, for `look`.
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
    words = f"Right of zero is better than {baseline}. {said}."
    return Chart(name, f"Differences in {measure} with their intervals, {collection}", words, figure)


def query_differences(
    name: str, measure: str, system: str, baseline: str, differences: Sequence[float], most: float
) -> Chart:
    """Draw one bar a query, sorted: what it gained or lost.

    Args:
        name: The chart's name.
        measure: The measure.
        system: The system.
        baseline: What it is compared with.
        differences: System minus baseline, a number a query, in any order.
        most: The ends of the upright axis, so that charts beside each other agree; in the measure's units.
    """
    values = sorted(differences, reverse=True)
    won, lost = sum(value > 0 for value in values), sum(value < 0 for value in values)
    with style():
        figure = blank(WIDTH, 150)
        axes = figure.subplots()
        edges = list(range(len(values) + 1))
        if values:
            axes.stairs([max(value, 0.0) for value in values], edges, fill=True, color=SERIES[0], linewidth=0)
            axes.stairs([min(value, 0.0) for value in values], edges, fill=True, color=SERIES[1], linewidth=0)
        axes.axhline(0, color=MUTED, linewidth=0.6)
        axes.set_xlim(0, max(len(values), 1))
        axes.set_ylim(-most or -1, most or 1)
        axes.spines["bottom"].set_visible(False)
        axes.set_xticks([])
        axes.locator_params(axis="y", nbins=5)
        axes.set_ylabel(f"gain in {measure}")
        corner: dict[str, Any] = {"transform": axes.transAxes, "fontsize": 8}
        axes.text(0.995, 0.97, f"{won} queries better", ha="right", va="top", **corner)
        axes.text(0.005, 0.03, f"{lost} queries worse", ha="left", va="bottom", **corner)
    words = (
        f"Of {len(values)} queries {system} answers {won} better than {baseline}, {lost} worse, and "
        f"{len(values) - won - lost} equally well."
    )
    return Chart(name, f"{system} against {baseline}, query by query", words, figure)


def all_collections(
    name: str,
    measures: Mapping[str, str],
    means: Mapping[str, Sequence[float | None]],
    systems: Sequence[str],
) -> Chart:
    """Draw every system's mean on every collection, one collection a line.

    Args:
        name: The chart's name.
        measures: Collection to the measure that its line shows, in the order of the lines.
        means: Collection to the means of the systems, in their order; None where one did not run.
        systems: The systems, the baseline first.
    """
    kinds = list(dict.fromkeys(measures.values()))
    with style():
        figure = blank(WIDTH, 56 + 20 * max(len(measures), 1) + 13 * math.ceil(len(systems) / 2))
        axes = figure.subplots()
        for position, system in enumerate(systems):
            shape = look(position)
            drawn: list[tuple[int, float]] = [
                (at, mean) for at, row in enumerate(means.values()) if (mean := row[position]) is not None
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
        axes.grid(axis="both")
        axes.set_xlabel(kinds[0] if len(kinds) == 1 else "mean of the measure named")
        if systems:
            figure.legend(loc="outside upper left", ncols=2, frameon=False, fontsize=8, handletextpad=0.3)
    said = "; ".join(
        f"{collection}: "
        + ", ".join(
            f"{system} {mean:.3f}" for system, mean in zip(systems, row, strict=True) if mean is not None
        )
        for collection, row in means.items()
    )
    return Chart(name, "Every system on every collection", f"Further right is better. {said}.", figure)
