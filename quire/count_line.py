"""How many of something there are so far, where nobody knows how many there will be: one line on a terminal."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager
from types import TracebackType

from quire.progress import REDRAW, plural


class CountLine(AbstractContextManager["CountLine"]):
    """Call it with the count; the line goes at the end. Elsewhere than on a terminal nothing is shown.

    Args:
        noun: What is counted, in the singular.
        quiet: Show nothing.
    """

    def __init__(self, noun: str, *, quiet: bool = False) -> None:
        self._noun = noun
        self._stream = sys.stderr
        self._quiet = quiet
        self._started = time.monotonic()
        self._shown = 0.0
        self._drawn = False

    def __call__(self, count: int) -> None:
        """Show the count if it is time to."""
        now = time.monotonic()
        if self._quiet or now - self._shown < REDRAW or not self._stream.isatty():
            return
        self._shown, self._drawn = now, True
        rate = count / max(now - self._started, 1e-3)
        self._stream.write(f"\r\x1b[2K{plural(count, self._noun)}, {rate:,.0f}/s")
        self._stream.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()
