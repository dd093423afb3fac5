"""axe-core on a page: what it finds that somebody could not read, reach or understand."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = (
    "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']}).then(found => found.violations)"
)


@cache
def _source() -> str:
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


def violations(page: Page) -> list[str]:
    """Return what axe-core finds, a line each; it comes by the debugger's way, which no policy of the page concerns."""
    page.evaluate(_source())
    return [line for found in page.evaluate(_RUN, TAGS) for line in _lines(found)]


def _lines(found: dict[str, Any]) -> list[str]:
    return [
        f"{found['impact']} {found['id']}: {found['help']}: {node['html'][:200]} "
        f"({' '.join(str(node.get('failureSummary', '')).split())[:300]})"
        for node in found["nodes"]
    ]
