"""How a rebuild shows on a terminal while it goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from quire.progress import REDRAW, REPORT, duration, plural

if TYPE_CHECKING:
    from indexer.elastic.rebuilding.rebuild import RebuildReport


@dataclass(slots=True)
class RebuildLine:
    """Shows a `RebuildReport` while it grows: a line that is redrawn on a terminal, a line now and then elsewhere.

    Args:
        quiet: Show nothing.
        stream: Where to; by default standard error.
        clock: Gives seconds.
    """

    quiet: bool = False
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    clock: Callable[[], float] = time.monotonic
    _shown: float = 0.0
    _phase: str = ""
    _drawn: bool = False

    def __call__(self, report: RebuildReport) -> None:
        """Show the report if it is time to."""
        now, terminal = self.clock(), self.stream.isatty()
        new = report.phase != self._phase
        if self.quiet or (not new and now - self._shown < (REDRAW if terminal else REPORT)):
            return
        self._shown, self._phase = now, report.phase
        line = describe(report)
        self.stream.write("\r\x1b[2K" + line if terminal else line + "\n")
        self._drawn = terminal
        self.stream.flush()

    def clear(self) -> None:
        """Take the line away, so that something else can be written."""
        if self._drawn:
            self.stream.write("\r\x1b[2K")
            self.stream.flush()
            self._drawn = False


def describe(report: RebuildReport) -> str:
    """Return one line on how far a rebuild is."""
    parts = [f"generation {report.new}: {report.phase}"]
    if report.phase == "copying" and report.passes <= 1:
        parts.append(f"{report.documents:,} of {plural(report.total, 'document')}")
        if report.resumed and not report.documents:
            parts.append("looking for what an earlier rebuild has left to do")
        elif 0 < report.documents < report.total and not report.resumed:
            left = report.seconds * (report.total - report.documents) / report.documents
            parts.append(f"about {duration(left)} left")
    elif report.passes:
        parts.append(f"pass {report.passes}, {plural(report.documents, 'document')} copied")
    return ", ".join(parts)
