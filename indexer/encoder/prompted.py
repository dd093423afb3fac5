"""What an encoder does whatever runs its network: prompts, tokens, limits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.encoder.recipe import Recipe
from indexer.encoder.scripts import Scripts
from indexer.encoder.tokens import Tokens
from indexer.encoding import Vectors


class PromptedEncoder(ABC):
    """A sentence encoder but for its network.

    Args:
        name: The model's name.
        fingerprint: What tells its vectors from other models'.
        recipe: What its folder says.
        tokens: Its tokenizer.
        dim: Length of its vectors.
    """

    def __init__(self, name: str, fingerprint: str, recipe: Recipe, tokens: Tokens, dim: int) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self.dim = dim
        self.max_tokens = tokens.max_tokens
        self.overhead_tokens = tokens.specials + tokens.count(recipe.passage_prompt)
        self._recipe = recipe
        self._tokens = tokens
        self._scripts = Scripts(tokens)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, float32, shape (n, dim), in the order of `texts`."""
        return self._encode([self._recipe.passage_prompt + text for text in texts])

    def encode_query(self, text: str) -> Vectors:
        """Return a unit vector, float32, shape (dim,)."""
        vector: Vectors = self._encode([self._recipe.query_prompt + text])[0]
        return vector

    def token_offsets(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """Return for each text its tokens' character spans, int32, shape (tokens, 2); no special tokens."""
        return self._tokens.spans(texts)

    def readable(self, text: str) -> float:
        """Return the share, 0 to 1, of the text's letters that are of scripts this model knows."""
        return self._scripts.readable(text)

    @abstractmethod
    def _encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of texts with their prompts, float32, shape (n, dim), in their order."""
