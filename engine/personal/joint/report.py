"""A run to look at: report.html, which is one file."""

from __future__ import annotations

from html import escape

from engine.personal.joint.outcome import JointOutcome
from engine.personal.joint.settings import JointSettings
from reranker.training.report import HTML, STYLE, changes_table, curves_shown, pairs_table
from reranker.training.run_folder import DATA, RunFolder


def write_report(folder: RunFolder, settings: JointSettings, outcome: JointOutcome) -> None:
    """Write report.html, and curves.png where matplotlib is installed; without it, both the log and the page say so."""
    name = escape(folder.path.name)
    ended = "stopped early: no better measurement came" if outcome.stopped_early else "to its end"
    tables = [
        f"<h3>{escape(measure)}</h3>{changes_table('before', changes, 'readers')}"
        for measure, changes in outcome.changes.items()
    ]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>An encoder fitted to readers: {name}</title><style>{STYLE}</style>",
        f"<h1>An encoder fitted to readers: {name}</h1><p><strong>{escape(outcome.said)}</strong></p>",
        f"<p>{outcome.steps} steps in {outcome.seconds:,.0f} s, {ended}; saved are the weights after step "
        f"{outcome.kept_step}, in {escape(outcome.model.name)}/. A history counts {outcome.weight:.3f} times what a "
        f"query does; with the encoder as it was, {outcome.weight_before:.3f} is best.</p>",
        "<h2>Before and after</h2>",
        *tables,
        "<p>Means over readers who were not learnt from, of the lists that they were shown; before is the encoder as "
        "it was, with the weight of histories that suits it best; p is of a paired randomisation test over readers, "
        f"two-sided. Documents' vectors have a mean cosine of {outcome.kept:.4f} with those before.</p>"
        if tables
        else "<p>There were no readers to measure on.</p>",
        f"<h2>Curves</h2>{curves_shown(folder)}",
        f"<h2>Settings</h2>{pairs_table(settings.to_json())}",
        f"<p>The data are described in {DATA}.</p></html>",
    ]
    (folder.path / HTML).write_text("\n".join(parts), encoding="utf-8")
