"""A run to look at: report.html, which is one file, and curves.png."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Mapping, Sequence
from html import escape
from importlib.util import find_spec
from typing import Any

from reranker.training.measure import Change
from reranker.training.outcome import TrainingOutcome
from reranker.training.run_folder import DATA, RunFolder
from reranker.training.settings import TrainingSettings

HTML, CURVES = "report.html", "curves.png"
_NDCG = "ndcg@10"
_LOG = logging.getLogger(__name__)
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; margin: 1rem 0 } td, th { padding: .25rem .75rem; border-bottom: 1px solid #ddd }
td { font-variant-numeric: tabular-nums } td + td, th + th { text-align: right } img { max-width: 100% }
"""


def write_report(folder: RunFolder, settings: TrainingSettings, outcome: TrainingOutcome) -> None:
    """Write report.html, and curves.png where matplotlib is installed; without it, both the log and the page say so."""
    (folder.path / HTML).write_text(_page(settings, outcome, folder, curves_shown(folder)), encoding="utf-8")


def curves_shown(folder: RunFolder) -> str:
    """Write curves.png where matplotlib is installed, and return HTML that shows it, or says why there is none."""
    picture = curves(folder.metrics())
    if picture:
        (folder.path / CURVES).write_bytes(picture)
        image = base64.b64encode(picture).decode("ascii")
        return f'<img alt="Loss, and nDCG@10 on the development queries, by step" src="data:image/png;base64,{image}">'
    message = "curves are not drawn: that needs matplotlib (pip install 'quire-search[eval]')"
    _LOG.warning("%s: %s", folder.path, message)
    return f"<p>{escape(message[0].upper() + message[1:])}. The figures are in metrics.jsonl.</p>"


def curves(metrics: Sequence[Mapping[str, Any]]) -> bytes | None:
    """Return a PNG of the loss and of the development measure by step; None where matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        return None
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.5), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 2)
    for panel, name, title in zip(
        panels, ("loss", _NDCG), ("Loss", "nDCG@10, development queries"), strict=True
    ):
        points = [(line["step"], line[name]) for line in metrics if line.get(name) is not None]
        panel.plot(
            [step for step, _ in points],
            [value for _, value in points],
            marker="." if len(points) < 50 else "",
        )
        panel.set_title(title)
        panel.set_xlabel("step")
        panel.grid(alpha=0.3)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=120)
    return out.getvalue()


def _page(settings: TrainingSettings, outcome: TrainingOutcome, folder: RunFolder, curves_html: str) -> str:
    ended = "stopped early: no better measurement came" if outcome.stopped_early else "to its end"
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>Training run {escape(folder.path.name)}</title><style>{STYLE}</style>",
        f"<h1>Training run {escape(folder.path.name)}</h1>",
        f"<p>{outcome.steps} steps in {outcome.seconds:,.0f} s, {ended}; saved are the weights after step "
        f"{outcome.kept_step}, in {escape(str(outcome.model.name))}/.</p>",
        "<h2>Before and after</h2>",
        changes_table("before", outcome.changes) or "<p>There are no development queries.</p>",
        "<h2>First stage and after</h2>" + changes_table("first stage", outcome.over_prior)
        if outcome.over_prior
        else "",
        "<p>nDCG@10 over the passages of each development query; p is of a paired randomisation test, two-sided.</p>",
        f"<h2>Curves</h2>{curves_html}",
        f"<h2>Settings</h2>{pairs_table(settings.to_json())}",
        f"<p>The data are described in {DATA}.</p></html>",
    ]
    return "\n".join(part for part in parts if part)


def changes_table(before: str, changes: Mapping[str, Change], counted: str = "queries") -> str:
    """Return a table of changes, in HTML; empty where there are none."""
    if not changes:
        return ""
    head = "".join(f"<th>{name}</th>" for name in ("", counted, before, "after", "difference", "p"))
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{one.queries}</td><td>{one.before:.4f}</td><td>{one.after:.4f}</td>"
        f"<td>{one.difference:+.4f}</td><td>{one.p:.4f}</td></tr>"
        for name, one in changes.items()
    )
    return f"<table><tr>{head}</tr>{rows}</table>"


def pairs_table(values: Mapping[str, Any]) -> str:
    """Return a table of names and values, in HTML."""
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(str(value))}</td></tr>" for name, value in values.items()
    )
    return f"<table>{rows}</table>"
