"""An encoder that reads each query once: the hundred trials after the first cost no encoding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.encoding import Encoder, TokenEncoder, TokenVectors, Vectors


class MemoisingEncoder:
    """Another encoder, with the vectors of its queries remembered."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._vectors: dict[str, Vectors] = {}
        self._readable: dict[str, float] = {}
        self.name = encoder.name
        self.dim = encoder.dim
        self.max_tokens = encoder.max_tokens
        self.overhead_tokens = encoder.overhead_tokens
        self.fingerprint = encoder.fingerprint

    def encode_query(self, text: str) -> Vectors:
        """Return a unit vector, float32, shape (dim,)."""
        if text not in self._vectors:
            vector = self._encoder.encode_query(text)
            vector.flags.writeable = False
            self._vectors[text] = vector
        return self._vectors[text]

    def readable(self, text: str) -> float:
        """Return the share, 0 to 1, of the text's letters that the encoder knows."""
        if text not in self._readable:
            self._readable[text] = self._encoder.readable(text)
        return self._readable[text]

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, float32, shape (n, dim)."""
        return self._encoder.encode_passages(texts)

    def token_offsets(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """Return for each text its tokens' character spans, int32, shape (tokens, 2)."""
        return self._encoder.token_offsets(texts)


class MemoisingTokenEncoder(MemoisingEncoder):
    """Another encoder that gives tokens' vectors, those of its queries remembered as well."""

    def __init__(self, encoder: TokenEncoder) -> None:
        super().__init__(encoder)
        self._with_tokens = encoder
        self._tokens: dict[str, TokenVectors] = {}

    def encode_query_tokens(self, text: str) -> TokenVectors:
        """Return the tokens of a query."""
        if text not in self._tokens:
            self._tokens[text] = self._with_tokens.encode_query_tokens(text)
        return self._tokens[text]

    def encode_passages_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, list[TokenVectors]]:
        """Return unit vectors, float32, shape (n, dim), and the tokens of each text."""
        return self._with_tokens.encode_passages_with_tokens(texts)

    def vocabulary(self) -> Sequence[str]:
        """Return words that the model knows."""
        return self._with_tokens.vocabulary()


def memoising(encoder: Encoder) -> MemoisingEncoder:
    """Return an encoder that remembers its queries, and gives tokens' vectors where this one does."""
    return MemoisingTokenEncoder(encoder) if isinstance(encoder, TokenEncoder) else MemoisingEncoder(encoder)
