"""An encoder without a model: a hashed bag of words, for tests and for trying things out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from indexer.encoding import Vectors
from indexer.errors import InvalidSettings

_WORD = re.compile(r"\S+")


class HashingEncoder:
    """Deterministic unit vectors from the words of a text; texts that share words are close.

    Tokens are runs of characters that are not white space. A text without any gets the first unit vector.

    Args:
        dim: Length of a vector, at least 2.
        max_tokens: What it claims as its limit. Nothing is ever cut.

    Raises:
        InvalidSettings: `dim` is below 2 or `max_tokens` below 1.
    """

    def __init__(self, dim: int = 64, max_tokens: int = 256) -> None:
        if dim < 2 or max_tokens < 1:
            raise InvalidSettings(
                f"dim must be at least 2 and max_tokens at least 1, found {dim}, {max_tokens}"
            )
        self.name = "hashing"
        self.dim = dim
        self.max_tokens = max_tokens
        self.overhead_tokens = 0
        self.fingerprint = f"hashing:{dim}"

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, float32, shape (n, dim)."""
        return np.stack([self.encode_query(text) for text in texts]) if texts else self._zeros(0)

    def encode_query(self, text: str) -> Vectors:
        """Return a unit vector, float32, shape (dim,)."""
        vector: Vectors = self._zeros(1)[0]
        for word in _WORD.findall(text.casefold()):
            digest = blake2b(word.encode("utf-8", "replace"), digest_size=9).digest()
            vector[int.from_bytes(digest[:8], "big") % self.dim] += 1.0 if digest[8] & 1 else -1.0
        length = float(np.linalg.norm(vector))
        if length == 0.0:
            vector[0] = length = 1.0
        vector /= length
        return vector

    def token_offsets(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """Return for each text the character spans of its words, int32, shape (words, 2)."""
        return [
            np.array([match.span() for match in _WORD.finditer(text)], dtype=np.int32).reshape(-1, 2)
            for text in texts
        ]

    def readable(self, text: str) -> float:
        """Return 1.0: every script is words to it."""
        return 1.0

    def _zeros(self, rows: int) -> Vectors:
        return np.zeros((rows, self.dim), dtype=np.float32)
