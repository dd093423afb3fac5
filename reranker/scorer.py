"""What the query layer asks of a reranker: a query and passages in, one number a passage out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from reranker.pairs import PassageText

Scores: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What came of n passages, in their order.

    Args:
        scores: float32, shape (n,). Raw logits: higher is better, differences mean something, zero does not. NaN
            where the passage was not scored.
        tokens_cut: int64, shape (n,). Tokens of query, context and passage that no window read; 0 where the
            passage was not scored.
        scored: bool, shape (n,). False where the deadline came first, or the call was cancelled.
    """

    scores: Scores
    tokens_cut: NDArray[np.int64]
    scored: NDArray[np.bool_]


@runtime_checkable
class Remembering(Protocol):
    """A cross-encoder that remembers scores, and counts how often that saved it reading."""

    @property
    def lookups(self) -> tuple[int, int]:
        """Of how many passages the score was known from before, and of how many it was not."""
        ...


@runtime_checkable
class PairScorer(Protocol):
    """A cross-encoder. Safe to share between threads."""

    @property
    def name(self) -> str:
        """The model's name, as the user would give it."""
        ...

    @property
    def fingerprint(self) -> str:
        """`name:hash` of everything that changes the scores."""
        ...

    @property
    def max_tokens(self) -> int:
        """Tokens of one window: query, context, passage and special tokens together."""
        ...

    def score(self, query: str, passages: Sequence[str | PassageText]) -> Scores:
        """Return a score for each passage, float32, shape (n,), in the order given; higher is better.

        Raises:
            RerankerError: the model cannot be run, or is damaged.
        """
        ...

    def judge(
        self,
        query: str,
        passages: Sequence[str | PassageText],
        *,
        deadline: float | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> Judgement:
        """Score as many passages as there is time for.

        Args:
            query: As the user typed it.
            passages: Taken in the order given: put the most promising first.
            deadline: A value of `time.monotonic()`, or None for no limit. The call returns by then, but for what
                one small batch may take longer than those before it.
            cancelled: Asked now and then, from any thread, whether nobody waits for the scores any more; the call
                ends early then.

        Raises:
            RerankerError: the model cannot be run, or is damaged.
        """
        ...

    def reads(self, text: str) -> float:
        """Return the share, 0 to 1, of the text's letters that are of scripts this model knows."""
        ...
