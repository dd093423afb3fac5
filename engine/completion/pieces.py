"""A text as completion compares it: words, and stretches of scripts that put no space between words.

Runs, case and width are the analyser's; accents and letter variants are left out in every language, since whoever
types may leave them out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from indexer.folding import fold_accents, fold_case_and_width
from indexer.scripts import ascii_pattern, run_pattern, script_of

_BETWEEN = re.compile(r"[._,']+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, or a stretch of unspaced text.

    Args:
        folded: As it is compared.
        start: First character in the text.
        end: One past the last.
        unspaced: Whether it is a stretch, which may be found from any character on; a word from its beginning.
    """

    folded: str
    start: int
    end: int
    unspaced: bool = False


def pieces_of(text: str) -> list[Piece]:
    """Return the pieces of a text, in order."""
    if text.isascii():
        return [
            piece
            for run in ascii_pattern().finditer(text)
            for piece in _words(run.group().lower(), run.start(), None)
        ]
    return [piece for run in run_pattern().finditer(text) for piece in _pieces_of_run(run)]


def joined(pieces: Sequence[Piece]) -> str:
    """Return pieces as one text: two texts of the same pieces are the same."""
    return " ".join(piece.folded for piece in pieces)


def spans_of(text: str, typed: Sequence[Piece], complete: bool) -> tuple[tuple[int, int], ...]:
    """Return where the pieces that were typed stand in a text, those that touch or overlap made one.

    Args:
        text: Any.
        typed: What was typed.
        complete: Whether the last of them is a whole word; otherwise words that begin with it count too.
    """
    found: list[tuple[int, int]] = []
    whole = {piece.folded for piece in typed if not piece.unspaced}
    begun = "" if complete or not typed or typed[-1].unspaced else typed[-1].folded
    stretches = {piece.folded for piece in typed if piece.unspaced}
    for piece in pieces_of(text):
        if piece.unspaced:
            for stretch in stretches:
                found += _inside(text[piece.start : piece.end], piece.start, stretch)
        elif piece.folded in whole:
            found.append((piece.start, piece.end))
        elif begun and piece.folded.startswith(begun):
            found.append((piece.start, piece.start + beginning(text[piece.start : piece.end], begun)))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)


def beginning(word: str, begun: str) -> int:
    """Return how many characters of a word were typed, whose folded form begins with `begun`."""
    for length in range(1, len(word)):
        if folded(word[:length]).startswith(begun):
            return length
    return len(word)


def folded(word: str) -> str:
    """Return a word as it is compared."""
    return fold_accents(fold_case_and_width(word)[0])


def _pieces_of_run(run: re.Match[str]) -> Iterator[Piece]:
    text, origin = fold_case_and_width(run.group())
    if origin is None and script_of(text) == "word":
        yield from _words(text, run.start(), None)
        return
    for found in run_pattern().finditer(text):  # folding may have made several of it
        if script_of(found.group()) == "word":
            yield from _words(found.group(), run.start(), origin, found.start())
        else:
            yield _located(found.group(), found.start(), run.start(), origin, True)


def _words(run: str, at: int, origin: Sequence[tuple[int, int]] | None, within: int = 0) -> Iterator[Piece]:
    start = 0
    for end, after in (*(gap.span() for gap in _BETWEEN.finditer(run)), (len(run), len(run))):
        if end > start:
            yield _located(run[start:end], within + start, at, origin, False)
        start = after


def _located(
    text: str, start: int, at: int, origin: Sequence[tuple[int, int]] | None, unspaced: bool
) -> Piece:
    end = start + len(text)
    if origin is not None:
        start, end = origin[start][0], origin[end - 1][1]
    return Piece(text if unspaced else fold_accents(text), at + start, at + end, unspaced)


def _inside(text: str, at: int, stretch: str) -> Iterator[tuple[int, int]]:
    """Yield where a stretch stands in a longer one."""
    plain, origin = fold_case_and_width(text)
    start = plain.find(stretch)
    while start >= 0:
        end = start + len(stretch)
        span = (start, end) if origin is None else (origin[start][0], origin[end - 1][1])
        yield at + span[0], at + span[1]
        start = plain.find(stretch, end)
