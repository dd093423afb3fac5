"""Token vectors in 24 bytes each, and how a query's tokens meet them: the arithmetic of late interaction.

A token's vector is projected onto the directions in which tokens differ most (principal components, fitted once
when an index is made) and brought back to length 1: without that, frequent words, of which the projection keeps
most, would be the best match of everything. A rotation at random then spreads every direction evenly over the
coordinates, so that each is distributed about normally, whatever the vectors are like. Each coordinate is rounded
to 16 levels around its mean c, whose spacing is the best for a normal distribution of its spread (Max 1960, table
II: 0.335 of a deviation). The cosine of a query's token, projected likewise to q, with a token of code k is Σ qᵢ cᵢ
+ Σ qᵢ stepᵢ (kᵢ - 7.5). It is the cosine among the kept directions: higher than that of the whole vectors, and in
nearly the same order.

The query's side of that sum is rounded to whole numbers too, fine enough to change nothing that counts. Then every
partial sum is a whole number that float32 holds exactly, and a passage's score is the same to the last bit whichever
passages are scored beside it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from indexer.encoding import Vectors
from indexer.errors import InvalidSettings

Codes: TypeAlias = NDArray[np.uint8]

DIMS = 48
_NARROW = 64  # vectors of so few numbers keep all their directions
_LEVELS = 16
_STEP = 0.335  # of a standard deviation
_FINE = 8192  # whole numbers of a query's coordinate; times 15 times the coordinates they stay below 2**24
_TOKENS = 4096  # compared at a time: what they decode to stays in the processor's cache
# Both halves of each byte, low first, as 2k - 15: odd whole numbers, half a step each.
_PAIRS = (2.0 * np.stack([np.arange(256) & 15, np.arange(256) >> 4], axis=1) - 15).astype(np.float32)
_TABLE = _PAIRS.view(np.complex64)[:, 0]


@dataclass(frozen=True, slots=True, eq=False)
class TokenCoding:
    """How an index writes its tokens down; fixed when it is made.

    Args:
        axes: Orthonormal rows, float32, shape (dims, width); dims is even.
        centre: The mean of each coordinate, float32, shape (dims,).
        steps: The distance between two levels of each coordinate, float32, shape (dims,).
    """

    axes: Vectors
    centre: Vectors
    steps: Vectors

    @classmethod
    def fitted(cls, sample: Vectors, dims: int = DIMS) -> TokenCoding:
        """Return the coding that loses least of a sample of tokens' unit vectors, shape (n, width).

        Args:
            sample: The tokens.
            dims: Directions to keep of vectors of more than 64 numbers; even, at most 128.

        Raises:
            InvalidSettings: the sample is empty, or its vectors have fewer than 2 numbers.
        """
        count, width = sample.shape
        if not count or width < 2:
            raise InvalidSettings(
                f"a coding is fitted on token vectors of 2 numbers or more, found {count} of {width}"
            )
        spread = sample - sample.mean(axis=0, dtype=np.float64)
        _, axes = np.linalg.eigh(spread.T @ spread / count)
        kept = (width if width <= _NARROW else dims) // 2 * 2
        rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(kept, kept)))
        halves = (rotation @ axes.T[::-1][:kept]).astype("<f2").astype(np.float32)  # as they are kept
        projected = _projected(sample, halves)
        steps = _STEP * np.maximum(projected.std(axis=0), 1e-6)
        return cls(halves, projected.mean(axis=0), steps.astype(np.float32))

    @property
    def width(self) -> int:
        """Numbers of an uncoded token vector."""
        return int(self.axes.shape[1])

    @property
    def token_bytes(self) -> int:
        """Bytes of a coded token."""
        return len(self.steps) // 2

    def to_text(self) -> str:
        """Return the coding as base64: dims and width as 16 bits each, axes in 16 bits, centre and steps in 32."""
        head = np.array(self.axes.shape, "<u2").tobytes()
        levels = self.centre.astype("<f4").tobytes() + self.steps.astype("<f4").tobytes()
        return b64encode(head + self.axes.astype("<f2").tobytes() + levels).decode()

    @classmethod
    def from_text(cls, text: str) -> TokenCoding:
        """Return the coding that `to_text` wrote."""
        data = b64decode(text)
        dims, width = np.frombuffer(data, "<u2", 2).tolist()
        axes = np.frombuffer(data, "<f2", dims * width, 4).astype(np.float32).reshape(dims, width)
        centre, steps = np.frombuffer(data, "<f4", 2 * dims, 4 + 2 * axes.size).reshape(2, dims)
        return cls(axes, centre, steps)

    def encode(self, vectors: Vectors) -> Codes:
        """Return the codes of token vectors, uint8, shape (n, token_bytes): two coordinates a byte, low half first."""
        levels = np.floor((_projected(vectors, self.axes) - self.centre) / self.steps + _LEVELS / 2)
        codes = np.clip(levels, 0, _LEVELS - 1).astype(np.uint8)
        packed: Codes = codes[:, ::2] | codes[:, 1::2] << 4
        return packed

    def decode(self, codes: Codes) -> Vectors:
        """Return what codes stand for among the kept directions, float32, shape (n, dims); of length 1 or nearly."""
        return np.asarray(self.centre + _halves(codes) * (self.steps / 2), dtype=np.float32)

    def best_cosines(self, tokens: Vectors, passages: Sequence[Codes]) -> Vectors:
        """Return for each passage and each of the query's tokens the highest cosine among the passage's tokens.

        Args:
            tokens: The query's vectors, float32, shape (t, width).
            passages: The codes of one passage's tokens each, at least one token.

        Returns:
            float32, shape (n, t).
        """
        asked = _projected(tokens, self.axes)
        halves = asked * (self.steps / 2)
        largest = np.maximum(np.abs(halves).max(axis=1, keepdims=True), np.float32(1e-12))
        whole = np.rint(halves / largest * _FINE)
        found = np.empty((len(passages), len(tokens)), dtype=np.float32)
        for first, end in _chunks([len(codes) for codes in passages]):
            chunk = passages[first:end]
            starts = np.cumsum([0, *(len(codes) for codes in chunk[:-1])])
            sums = whole @ _halves(np.concatenate(chunk)).T
            found[first:end] = np.maximum.reduceat(sums, starts, axis=1).T
        result: Vectors = found * (largest / _FINE).T + asked @ self.centre
        return result


def _projected(vectors: Vectors, axes: Vectors) -> Vectors:
    """Return vectors among the kept directions at length 1, float32, shape (n, dims); zeros where none is left."""
    kept = vectors @ axes.T
    lengths = np.linalg.norm(kept, axis=1, keepdims=True)
    projected: Vectors = np.asarray(kept / np.maximum(lengths, 1e-9), dtype=np.float32)
    return projected


def _halves(codes: Codes) -> Vectors:
    """Return codes as odd whole numbers of half a step, float32, shape (n, dims)."""
    pairs: Vectors = _TABLE[codes].view(np.float32)
    return pairs


def _chunks(lengths: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield stretches of passages that have about `_TOKENS` tokens together, and one passage at least."""
    first = total = 0
    for at, length in enumerate(lengths):
        if total and total + length > _TOKENS:
            yield first, at
            first, total = at, 0
        total += length
    if lengths:
        yield first, len(lengths)
