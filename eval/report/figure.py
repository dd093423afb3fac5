"""How every figure of a report looks, and how it becomes an SVG that follows the page, or a file of its own.

Figures are drawn by matplotlib with a style of their own, whatever the reader's matplotlibrc says. The same values give
the same bytes: no dates, no random ids. In a page the colours become CSS variables, so that one drawing is readable in
light and in dark.
"""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from eval.errors import InvalidEvaluation, MissingDependency

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, MUTED, RULE, GROUND = "#1b1f24", "#56606b", "#d5dae0", "#ffffff"
SERIES = ("#0072b2", "#d55e00", "#00835f", "#ad5089", "#866500", "#5a4fcf")
"""Told apart with every common colour blindness; each is at least 3 : 1 against the ground, also its dark twin."""

WIDTH = 310.0
"""Points. Small, so that text is still readable where a page shows it on a phone."""

LIGHT = {"ink": INK, "muted": MUTED, "rule": RULE, "ground": GROUND} | {
    f"s{at}": colour for at, colour in enumerate(SERIES, 1)
}
DARK = {"ink": "#e8eaed", "muted": "#a9b2bc", "rule": "#3a424c", "ground": "#14171a"} | {
    "s1": "#56b4e9",
    "s2": "#f58b4c",
    "s3": "#2fc39a",
    "s4": "#e08fc0",
    "s5": "#d9b036",
    "s6": "#a79bff",
}
MARKERS = ("o", "s", "^", "D", "v", "P")

FONT = "DejaVu Sans"
"""Comes with matplotlib, so that texts are as wide on every machine."""

_STYLE: dict[str, object] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "quire",
    "text.parse_math": False,
    "font.family": FONT,
    "font.size": 9.5,
    "axes.labelsize": 9.5,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.size": 0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}
_PREAMBLE = re.compile(
    r"^.*?(?=<svg )|<metadata>.*?</metadata>|<style\b.*?</style>|<!--.*?-->|<g/>", re.DOTALL
)
_NAMESPACES = re.compile(r'\s(?:xmlns(?::\w+)?|version)="[^"]*"')
_SIZE = re.compile(r'(<svg\b[^>]*?) width="[^"]*" height="[^"]*"|(<svg\b[^>]*?) height="[^"]*"')
_ID = re.compile(r'\sid="([^"]*)"')
_REFERENCE = re.compile(r'(url\(#|href="#)([^")]+)')
_PATH = re.compile(r'\sd="([^"]*)"')
_DECIMALS = re.compile(r"(\d+\.\d\d)\d+")
_FONT = re.compile(r"font: (\d[\d.]*px) [^;\"]*")
_FAMILY = re.compile(r" ?font-family: [^;\"]*;?")
_TAG = re.compile(r"<[^>]*>")
_GAPS = re.compile(r">\s+<")
_COLOURS = {colour: f"var(--{name})" for name, colour in LIGHT.items()}
_COLOUR = re.compile("|".join(_COLOURS))


_CHINESE = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "Microsoft YaHei",
    "PingFang SC",
)


@contextmanager
def style() -> Iterator[None]:
    """Draw in the report's style. Everything that draws or saves a figure happens in here.

    Raises:
        MissingDependency: matplotlib is not installed.
    """
    try:
        import matplotlib.style
    except ImportError as error:
        raise MissingDependency("matplotlib", "drawing figures") from error
    with (
        matplotlib.style.context(_STYLE, after_reset=True),
        warnings.catch_warnings(),
    ):
        # Text stays text, and the browser has the glyphs that matplotlib's own font lacks (Chinese names).
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font")
        yield


def blank(width: float, height: float) -> Figure:
    """Return an empty figure of so many points; nothing global knows of it, so nothing needs closing."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width / 72, height / 72), dpi=72, layout="constrained")


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure with its words.

    Args:
        name: Short, of a-z, 0-9 and hyphens; unique in a page: ids and file names are made of it.
        title: What is shown, in a line.
        description: What it says, for those who do not see it.
        figure: The drawing.
    """

    name: str
    title: str
    description: str
    figure: Figure

    def svg(self) -> str:
        """Return an SVG file, in the light colours."""
        return _described(self._drawn(), self)

    def inline(self) -> str:
        """Return the SVG as an element of an HTML page, in the page's colours: the CSS variables of `LIGHT`."""
        drawing = _PREAMBLE.sub("", self._drawn())
        start = drawing.index(">") + 1
        head = _SIZE.sub(r"\1\2", _NAMESPACES.sub("", drawing[:start]))
        body = drawing[start:].replace("xlink:href", "href")
        used = {found[1] for found in _REFERENCE.findall(body)}
        body = _ID.sub(lambda found: f' id="{self.name}-{found[1]}"' if found[1] in used else "", body)
        body = _REFERENCE.sub(rf"\g<1>{self.name}-\g<2>", body)
        body = _PATH.sub(lambda found: f' d="{_compact(found[1])}"', body)
        body = _TAG.sub(lambda tag: _in_page(tag[0]), body)
        return _described(head + _GAPS.sub("><", body), self)

    def png(self, dots_per_inch: float = 200) -> bytes:
        """Return the figure as PNG, on the light ground."""
        from matplotlib.font_manager import get_font_names
        from matplotlib.text import Text

        installed = set(get_font_names())
        families = [FONT, *(name for name in _CHINESE if name in installed)]
        out = io.BytesIO()
        texts = cast("list[Text]", self.figure.findobj(Text))
        try:
            # Only here: where names stand in an SVG must not depend on the fonts of the machine.
            for text in texts:
                text.set_fontfamily(families)
            with style():
                self.figure.savefig(
                    out, format="png", dpi=dots_per_inch, facecolor=GROUND, metadata={"Software": None}
                )
        finally:
            for text in texts:
                text.set_fontfamily(FONT)
        return out.getvalue()

    def save(self, path: str | Path) -> None:
        """Write the figure to a file; its suffix, .svg or .png, decides.

        Raises:
            InvalidEvaluation: the suffix is another.
        """
        path = Path(path)
        if path.suffix == ".svg":
            path.write_text(self.svg(), "utf-8")
        elif path.suffix == ".png":
            path.write_bytes(self.png())
        else:
            raise InvalidEvaluation(f"{path}: figures are written as .svg or .png, not as {path.suffix!r}")

    def _drawn(self) -> str:
        from matplotlib.backends.backend_svg import FigureCanvasSVG

        out = io.StringIO()
        canvas: Any = FigureCanvasSVG(self.figure)
        with style():
            canvas.print_svg(out, metadata={"Date": None, "Creator": None})  # `savefig` would draw it twice
        return out.getvalue()


def _described(drawing: str, chart: Chart) -> str:
    """Return the SVG with a title and a description, which screen readers read and browsers show."""
    start = drawing.index(">", drawing.index("<svg ")) + 1
    words = (
        f'<title id="{chart.name}-title">{html.escape(chart.title)}</title>'
        f'<desc id="{chart.name}-desc">{html.escape(chart.description)}</desc>'
    )
    role = f' role="img" aria-labelledby="{chart.name}-title {chart.name}-desc">'
    return drawing[: start - 1] + role + words + drawing[start:]


def _compact(path: str) -> str:
    """Return a path's data with two decimals, a hundredth of a point, and without line breaks."""
    return " ".join(_DECIMALS.sub(r"\1", path).split())


def _in_page(tag: str) -> str:
    """Return a tag in the page's colours and font."""
    return _COLOUR.sub(lambda found: _COLOURS[found[0]], _FAMILY.sub("", _FONT.sub(r"font-size: \1", tag)))
