"""What did the experiment find? One page to read, and the same tables as Markdown.

- `write_report(result, path)` writes one self-contained HTML file.
- `markdown_tables(result)` returns the tables for docs.
- `charts(result)` returns the figures, each of which saves itself as SVG or PNG.

Not for: running experiments (`eval.experiment`), testing differences (`eval.comparison`).
"""

from eval.report.gather import charts
from eval.report.markdown import markdown_tables
from eval.report.page import html_report, write_report

__all__ = ["charts", "html_report", "markdown_tables", "write_report"]
