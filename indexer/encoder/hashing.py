"""An encoder without a model: a hashed bag of words, for tests and for trying things out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from indexer.encoding import TokenVectors, Vectors
from indexer.errors import InvalidSettings

_WORD = re.compile(r"\S+")


class HashingEncoder:
    """Deterministic unit vectors from the words of a text; texts that share words are close.

    Tokens are runs of characters that are not white space; a token's vector is that of its word wherever it
    stands. A text without any gets the first unit vector.

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
            place, sign = self._hashed(word)
            vector[place] += sign
        length = float(np.linalg.norm(vector))
        if length == 0.0:
            vector[0] = length = 1.0
        vector /= length
        return vector

    def encode_passages_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, list[TokenVectors]]:
        """Return what `encode_passages` returns, and the words of each text."""
        return self.encode_passages(texts), [self.encode_query_tokens(text) for text in texts]

    def encode_query_tokens(self, text: str) -> TokenVectors:
        """Return the words of a text."""
        (spans,) = self.token_offsets([text])
        vectors = self._zeros(len(spans))
        for row, (start, end) in enumerate(spans.tolist()):
            place, sign = self._hashed(text[start:end].casefold())
            vectors[row, place] = sign
        return TokenVectors(vectors, spans)

    def vocabulary(self) -> Sequence[str]:
        """Return some words, of which every place of the vector has about as many as any other."""
        return [f"word{number}" for number in range(4 * self.dim)]

    def _hashed(self, word: str) -> tuple[int, float]:
        """Return the place of a word in the vector, and its sign."""
        digest = blake2b(word.encode("utf-8", "replace"), digest_size=9).digest()
        return int.from_bytes(digest[:8], "big") % self.dim, 1.0 if digest[8] & 1 else -1.0

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
