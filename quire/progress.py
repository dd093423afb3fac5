"""How far indexing has come: one line that is redrawn on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from quire.terminal import Screen, cells, cut, harmless

if TYPE_CHECKING:
    from indexer import Document, IndexingReport, ReadFailure

REDRAW = 0.2  # seconds between redrawings of the line on a terminal
REPORT = 10.0  # seconds between lines elsewhere
WARM = 3.0  # seconds before a guess at the time left is worth showing


def total_bytes(sources: Iterable[Path]) -> int:
    """Return how many bytes of files there are in the sources: a bound for guessing the time left."""
    total = 0
    for source in sources:
        if source.is_dir():
            total += sum(path.stat().st_size for path in source.rglob("*") if path.is_file())
        elif source.is_file():
            total += source.stat().st_size
    return total


def duration(seconds: float) -> str:
    """Return a time span as people say it: 8 s, 2 min 5 s, 3 h 20 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def plural(count: int, noun: str) -> str:
    """Return `1 document`, `2,000 documents`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


@dataclass(slots=True)
class ProgressLine:
    """Shows an `IndexingReport` while it grows. Call it with the report; `close` when done.

    Args:
        bytes_in_all: How much there is to read, for the time left; 0 when unknown.
        stream: Where to; by default standard error.
        clock: Gives seconds.
    """

    bytes_in_all: int = 0
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    clock: Callable[[], float] = time.monotonic
    bytes_read: int = 0
    _started: float = 0.0
    _shown: float = 0.0
    _drawn: bool = False
    _last: str = ""

    def __post_init__(self) -> None:
        self._started = self._shown = self.clock()

    def watch(self, items: Iterable[Document | ReadFailure]) -> Iterator[Document | ReadFailure]:
        """Yield the items, counting the bytes that they came from."""
        last = ""
        for item in items:
            text = getattr(item, "text", "")
            source = item.source
            if source and source != last and Path(source).is_file():
                self.bytes_read += Path(source).stat().st_size
            elif source and source != last:  # a record: the file's size is not its own
                self.bytes_read += len(text.encode())
            last = source
            self._last = source
            yield item

    def __call__(self, report: IndexingReport) -> None:
        """Show the report if it is time to."""
        now = self.clock()
        terminal = self.stream.isatty()
        if now - self._shown < (REDRAW if terminal else REPORT):
            return
        self._shown = now
        line = self.line(report)
        if terminal:
            screen = Screen.of(self.stream)
            place = screen.width - 1 - cells(line) - 2
            if self._last and place > 12:
                line += "  " + screen.style(cut(harmless(self._last.rpartition("/")[2]), place), "dim")
            self.stream.write("\r\x1b[2K" + line)
            self._drawn = True
        else:
            self.stream.write(line + "\n")
        self.stream.flush()

    def line(self, report: IndexingReport) -> str:
        """Return what there is to say: documents, passages, rate, time left."""
        elapsed = self.clock() - self._started
        parts = [plural(report.seen, "document")]
        if report.encoded:
            parts.append(f"{plural(report.encoded, 'passage')} encoded")
            parts.append(f"{report.encoded / max(elapsed, 1e-9):.0f}/s")
        left = self.seconds_left(elapsed)
        if left is not None:
            parts.append(f"about {duration(left)} left")
        return ", ".join(parts)

    def seconds_left(self, elapsed: float) -> float | None:
        """Return a guess at the time left, by the bytes read so far; None when there is nothing to go by."""
        if elapsed < WARM or not 0 < self.bytes_read < self.bytes_in_all:
            return None
        return elapsed * (self.bytes_in_all - self.bytes_read) / self.bytes_read

    def clear(self) -> None:
        """Take the line away, so that something else can be written."""
        if self._drawn:
            self.stream.write("\r\x1b[2K")
            self.stream.flush()
            self._drawn = False
