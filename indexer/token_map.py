"""Where the encoder's tokens start in a long text, found piece by piece."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.encoding import Encoder

PIECE = 8_192
_BATCH = 128
# A stretch that the tokenizer makes little or nothing of (spaces, one enormous word that is unknown to
# it) still counts one token for so many characters, so that passages stay within bounds.
SPARSE = 32
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
        found: list[NDArray[np.int32]] = []
        spans = list(_pieces(text))
        for at in range(0, len(spans), _BATCH):
            batch = spans[at : at + _BATCH]
            tokens = encoder.token_offsets([text[start:end] for start, end in batch])
            for (start, end), offsets in zip(batch, tokens, strict=True):
                found.append(_with_sparse(offsets[:, 0], end - start) + np.int32(start))
        self._starts: NDArray[np.int32] = np.concatenate(found) if found else np.zeros(0, np.int32)

    def before(self, offsets: Sequence[int]) -> list[int]:
        """Return how many tokens start before each offset."""
        # Of the same type, as otherwise all starts would be converted for every call.
        found: list[int] = np.searchsorted(self._starts, np.asarray(offsets, np.int32)).tolist()
        return found

    def start_of(self, number: int) -> int:
        """Return where token `number`, counted from 0, starts."""
        return int(self._starts[min(number, len(self._starts) - 1)])


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    while len(text) - start > PIECE:
        end = start + PIECE
        for pattern in _BREAKS:
            *_, last = (None, *pattern.finditer(text, end - PIECE // 8, end))
            if last is not None:
                end = last.end()
                break
        yield start, end
        start = end
    if start < len(text):
        yield start, len(text)


def _with_sparse(starts: NDArray[np.int32], length: int) -> NDArray[np.int32]:
    starts = np.maximum.accumulate(starts.astype(np.int32)) if len(starts) else starts.astype(np.int32)
    edges = np.concatenate([[0], starts, [length]])
    gaps = np.diff(edges)
    wide = np.flatnonzero(gaps > SPARSE)
    if not len(wide):
        return starts
    added = [np.arange(edges[at] + SPARSE, edges[at + 1], SPARSE, dtype=np.int32) for at in wide]
    return np.sort(np.concatenate([starts, *added]))
