"""Pairs as the model reads them in training: exactly the windows that they are read in afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from indexer.encoder.tokens import Tokens, read_tokenizer
from indexer.errors import ModelError
from reranker.errors import RerankerModelError
from reranker.layout import ids_of, parts_of, types_of
from reranker.match import PARTS
from reranker.pairs import PassageText, passage_text
from reranker.windows import Framing, Window

MOST_WINDOWS = 8
"""Windows of a passage that training reads; a longer passage's rest is left out, so that memory is bounded."""

Pair = tuple[str, str | PassageText]
"""A query and a passage."""


class PairReader:
    """Makes windows of pairs, and tensors of windows.

    Args:
        tokenizer: A `tokenizer.json`.
        max_tokens: Of a window, specials included.
        lower: Whether texts are put in lower case first.
        types: Whether the model tells the query's tokens from the passage's by their type.
        parts: Whether its head asks which tokens are the query's and which the passage's.
        padding: The id that a shorter window ends in.

    Raises:
        RerankerModelError: the tokenizer cannot be read, or a window has too little room.
    """

    def __init__(
        self,
        tokenizer: Path,
        max_tokens: int,
        *,
        lower: bool = False,
        types: bool = True,
        parts: bool = False,
        padding: int = 0,
    ) -> None:
        try:
            tokens = Tokens(read_tokenizer(tokenizer), max_tokens, lower=lower)
        except ModelError as error:
            raise RerankerModelError(str(error)) from error
        self.max_tokens = max_tokens
        self._framing = Framing(tokens, max_tokens)
        self._types = types
        self._parts = parts
        self._padding = padding

    def windows(self, pairs: Sequence[Pair]) -> tuple[list[Window], list[int]]:
        """Return the windows of all pairs, and for each the number of the pair that it is of."""
        windows: list[Window] = []
        owners: list[int] = []
        by_query: dict[str, list[int]] = {}
        for number, (query, _) in enumerate(pairs):
            by_query.setdefault(query, []).append(number)
        for query, numbers in by_query.items():
            texts = [passage_text(pairs[number][1]) for number in numbers]
            readings = self._framing.passages(self._framing.query(query), texts)
            for number, reading in zip(numbers, readings, strict=True):
                shown = reading.windows[:MOST_WINDOWS]
                windows += shown
                owners += [number] * len(shown)
        return windows, owners

    def tensors(self, windows: Sequence[Window]) -> dict[str, Tensor]:
        """Return what the model takes, of shape (windows, longest): ids, mask, types; and what its head asks for."""
        ids, mask = ids_of(windows, self._padding)
        features: dict[str, NDArray[Any]] = {"input_ids": ids, "attention_mask": mask.astype(np.int64)}
        if self._types:
            features["token_type_ids"] = types_of(windows)
        if self._parts:
            features |= dict(zip(PARTS, parts_of(windows), strict=True))
        return {name: torch.from_numpy(value) for name, value in features.items()}
