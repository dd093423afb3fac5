"""Text with marks in it, as plain pieces that a template can write without trusting any of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text.

    Args:
        text: The characters.
        word: Whether it is one of the words that were searched for.
    """

    text: str
    word: bool


@dataclass(frozen=True, slots=True)
class Run:
    """Pieces that follow each other.

    Args:
        meaning: Whether they are a sentence that answers by its meaning.
        pieces: The pieces.
    """

    meaning: bool
    pieces: tuple[Piece, ...]


def pieces(
    text: str,
    start: int,
    words: Iterable[tuple[int, int]] = (),
    meaning: Iterable[tuple[int, int]] = (),
    *,
    lines: bool = False,
) -> tuple[Run, ...]:
    """Return text in runs and pieces; together they are the text, its white space made single spaces.

    Args:
        text: The text.
        start: Where it begins, in the document that the spans count in.
        words: Spans of words that were searched for; what lies outside the text is left out.
        meaning: Spans of sentences that answer by their meaning.
        lines: Keep the text's white space as it is.
    """
    end = start + len(text)
    word_spans, meaning_spans = _inside(words, start, end), _inside(meaning, start, end)
    edges = {start, end}.union(*word_spans, *meaning_spans)
    runs: list[tuple[bool, list[Piece]]] = []
    at = sorted(edges)
    for low, high in pairwise(at):
        said = text[low - start : high - start]
        piece = Piece(said if lines else _SPACE.sub(" ", said), _covered(low, word_spans))
        means = _covered(low, meaning_spans)
        if not runs or runs[-1][0] != means:
            runs.append((means, []))
        last = runs[-1][1]
        if last and last[-1].word == piece.word and not piece.word:
            last[-1] = Piece(last[-1].text + piece.text, False)
        else:
            last.append(piece)
    return tuple(Run(means, tuple(parts)) for means, parts in runs)


def _inside(spans: Iterable[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    """Return spans cut to the text; those of which nothing is left are left out."""
    cut = ((max(low, start), min(high, end)) for low, high in spans)
    return [(low, high) for low, high in cut if low < high]


def _covered(place: int, spans: list[tuple[int, int]]) -> bool:
    return any(low <= place < high for low, high in spans)
