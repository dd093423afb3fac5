"""A curve as a figure: one panel for each thing measured, above each other, over one axis of the setting.

Nothing shares an axis with another unit. The chosen point is filled and named, and a line leads down through the
panels; bars are intervals of the difference from it, so that what they do not reach is a difference.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from eval.curves.curve import Curve
from eval.report.figure import GROUND, INK, MUTED, SERIES, Chart, blank, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 330.0
"""Points."""

_PANEL = 88.0
_SPAN = 8.0  # values that differ by more than this factor are drawn on a logarithmic axis
_TICKS = 9


def chart(curve: Curve) -> Chart:
    """Draw a curve.

    Raises:
        MissingDependency: matplotlib is not installed.
        InvalidEvaluation: the curve has no point, or not the chosen one.
    """
    chosen = curve.chosen_point
    at = curve.points.index(chosen)
    places = [float(point.value) if curve.numeric else float(n) for n, point in enumerate(curve.points)]
    compared = all(point.agreement is not None for point in curve.points)
    panels = len(curve.measures) + compared + 1
    with style():
        figure = blank(WIDTH, 34 + _PANEL * panels)
        figure.patch.set_facecolor(GROUND)  # an SVG by itself may stand on a dark page
        axes = [figure.add_subplot(panels, 1, row + 1) for row in range(panels)]
        for name, panel, colour in zip(
            curve.measures, axes, (SERIES[0], SERIES[2], *SERIES[4:], SERIES[0]), strict=False
        ):
            means = [point.quality[name] for point in curve.points]
            for place, point in zip(places, curve.points, strict=True):
                low, high = point.differences.get(name, (0.0, 0.0))
                ends = [chosen.quality[name] + low, chosen.quality[name] + high]
                panel.plot([place] * 2, ends, color=colour, linewidth=1, alpha=0.55, solid_capstyle="butt")
            _line(panel, curve, places, means, at, colour, f"{means[at]:.4f}")
            _entitle(panel, name)
        if compared:
            shares = [point.agreement or 0.0 for point in curve.points]
            panel = axes[len(curve.measures)]
            _line(panel, curve, places, shares, at, SERIES[3], f"{shares[at]:.4f}")
            _entitle(panel, f"first ten in common with {curve.against}")
        _latency(axes[-1], curve, places, at)
        for row, panel in enumerate(axes):
            panel.axvline(places[at], color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)), zorder=0)
            panel.grid(axis="y")
            panel.locator_params(axis="y", nbins=4)
            if row < panels - 1:
                panel.margins(y=0.18)
            _scale(panel, curve, places, at, last=row == panels - 1)
        axes[-1].set_xlabel(f"{curve.parameter}; marked: {_text(chosen.value)}, {curve.rule}")
    title = f"{curve.parameter} on {curve.collection}"
    return Chart(re.sub(r"[^a-z0-9]+", "-", f"curve-{title}".lower()).strip("-"), title, _said(curve), figure)


def _line(
    axes: Axes,
    curve: Curve,
    places: Sequence[float],
    values: Sequence[float],
    at: int,
    colour: str,
    label: str,
) -> None:
    """Draw the points, joined where the values of the setting are numbers; the chosen one filled and labelled."""
    if curve.numeric:
        axes.plot(places, values, color=colour, linewidth=1.3)
    axes.plot(places, values, "o", markersize=4, markerfacecolor=GROUND, markeredgecolor=colour)
    axes.plot([places[at]], [values[at]], "o", markersize=6.5, color=colour)
    right = at < len(places) - 1 or len(places) == 1
    axes.annotate(
        label,
        (places[at], values[at]),
        (5 if right else -5, -7),
        textcoords="offset points",
        ha="left" if right else "right",
        va="top",
        fontsize=8,
        color=INK,
        bbox={"facecolor": GROUND, "edgecolor": "none", "alpha": 0.75, "pad": 0.4},
    )


def _latency(axes: Axes, curve: Curve, places: Sequence[float], at: int) -> None:
    for name, values, line in (
        ("p95", [point.p95 for point in curve.points], (0, (4, 2))),
        ("p50", [point.p50 for point in curve.points], "-"),
    ):
        if curve.numeric:
            axes.plot(places, values, color=SERIES[1], linewidth=1.3, linestyle=line)
        marker = "o" if name == "p50" else "s"
        axes.plot(places, values, marker, markersize=4, markerfacecolor=GROUND, markeredgecolor=SERIES[1])
        axes.plot([places[at]], [values[at]], marker, markersize=6, color=SERIES[1])
        axes.annotate(
            name,
            (places[-1], values[-1]),
            (7, 0),
            textcoords="offset points",
            ha="left",
            va="center",
            fontsize=8,
            color=INK,
            annotation_clip=False,
        )
    axes.set_ylim(0, 1.15 * max((point.p95 for point in curve.points), default=1.0))
    _entitle(axes, "latency of a search, ms")


def _entitle(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", color=INK, pad=3)


def _scale(axes: Axes, curve: Curve, places: Sequence[float], at: int, *, last: bool) -> None:
    """Give the axis of the setting its scale; the ticks are the values measured."""
    from matplotlib.ticker import NullFormatter, NullLocator

    labels = [_text(point.value) for point in curve.points]
    if curve.numeric and min(places) > 0 and max(places) > _SPAN * min(places):
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    elif not curve.numeric:
        axes.set_xlim(-0.6, len(places) - 0.4)
    step = max(1, -(-len(places) // _TICKS))
    shown = [n for n in range(len(places)) if (n - at) % step == 0]
    axes.set_xticks([places[n] for n in shown], [labels[n] for n in shown])
    if not last:
        axes.xaxis.set_major_formatter(NullFormatter())
        axes.tick_params(axis="x", length=0)
        axes.spines["bottom"].set_visible(False)


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _said(curve: Curve) -> str:
    """Return the curve in words, for those who do not see it."""
    parts = []
    for point in curve.points:
        figures = [f"{name} {mean:.4f}" for name, mean in point.quality.items()]
        if point.agreement is not None:
            figures.append(f"agreement {point.agreement:.4f}")
        parts.append(f"{_text(point.value)}: {', '.join([*figures, f'median {point.p50:.1f} ms'])}")
    return f"Chosen: {_text(curve.chosen)}, {curve.rule}. {'; '.join(parts)}."
