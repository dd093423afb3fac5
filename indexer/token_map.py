"""Where the encoder's tokens start in a long text, found piece by piece."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from indexer.encoding import Encoder

Offsets: TypeAlias = NDArray[np.int32]

PIECE = 2_048  # longer ones take half as long again in Chinese, where nearly every character is a token
_BATCH = 256
# A stretch that the tokenizer makes little or nothing of (spaces, one enormous word that is unknown to
# it) still counts one token for so many characters, so that passages stay within bounds.
SPARSE = 32
# Between two words, where it makes no difference to any tokenizer that cuts words at white space; elsewhere it may.
_BETWEEN_WORDS = re.compile(r"(?<=[^\W_])(?= [^\W_])")
_BREAKS = (
    re.compile(r"\s+"),
    re.compile(r"[。！？；，、.!?;,:]"),
)


class TokenMap:
    """Counts the tokens between any two offsets of a text.

    Args:
        encoder: Whose tokens.
        text: Of any length; it is tokenised once, in pieces cut at white space where there is some.
    """

    def __init__(self, encoder: Encoder, text: str) -> None:
        found: list[Offsets] = []
        added: list[Offsets] = []
        inside: list[Offsets] = []
        spans = list(_pieces(text))
        for at in range(0, len(spans), _BATCH):
            batch = spans[at : at + _BATCH]
            tokens = encoder.token_offsets([text[start:end] for start, end, _ in batch])
            for (start, end, _), offsets in zip(batch, tokens, strict=True):
                starts = np.maximum.accumulate(offsets[:, 0]) if len(offsets) else offsets[:, 0]
                more = _sparse(starts, end - start)
                added.append(more + np.int32(start))
                ends = np.maximum.accumulate(offsets[:, 1]) if len(offsets) else offsets[:, 1]
                across = (starts[1:] > starts[:-1]) & (starts[1:] < ends[:-1])
                inside.append(starts[1:][across] + np.int32(start))
                found.append(
                    (np.sort(np.concatenate([starts, more])) if len(more) else starts) + np.int32(start)
                )
        self._starts = _joined(found)
        self._added = _joined(added)
        self._inside = _joined(inside)
        self._seams = np.array([start for start, _, seam in spans if seam], np.int32)

    def before(self, offsets: Sequence[int]) -> list[int]:
        """Return how many tokens start before each offset."""
        # Of the same type, as otherwise all starts would be converted for every call.
        found: list[int] = np.searchsorted(self._starts, np.asarray(offsets, np.int32)).tolist()
        return found

    def start_of(self, number: int) -> int:
        """Return where token `number`, counted from 0, starts."""
        return int(self._starts[min(number, len(self._starts) - 1)])

    def starts(self, first: int, last: int) -> Offsets:
        """Return where tokens `first` up to `last` start, int32, ascending."""
        return self._starts[first:last]

    def begin_at(self, offsets: Offsets) -> NDArray[np.bool_]:
        """Return for each offset whether a token starts there, and none goes on across it."""
        begin = _first_from(self._starts, offsets) == offsets
        found: NDArray[np.bool_] = begin & (_first_from(self._inside, offsets) != offsets)
        return found

    def intact(self, starts: Offsets, ends: Offsets) -> NDArray[np.bool_]:
        """Return for each stretch whether its tokens are the text's own.

        They are not where one was made up, at the end too, or where the text was cut inside the stretch, which
        can change what is beside the cut.
        """
        uncut = np.searchsorted(self._seams, starts, "right") == np.searchsorted(self._seams, ends)
        unmade = np.searchsorted(self._added, starts) == np.searchsorted(self._added, ends, "right")
        found: NDArray[np.bool_] = uncut & unmade
        return found


def _pieces(text: str) -> Iterator[tuple[int, int, bool]]:
    """Yield the start and end of each piece, and whether it was cut off where that may matter."""
    start = 0
    seam = True
    while len(text) - start > PIECE:
        end, cut = start + PIECE, True
        for pattern in (_BETWEEN_WORDS, *_BREAKS):
            *_, last = (None, *pattern.finditer(text, end - PIECE // 8, end))
            if last is not None:
                end, cut = last.end(), pattern is not _BETWEEN_WORDS
                break
        yield start, end, seam
        start, seam = end, cut
    if start < len(text):
        yield start, len(text), seam


def _sparse(starts: Offsets, length: int) -> Offsets:
    """Return where tokens are made up: every so many characters of a stretch in which none starts."""
    edges = np.concatenate([[0], starts, [length]])
    wide = np.flatnonzero(np.diff(edges) > SPARSE)
    return _joined([np.arange(edges[at] + SPARSE, edges[at + 1], SPARSE, dtype=np.int32) for at in wide])


def _joined(parts: list[Offsets]) -> Offsets:
    return np.concatenate(parts) if parts else np.zeros(0, np.int32)


def _first_from(places: Offsets, offsets: Offsets) -> Offsets:
    """Return the first of ascending places at or after each offset, or -1 where there is none."""
    if not len(places):
        return np.full(len(offsets), -1, np.int32)
    at = np.searchsorted(places, offsets)
    return np.where(at < len(places), places[np.minimum(at, len(places) - 1)], np.int32(-1))
