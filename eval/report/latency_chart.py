"""Quality against latency: the figure that says what a better answer costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from eval.report.figure import GROUND, MUTED, WIDTH, Chart, blank, style
from eval.report.marks import look, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FASTEST = 0.01
"""Milliseconds; what is faster than the clock tells, zero included, is drawn here."""

_Box: TypeAlias = tuple[float, float, float, float]
_Place: TypeAlias = tuple[int, int, Literal["left", "right"], Literal["bottom", "center", "top"]]
_NEAR: tuple[_Place, ...] = (
    (5, 4, "left", "bottom"),
    (5, -4, "left", "top"),
    (-5, 4, "right", "bottom"),
    (-5, -4, "right", "top"),
    (7, 0, "left", "center"),
    (-7, 0, "right", "center"),
)
_FAR: tuple[_Place, ...] = tuple(
    (dx, dy, "left" if dx > 0 else "right", "center")
    for dy in (18, -18, 32, -32, 46, -46, 60, -60)
    for dx in (12, -12, 30, -30)
)
_PLACES = _NEAR + _FAR
"""Where a label may stand: to the right, upwards, in points; and which of its corners is there. First is best; a line
leads to those that are far."""


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
    return Chart(
        name, f"{measure} against latency, {collection}", f"Means and median latencies: {said}.", figure
    )


def _room(axes: Axes, points: Sequence[Point]) -> None:
    """Give the axes room for labels, and ticks that are read as numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    left = min((max(point.p50, FASTEST) for point in points), default=1.0)
    right = max((max(point.p95, point.p50, FASTEST) for point in points), default=10.0)
    longest = max((len(shortened(point.name)) for point in points), default=0)
    share = max(math.log10(right / left), 0.7) * (0.12 + 0.012 * longest)
    axes.set_xlim(left / 10 ** (share / 2), right * 10**share)
    axes.margins(y=0.14)
    decades = math.log10(right / left)
    steps = (
        (1.0,) if decades > 2 else (1.0, 2.0, 5.0) if decades > 0.8 else (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)
    )
    axes.xaxis.set_major_locator(LogLocator(subs=steps))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _label(axes: Axes, points: Sequence[Point]) -> None:
    """Write each name beside its mark, where it hits no other mark, name or line, as far as that can be had."""
    figure = axes.get_figure(root=True)
    if figure is None:
        return
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # names are put where they fit; nothing moves from here on
    taken, lines = [], []
    for point in points:
        x, y = axes.transData.transform((max(point.p50, FASTEST), point.quality))
        right, top = axes.transData.transform((max(point.p95, point.p50, FASTEST), point.high))
        bottom = axes.transData.transform((1.0, point.low))[1]
        taken.append((x - 4, y - 4, x + 4, y + 4))
        lines += [(x - 1, bottom, x + 1, top), (x, y - 1, right, y + 1)]
    inside = axes.get_window_extent()
    frame = (inside.x0, inside.y0, inside.x1, inside.y1)
    for point in points:
        at = (max(point.p50, FASTEST), point.quality)
        text = axes.annotate(
            shortened(point.name),
            at,
            (0, 0),
            textcoords="offset points",
            fontsize=9,
            bbox={"facecolor": GROUND, "edgecolor": "none", "alpha": 0.75, "pad": 0.6},
        )
        extent = text.get_window_extent()
        x, y = axes.transData.transform(at)
        tried = []
        for rank, place in enumerate(_PLACES):
            box = _placed(place, x, y, extent.width, extent.height)
            hits = sum(_shared(box, other) for other in taken) + _area(box) - _shared(box, frame)
            # Over another name or mark it cannot be read, over a line it can; far is worse than near.
            cost = 10 * hits + sum(_shared(box, line) for line in lines) + (rank if rank >= len(_NEAR) else 0)
            tried.append((cost, rank, box))
        _, chosen, box = min(tried)
        dx, dy, across, up = _PLACES[chosen]
        text.set(position=(dx, dy), horizontalalignment=across, verticalalignment=up)
        if chosen >= len(_NEAR):
            axes.annotate(
                "",
                at,
                (dx, dy),
                textcoords="offset points",
                arrowprops={"arrowstyle": "-", "color": MUTED, "lw": 0.5},
            )
        taken.append(box)


def _placed(place: _Place, x: float, y: float, width: float, height: float) -> _Box:
    """Return the box of a text of a size that stands at a place beside a mark; figures have 72 dots an inch."""
    dx, dy, across, up = place
    left = x + dx - (width if across == "right" else 0)
    bottom = y + dy - {"bottom": 0.0, "center": height / 2, "top": height}[up]
    return (left, bottom, left + width, bottom + height)


def _area(box: _Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _shared(a: _Box, b: _Box) -> float:
    """Return the area that two boxes share."""
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
