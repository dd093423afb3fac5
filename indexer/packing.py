"""Packing atoms into passages of a number of tokens, with whole sentences of overlap."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from indexer.atoms import Atom
from indexer.token_map import TokenMap

# Where a stretch too long for one passage is best cut: after these, in this order.
_CUTS = (re.compile(r"\n"), re.compile(r"[|\t]"), re.compile(r"[;；,，、:：—–]"), re.compile(r"\s"))
_JOINERS = "\u200d\ufe0f"
_FULL_ENOUGH = 0.6


def pack(
    atoms: Sequence[Atom], before: Sequence[int], after: Sequence[int], size: int, overlap: int
) -> Iterator[range]:
    """Yield the atoms of each passage, as ranges of their places.

    A passage ends with a paragraph where one ends in its last part, never with a heading that it could
    leave to the next, and what is left for the last two passages is shared between them.

    Args:
        atoms: Those of one section or group.
        before: Tokens of the document before each atom.
        after: Tokens of the document up to each atom's end.
        size: The most tokens of a passage. One atom alone may have more.
        overlap: The most tokens that a passage repeats of the one before it.
    """
    first = 0
    while first < len(atoms):
        left = after[-1] - before[first]
        if left <= size:
            yield range(first, len(atoms))
            return
        room = min(size, int(_FULL_ENOUGH * left) + overlap // 2)
        fitting = max(bisect_right(after, before[first] + room, first), first + 1)
        last = _best_end(atoms, before[first] + int(_FULL_ENOUGH * room), after, first, fitting)
        yield range(first, last)
        first = _next_start(atoms, before, after, range(first, last), size, overlap)


def _best_end(atoms: Sequence[Atom], enough: int, after: Sequence[int], first: int, fitting: int) -> int:
    best = fitting
    for last in range(fitting, first + 1, -1):
        if after[last - 1] < enough:
            break
        if atoms[last - 1].closes or (last < len(atoms) and atoms[last].kind == "heading"):
            best = last
            break
    without = best
    while without > first and atoms[without - 1].kind == "heading":
        without -= 1
    return without if without > first else best


def _next_start(
    atoms: Sequence[Atom],
    before: Sequence[int],
    after: Sequence[int],
    passage: range,
    size: int,
    overlap: int,
) -> int:
    end = passage.stop
    start = end
    if end == len(atoms) or atoms[end].kind != "sentence":
        return end
    while (
        start - 1 > passage.start
        and atoms[start - 1].kind == "sentence"
        and after[end - 1] - before[start - 1] <= overlap
        and after[end] - before[start - 1] <= size
    ):
        start -= 1
    return start


def cut_atom(text: str, atom: Atom, tokens: TokenMap, size: int) -> Iterator[Atom]:
    """Yield the pieces of an atom of more than `size` tokens: about equal, none longer than `size` if it can be."""
    spans = list(cut(text, atom.start, atom.end, tokens, size))
    for start, end in spans[:-1]:
        yield Atom("piece", start, end)
    yield Atom("piece", *spans[-1], closes=atom.closes)


def cut(text: str, start: int, end: int, tokens: TokenMap, size: int) -> Iterator[tuple[int, int]]:
    """Yield spans of at most `size` tokens (at least one character) that hold `text[start:end]` but for white space."""
    done, total = tokens.before([start, end])
    while total - done > size and start < end:
        parts = -(-(total - done) // size)
        target = -(-(total - done) // parts)
        low = max(tokens.start_of(done + target - target // 4), start + 1)
        high = min(max(tokens.start_of(done + min(size, target + target // 8)), low), end)
        at = _cut_place(text, low, high)
        yield from _bare(text, start, at)
        start = at
        (done,) = tokens.before([start])
    yield from _bare(text, start, end)


def _cut_place(text: str, low: int, high: int) -> int:
    for pattern in _CUTS:
        *_, last = (None, *pattern.finditer(text, low, high))
        if last is not None:
            return last.end()
    for at in range(high, max(low, high - 16), -1):
        if at < len(text) and not _inside_character(text, at):
            return at
    return high


def _inside_character(text: str, at: int) -> bool:
    return unicodedata.category(text[at])[0] == "M" or text[at] in _JOINERS or text[at - 1] == "\u200d"


def _bare(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    bare = piece.strip()
    if bare:
        start += len(piece) - len(piece.lstrip())
        yield start, start + len(bare)
