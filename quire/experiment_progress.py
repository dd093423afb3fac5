"""How far an experiment has come: one line that is redrawn on a terminal, a line for each finished cell elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from quire.progress import REDRAW, REPORT, WARM, duration
from quire.terminal import Screen, cut, harmless

if TYPE_CHECKING:
    from eval.experiment.runner import Stage


@dataclass(slots=True)
class ExperimentLine:
    """Shows an experiment's stages. Call it with each; `clear` before writing something else.

    Args:
        stream: Where to; by default standard error.
        clock: Gives seconds.
    """

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    clock: Callable[[], float] = time.monotonic
    _started: float = 0.0
    _shown: float = 0.0
    _cell_began: float = 0.0
    _doing_began: float = 0.0
    _now: tuple[int, str] = (0, "")
    _run: int = 0
    _run_seconds: float = 0.0
    _drawn: bool = False

    def __post_init__(self) -> None:
        self._started = self._shown = self._cell_began = self._doing_began = self.clock()

    def __call__(self, stage: Stage) -> None:
        """Show a stage if it is time to; a finished cell and a failed one always, where lines stay."""
        now = self.clock()
        if stage.cell != self._now[0]:
            self._cell_began = now
        if (stage.cell, stage.doing) != self._now:
            self._now, self._doing_began = (stage.cell, stage.doing), now
        if not stage.doing:
            self._finish(stage, now)
        elif now - self._shown >= (REDRAW if self.stream.isatty() else REPORT):
            self._shown = now
            line = self.line(stage)
            if self.stream.isatty():
                self.stream.write("\r\x1b[2K" + cut(line, Screen.of(self.stream).width - 1))
                self._drawn = True
            else:
                self.stream.write(line + "\n")
            self.stream.flush()

    def _finish(self, stage: Stage, now: float) -> None:
        took = now - self._cell_began
        if not stage.cached:
            self._run, self._run_seconds = self._run + 1, self._run_seconds + took
        if stage.failed:
            self.clear()
            self.stream.write(harmless(f"{_place(stage)} failed: {stage.failed}") + "\n")
        elif not self.stream.isatty():
            said = "was run before" if stage.cached else f"done in {duration(took)}"
            self.stream.write(harmless(f"{_place(stage)} {said}") + "\n")
        self.stream.flush()

    def line(self, stage: Stage) -> str:
        """Return what there is to say of a stage: which cell, what is being done, rate, time left."""
        parts = [stage.doing + (f" {stage.done:,}" if stage.done else "")]
        if stage.total:
            parts[0] += f" of {stage.total:,}"
        elapsed = self.clock() - self._doing_began
        if stage.done and elapsed >= WARM:
            rate = stage.done / elapsed
            parts.append(f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s")
            if stage.total > stage.done:
                parts.append(f"about {duration((stage.total - stage.done) / rate)} left")
        left = self.seconds_left(stage)
        rest = f"; all: about {duration(left)}" if left is not None else ""
        return harmless(f"{_place(stage)}: {', '.join(parts)}{rest}")

    def seconds_left(self, stage: Stage) -> float | None:
        """Return a guess at the time left for all cells, by the mean of those run; None before three of them."""
        if self._run < 3:
            return None
        mean = self._run_seconds / self._run
        return max(0.0, mean * (stage.cells - stage.cell + 1) - (self.clock() - self._cell_began))

    def clear(self) -> None:
        """Take the line away, so that something else can be written."""
        if self._drawn:
            self.stream.write("\r\x1b[2K")
            self.stream.flush()
            self._drawn = False


def _place(stage: Stage) -> str:
    what = " / ".join(filter(None, (stage.collection, stage.pipeline)))
    return f"[{stage.cell}/{stage.cells}] {what}"
