"""An encoder that gives vectors of words, and an index that keeps them: all that late interaction needs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import copy
from functools import cache

import numpy as np

from indexer.encoder import HashingEncoder
from indexer.encoding import TokenVectors, Vectors
from indexer.index import Index
from indexer.local.reader import LocalReader
from indexer.protocol import Numbers, Scores

_WORD = re.compile(r"\w+")


class WordEncoder(HashingEncoder):
    """HashingEncoder whose tokens are words."""

    def words_of(self, text: str) -> TokenVectors:
        spans = [match.span() for match in _WORD.finditer(text)]
        vectors = [super(WordEncoder, self).encode_query(text[start:end]) for start, end in spans]
        return TokenVectors(
            np.array(vectors, dtype=np.float32).reshape(len(spans), self.dim),
            np.array(spans, dtype=np.int32).reshape(len(spans), 2),
        )

    def encode_query_tokens(self, text: str) -> TokenVectors:
        return self.words_of(text)

    def encode_passages_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, list[TokenVectors]]:
        return self.encode_passages(texts), [self.words_of(text) for text in texts]


class LateReader(LocalReader):
    """Compares words one by one; every seventh passage has none."""

    has_token_vectors = True

    def late_scores(self, tokens: Vectors, weights: Scores, passages: Numbers) -> Scores:
        scores = []
        for item in self.passages(passages):
            words = words_of(self.text(item.document, item.passage.start, item.passage.end), tokens.shape[1])
            if item.number % 7 == 0 or not len(words):
                scores.append(np.nan)
                continue
            best = (tokens @ words.T).max(axis=1)
            scores.append(float(np.average(best, weights=weights)))
        return np.array(scores, dtype=np.float32)


@cache
def words_of(text: str, dim: int) -> Vectors:
    return WordEncoder(dim).words_of(text).vectors


class LateIndex:
    """An index whose readers are `LateReader`s."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def reader(self) -> LocalReader:
        reader = copy(self._index.reader())
        reader.__class__ = LateReader
        return reader
