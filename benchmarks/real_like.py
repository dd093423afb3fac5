"""A hundred thousand real-like passages, made in minutes: resampled prose with vectors mixed from real ones.

Words follow the language reference that comes with Python: each passage is a random walk over its word pairs,
so that frequencies and neighbours are those of prose. Vectors are means of two real passages' vectors with
noise, so that their cosines look like a real collection's. Encoding so many passages for real would take the
better part of an hour and would change nothing in what is timed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pydoc_data.topics import topics

import numpy as np
from numpy.typing import NDArray

from indexer.encoding import Encoder, Vectors

_SEED_PASSAGES = 1500
_NOISE = 0.35


class ProseWalk:
    """Random walks over the word pairs of real prose."""

    def __init__(self, seed: int = 1) -> None:
        self._choose = random.Random(seed)
        self.words = " ".join(str(topic) for _, topic in sorted(topics.items())).split()
        self._after: dict[str, list[str]] = {}
        for one, other in zip(self.words, self.words[1:], strict=False):
            self._after.setdefault(one, []).append(other)

    def text(self, words: int) -> str:
        """Return so many words; about one in thirty is a rare word of its own, as names and numbers are."""
        word = self._choose.choice(self.words)
        out = []
        for _ in range(words):
            if self._choose.random() < 1 / 30:
                out.append(f"{word.strip('.,:;()*`')[:6]}{self._choose.randrange(50_000)}")
            else:
                out.append(word)
            word = self._choose.choice(self._after.get(word) or self.words)
        return " ".join(out)

    def query(self, words: int) -> str:
        """Return a query: neighbouring content words of the prose."""
        at = self._choose.randrange(len(self.words) - 40)
        content = [word.strip(".,:;()*`\"'") for word in self.words[at : at + 40]]
        return " ".join([word for word in content if len(word) > 3 and word.isalpha()][:words])


class MixingEncoder:
    """The real encoder for queries; passages get a mixture of two real passages' vectors."""

    def __init__(self, encoder: Encoder, prose: ProseWalk, seed: int = 2) -> None:
        self._encoder = encoder
        self._random = np.random.default_rng(seed)
        self._real = encoder.encode_passages([prose.text(120) for _ in range(_SEED_PASSAGES)])
        self.name, self.dim, self.fingerprint = encoder.name, encoder.dim, encoder.fingerprint
        self.max_tokens, self.overhead_tokens = encoder.max_tokens, encoder.overhead_tokens

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return mixtures, whatever the texts."""
        one, other = self._random.integers(0, len(self._real), (2, len(texts)))
        noise = self._random.normal(0, _NOISE / np.sqrt(self.dim), (len(texts), self.dim))
        mixed = self._real[one] + 0.7 * self._real[other] + noise
        return (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)

    def encode_query(self, text: str) -> Vectors:
        """Encode for real."""
        return self._encoder.encode_query(text)

    def token_offsets(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """Split for real."""
        return self._encoder.token_offsets(texts)

    def readable(self, text: str) -> float:
        """As the real encoder."""
        return self._encoder.readable(text)
