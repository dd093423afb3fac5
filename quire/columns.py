"""A table that fits the terminal: the columns that matter least go first where there is no room for all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from quire.terminal import Screen, cells, cut, harmless

GAP = 2
SHORTEST = 8  # cells that the first column keeps at least


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Args:
        header: What stands above it.
        entries: One a row; text from elsewhere may be in it.
        rank: How dispensable: the highest goes first, 0 never.
        left: Whether its text begins at the left edge; numbers end at the right one.
    """

    header: str
    entries: Sequence[str]
    rank: int = 0
    left: bool = False

    @property
    def width(self) -> int:
        """Its widest entry, in cells."""
        return max(cells(harmless(text)) for text in (self.header, *self.entries))


def table_lines(columns: Sequence[Column], screen: Screen, indent: str = "") -> Iterator[str]:
    """Yield the header and the rows of a table, no wider than the screen where that can be had.

    Columns of the highest rank are left out until the others fit; then the first is cut short.
    """
    kept = list(columns)

    def too_wide() -> int:
        return len(indent) + sum(column.width for column in kept) + GAP * (len(kept) - 1) - screen.width

    while too_wide() > 0 and any(column.rank for column in kept):
        last = max(column.rank for column in kept)
        kept = [column for column in kept if column.rank != last]
    first = max(min(kept[0].width, SHORTEST), kept[0].width - max(0, too_wide()))
    widths = [first, *(column.width for column in kept[1:])]
    yield screen.style(_line([column.header for column in kept], kept, widths, indent), "dim")
    for row in zip(*(column.entries for column in kept), strict=True):
        yield _line(row, kept, widths, indent)


def _line(texts: Sequence[str], columns: Sequence[Column], widths: Sequence[int], indent: str) -> str:
    parts = []
    for text, column, width in zip(texts, columns, widths, strict=True):
        shown = cut(harmless(text), width)
        room = " " * (width - cells(shown))
        parts.append(shown + room if column.left else room + shown)
    return (indent + (" " * GAP).join(parts)).rstrip()
