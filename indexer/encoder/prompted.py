"""What an encoder does whatever runs its network: prompts, tokens, limits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from threading import local

import numpy as np
from numpy.typing import NDArray

from indexer.encoder.recipe import Recipe
from indexer.encoder.scripts import Scripts
from indexer.encoder.tokens import Framed, Tokens
from indexer.encoder.unit import unit
from indexer.encoding import TokenVectors, Vectors


class PromptedEncoder(ABC):
    """A sentence encoder but for its network.

    A thread's last query is kept with its tokens: whoever asks for its vector often asks for them next.

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
        self._last = local()

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, float32, shape (n, dim), in the order of `texts`."""
        return self._encode([self._recipe.passage_prompt + text for text in texts])

    def encode_passages_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, list[TokenVectors]]:
        """Return what `encode_passages` returns, and the tokens of each text, without those that the limit cut."""
        return self._with_tokens(self._recipe.passage_prompt, texts)

    def encode_query(self, text: str) -> Vectors:
        """Return a unit vector, float32, shape (dim,)."""
        if not self._tokens_are_free:
            vector: Vectors = self._encode([self._recipe.query_prompt + text])[0]
            return vector
        vectors, (tokens,) = self._with_tokens(self._recipe.query_prompt, [text])
        self._last.query = text, tokens
        found: Vectors = vectors[0]
        return found

    def encode_query_tokens(self, text: str) -> TokenVectors:
        """Return the tokens of a query. After `encode_query` of it on the same thread this costs nothing."""
        last = getattr(self._last, "query", None)
        if last is not None and last[0] == text:
            known: TokenVectors = last[1]
            return known
        _, (tokens,) = self._with_tokens(self._recipe.query_prompt, [text])
        self._last.query = text, tokens
        return tokens

    def vocabulary(self) -> Sequence[str]:
        """Return the words that its tokenizer knows whole."""
        return self._tokens.words()

    def token_offsets(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """Return for each text its tokens' character spans, int32, shape (tokens, 2); no special tokens."""
        return self._tokens.spans(texts)

    def readable(self, text: str) -> float:
        """Return the share, 0 to 1, of the text's letters that are of scripts this model knows."""
        return self._scripts.readable(text)

    @abstractmethod
    def _encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of texts with their prompts, float32, shape (n, dim), in their order."""

    @property
    @abstractmethod
    def _tokens_are_free(self) -> bool:
        """Whether the run that gives a text's vector gives its tokens without more work."""

    @abstractmethod
    def _encode_states(self, texts: Sequence[str], framed: Sequence[Framed]) -> tuple[Vectors, list[Vectors]]:
        """Return what `_encode` returns, and each text's states after the last layer.

        Args:
            texts: With their prompts.
            framed: The same as tokens.

        Returns:
            Unit vectors, float32, shape (n, dim); and for each text float32, shape (tokens, width), specials
            included.
        """

    def _with_tokens(self, prompt: str, texts: Sequence[str]) -> tuple[Vectors, list[TokenVectors]]:
        prompted = [prompt + text for text in texts]
        framed = self._tokens.framed(prompted)
        vectors, states = self._encode_states(prompted, framed)
        return vectors, [
            self._own_tokens(item, found, len(prompt)) for item, found in zip(framed, states, strict=True)
        ]

    def _own_tokens(self, framed: Framed, states: Vectors, prompt: int) -> TokenVectors:
        """Return the tokens of the text itself, without specials and prompt."""
        own = states[framed.first :][: len(framed.spans)]
        spans = framed.spans[: len(own)]
        kept = spans[:, 1] > prompt
        placed = np.maximum(spans[kept] - np.int32(prompt), 0).astype(np.int32)
        return TokenVectors(unit(own[kept], self.name), placed)
