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
        start = indent if first is None else first
        line, room = "", self.width - cells(start)
        for atom, spaced in self._atoms(runs):
            size = sum(cells(text) for text, _ in atom)
            gap = 1 if spaced and line else 0
            if size + gap > room and line:
                yield start + line
                start, line, room, gap = indent, "", self.width - cells(indent), 0
            line += " " * gap + "".join(
                self.style(text, "bold", "yellow") if highlighted else text for text, highlighted in atom
            )
            room -= size + gap
        if line:
            yield start + line

    def _atoms(self, runs: Iterable[Run]) -> Iterator[tuple[list[Run], bool]]:
        """Yield what no line break may divide, each with whether a space stands before it.

        A word of which a part is highlighted is one atom of several runs, unless it is longer than a line.
        """
        atom: list[Run] = []
        spaced = before = False
        longest = max(8, self.width - 12)
        for piece, highlighted in self._pieces(runs):
            blank = not piece.strip()
            # Wide characters stand by themselves; so does what makes an atom too long.
            whole = sum(cells(text) for text, _ in atom) + cells(piece) > longest
            divides = blank or whole or (bool(atom) and _divides(atom[-1][0][-1], piece[0]))
            if atom and divides:
                yield atom, before
                atom, before, spaced = [], False, False
            if blank:
                spaced = True
            else:
                before = before or (spaced and not atom)
                atom.append((piece, highlighted))
        if atom:
            yield atom, before

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
    """Yield a word in parts between which a line may end."""
    part, size = "", 0
    for character in word:
        width = _cell(character)
        if part and (size + width > longest or _divides(part[-1], character)):
            yield part
            part, size = "", 0
        part, size = part + character, size + width
    if part:
        yield part


def _divides(left: str, right: str) -> bool:
    """Whether a line may end between two characters that no space divides.

    It may beside a wide character, but not before a closing mark, nor after an opening one.
    """
    if left in HIGHLIGHT[0] or right in HIGHLIGHT[1] or _cell(right) == 0:
        return False
    wide = _cell(left) == 2 or _cell(right) == 2
    closing = unicodedata.category(right) in ("Po", "Pe", "Pf")
    return wide and not closing and unicodedata.category(left) not in ("Ps", "Pi")


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
