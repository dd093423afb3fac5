"""How far training has come: one line that is redrawn on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from quire.progress import REDRAW, REPORT, WARM, duration
from quire.terminal import Screen, cut, harmless
from quire.training.events import Doing, Noted

if TYPE_CHECKING:
    from reranker.training import Progressed


@dataclass(slots=True)
class TrainingLine:
    """Shows what a run tells. Call it with each event; `clear` before writing something else.

    Measurements on development queries stay on the screen, and so do notes; warnings also where it is quiet.

    Args:
        quiet: Show nothing but warnings.
        stream: Where to; by default standard error.
        clock: Gives seconds.
    """

    quiet: bool = False
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    clock: Callable[[], float] = time.monotonic
    _what: str = ""
    _began: float = 0.0
    _first: int = 0
    _shown: float = -math.inf
    _drawn: bool = False

    def __call__(self, event: Doing | Noted | Progressed) -> None:
        """Show an event if it is time to."""
        if isinstance(event, Noted):
            if event.warning or not self.quiet:
                self._keep(f"{'warning: ' if event.warning else ''}{event.text}")
            return
        if self.quiet:
            return
        if isinstance(event, Doing):
            self._draw(self.line(event))
        elif event.ndcg is not None:
            self._keep(
                f"step {event.step:,} of {event.steps:,}: nDCG@10 {event.ndcg:.4f} on the development queries"
            )
        else:
            self._draw(self.step_line(event))

    def line(self, event: Doing) -> str:
        """Return what there is to say of a step before training: how much of it is done, rate, time left."""
        self._start(event.what, event.done)
        text = event.what + (f" {event.done:,}" if event.done else "")
        if event.total:
            text += f" of {event.total:,}"
        return text + self._pace(event.done, event.total)

    def step_line(self, event: Progressed) -> str:
        """Return what there is to say of a step of training."""
        self._start("training", event.step)
        parts = [f"step {event.step:,} of {event.steps:,}"]
        if event.loss is not None:
            parts.append(f"loss {event.loss:.4f}")
        if event.pairs_per_second:
            parts.append(f"{event.pairs_per_second:,.0f} pairs/s")
        return ", ".join(parts) + self._left(event.step, event.steps)

    def clear(self) -> None:
        """Take the line away, so that something else can be written."""
        if self._drawn:
            self.stream.write("\r\x1b[2K")
            self.stream.flush()
            self._drawn = False

    def _start(self, what: str, done: int) -> None:
        if what != self._what:
            self._what, self._began, self._first = what, self.clock(), done
            self._shown = -math.inf  # what is new is shown at once

    def _pace(self, done: int, total: int) -> str:
        elapsed = self.clock() - self._began
        if elapsed < WARM or done <= self._first:
            return ""
        rate = (done - self._first) / elapsed
        shown = f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"
        return f", {shown}{self._left(done, total)}"

    def _left(self, done: int, total: int) -> str:
        """Return the time left, by what was done since this began: a run that is resumed began elsewhere."""
        elapsed = self.clock() - self._began
        if elapsed < WARM or not self._first < done < total:
            return ""
        return f", about {duration(elapsed * (total - done) / (done - self._first))} left"

    def _draw(self, line: str) -> None:
        now, terminal = self.clock(), self.stream.isatty()
        if now - self._shown < (REDRAW if terminal else REPORT):
            return
        self._shown = now
        if terminal:
            self.stream.write("\r\x1b[2K" + cut(harmless(line), Screen.of(self.stream).width - 1))
            self._drawn = True
        else:
            self.stream.write(harmless(line) + "\n")
        self.stream.flush()

    def _keep(self, text: str) -> None:
        self.clear()
        self.stream.write(harmless(text) + "\n")
        self.stream.flush()
