"""How far something of several steps has come: one line on a terminal, redrawn; nothing elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager
from types import TracebackType

from quire.progress import REDRAW
from quire.terminal import Screen, cut, harmless


class StepLine(AbstractContextManager["StepLine"]):
    """Call it with what is being done, how much of it is done, and how much there is; the line goes at the end."""

    def __init__(self) -> None:
        self._stream = sys.stderr
        self._shown = 0.0
        self._drawn = False

    def __call__(self, doing: str, done: int, total: int) -> None:
        """Show where it is, if it is time to."""
        now = time.monotonic()
        if now - self._shown < REDRAW or not self._stream.isatty():
            return
        self._shown, self._drawn = now, True
        screen = Screen.of(self._stream)
        line = cut(harmless(f"{doing}: {done:,} of {total:,}"), screen.width - 1)
        self._stream.write("\r\x1b[2K" + line)
        self._stream.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()
