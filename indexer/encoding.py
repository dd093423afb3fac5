"""What the index asks of an encoder: text in, unit vectors out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Vectors: TypeAlias = NDArray[np.float32]
Spans: TypeAlias = NDArray[np.int32]


class TokenVectors(NamedTuple):
    """The tokens of one text as the network sees them in their places; special tokens and prompts are left out.

    Args:
        vectors: Unit vectors, float32, shape (tokens, width); the width is the network's, which is not `dim` where
            layers follow the pooling.
        spans: The tokens' characters in the text, int32, shape (tokens, 2).
    """

    vectors: Vectors
    spans: Spans


@runtime_checkable
class Encoder(Protocol):
    """A bi-encoder. Safe to share between threads."""

    @property
    def name(self) -> str:
        """The model's name, as the user would give it."""
        ...

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Tokens that one text may have, special tokens included; the rest would be cut."""
        ...

    @property
    def overhead_tokens(self) -> int:
        """Tokens of `max_tokens` that special tokens and the passage prompt take."""
        ...

    @property
    def fingerprint(self) -> str:
        """`name:hash` of everything that changes the vectors' meaning: weights, pooling, prompts."""
        ...

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, float32, shape (n, dim), in the order of `texts`."""
        ...

    def encode_query(self, text: str) -> Vectors:
        """Return a unit vector, float32, shape (dim,)."""
        ...

    def token_offsets(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """Return for each text its tokens' character spans, int32, shape (tokens, 2); no special tokens."""
        ...

    def readable(self, text: str) -> float:
        """Return the share, 0 to 1, of the text's letters that are of scripts this model knows."""
        ...


@runtime_checkable
class TokenEncoder(Encoder, Protocol):
    """An encoder that also gives each token's own vector, from the same run. Late interaction needs one."""

    def encode_passages_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, list[TokenVectors]]:
        """Return what `encode_passages` returns, and the tokens of each text, without those that the limit cut."""
        ...

    def vocabulary(self) -> Sequence[str]:
        """Return words that the model knows, in any order: texts made up of them show what its tokens are like."""
        ...

    def encode_query_tokens(self, text: str) -> TokenVectors:
        """Return the tokens of a query. After `encode_query` of the same text this costs no second run."""
        ...
