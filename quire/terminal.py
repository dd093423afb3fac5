"""What a terminal needs of text: its width in cells, lines that fit, colours where they are wanted, no surprises.

Text from documents goes through `harmless` first, so that an escape sequence in a file cannot reach the terminal.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO, TypeAlias

Run: TypeAlias = tuple[str, bool]
"""A piece of text, and whether it is highlighted."""

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}
_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_UNREAD = re.compile("[\udc80-\udcff]")
_PIECES = re.compile(r"\s+|[^\s]+")
HIGHLIGHT = ("«", "»")


def typed(word: str) -> str:
    """Return an argument as it was typed: UTF-8, also where the locale's encoding could not read it."""
    if word.isascii():
        return word
    return os.fsencode(word).decode("utf-8", "replace") if _UNREAD.search(word) else word


def harmless(text: str) -> str:
    """Return text without control characters and without marks that turn the direction of what follows."""
    return _HARMFUL.sub("", text)


def cells(text: str) -> int:
    """Return how many columns of a terminal the text takes: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(_cell(character) for character in text)


def _cell(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, width: int) -> str:
    """Return the text, cut to `width` cells with an ellipsis when it is longer."""
    if cells(text) <= width:
        return text
    out = ""
    room = width - 1
    for character in text:
        room -= _cell(character)
        if room < 0:
            break
        out += character
    return out.rstrip() + "…"


@dataclass(frozen=True, slots=True)
class Screen:
    """Where output goes: how wide it is, and whether it shows colours."""

    width: int = 80
    colours: bool = False

    @classmethod
    def of(cls, stream: TextIO | None = None) -> Screen:
        """Return what is known of a stream: colours on a terminal only, and never with NO_COLOR or TERM=dumb."""
        stream = stream or sys.stdout
        colours = stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        columns = shutil.get_terminal_size((100, 24)).columns
        return cls(max(30, min(columns, 120)), colours)

    def style(self, text: str, *styles: str) -> str:
        """Return the text in these styles, or as it is on a screen without colours."""
        if not self.colours or not styles or not text:
            return text
        return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m"

    def wrap(self, runs: Iterable[Run], indent: str = "", first: str | None = None) -> Iterator[str]:
        """Yield lines that fit the width; broken at spaces, and between wide characters, which have none.

        Args:
            runs: The text in pieces, line breaks counting as spaces; highlighted pieces are shown in bold, or
                between « and » on a screen without colours.
            indent: What every line begins with.
            first: What the first line begins with instead.
        """
        line, room, gap = "", self.width - cells(indent), False
        start = indent if first is None else first
        if first is not None:
            room = self.width - cells(first)
        for piece, highlighted in self._pieces(runs):
            if not piece.strip():
                gap = bool(line)
                continue
            size = cells(piece) + gap
            if size > room and line:
                yield start + line
                start, line, room, gap = indent, "", self.width - cells(indent), False
                size = cells(piece)
            line += (" " if gap else "") + (self.style(piece, "bold", "yellow") if highlighted else piece)
            room, gap = room - size, False
        if line:
            yield start + line

    def _pieces(self, runs: Iterable[Run]) -> Iterator[Run]:
        """Yield words and spaces; wide characters, and what is too long for any line, in pieces of their own."""
        longest = max(8, self.width - 12)
        for text, highlighted in runs:
            if highlighted and not self.colours:
                text = HIGHLIGHT[0] + text + HIGHLIGHT[1]
            for piece in _PIECES.findall(harmless(text)):
                if piece.isascii() and len(piece) <= longest:
                    yield piece, highlighted
                else:
                    yield from ((part, highlighted) for part in _parts(piece, longest))


def _parts(word: str, longest: int) -> Iterator[str]:
    part, size = "", 0
    for character in word:
        width = _cell(character)
        # Between two wide characters a line may end, but not before a closing mark or after an opening one.
        breaks = width == 2 and unicodedata.category(character) not in ("Po", "Pe", "Pf") and part
        if part and (
            size + width > longest or (breaks and unicodedata.category(part[-1]) not in ("Ps", "Pi"))
        ):
            yield part
            part, size = "", 0
        part, size = part + character, size + width
    if part:
        yield part


def runs_of(text: str, start: int, highlights: Sequence[tuple[int, int]]) -> list[Run]:
    """Return a text as runs, given where it starts in its source and its highlights as offsets into the source."""
    runs: list[Run] = []
    at = 0
    for begin, end in highlights:
        begin, end = max(at, begin - start), min(len(text), end - start)
        if begin >= end:
            continue
        if begin > at:
            runs.append((text[at:begin], False))
        runs.append((text[begin:end], True))
        at = end
    if at < len(text):
        runs.append((text[at:], False))
    return runs
