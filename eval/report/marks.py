"""How a system looks in every figure: its mark, its colour, its name on one line."""

from __future__ import annotations

from typing import Any

from eval.report.figure import INK, MARKERS, SERIES

_LABEL = 26


def look(position: int) -> dict[str, Any]:
    """Return marker and colour of the system at a place of the experiment; the baseline is a hollow circle, at 0."""
    if position == 0:
        return {"marker": "o", "markerfacecolor": "none", "markeredgecolor": INK, "color": INK}
    colour = SERIES[(position - 1) % len(SERIES)]
    # Past the sixth system the shapes go on while the colours begin again, so that no pair comes twice before 30.
    shift = (position - 1) // len(SERIES)
    marker = MARKERS[(position - 1 + shift) % len(MARKERS)]
    return {"marker": marker, "markerfacecolor": colour, "markeredgecolor": colour, "color": colour}


def shortened(name: str, most: int = _LABEL) -> str:
    """Return a name on one line, cut to so many characters with an ellipsis."""
    line = " ".join(name.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
