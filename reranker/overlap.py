"""A reranker without a model, for the tests of whatever uses one, and for trying things out."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence

import numpy as np

from reranker.pairs import PassageText, passage_text
from reranker.scorer import Judgement, Scores

_WORD = re.compile(r"\w+")


class OverlapScorer:
    """Scores a passage by the share, 0 to 1, of the query's words that it holds, title and headings included.

    Args:
        seconds_each: How long a passage is said to take, for tests of deadlines with a clock of their own.
        clock: Tells the time that deadlines are measured by.
    """

    def __init__(self, seconds_each: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = "overlap"
        self.fingerprint = "overlap:1"
        self.max_tokens = 1 << 30
        self._seconds_each = seconds_each
        self._clock = clock

    def score(self, query: str, passages: Sequence[str | PassageText]) -> Scores:
        """Return each passage's share of the query's words, float32, shape (n,)."""
        wanted = set(_WORD.findall(query.casefold()))
        shares = (
            len(wanted & set(_WORD.findall(passage_text(passage).full.casefold()))) / max(len(wanted), 1)
            for passage in passages
        )
        return np.fromiter(shares, np.float32, len(passages))

    def judge(
        self,
        query: str,
        passages: Sequence[str | PassageText],
        *,
        deadline: float | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> Judgement:
        """Score the passages that `seconds_each` leaves time for before the deadline; none when it was cancelled."""
        done = 0 if cancelled() else len(passages)
        if deadline is not None:
            left = deadline - self._clock()
            fits = left / self._seconds_each if self._seconds_each else float(len(passages)) * (left > 0)
            done = int(min(max(fits, 0), done))
        scores = np.full(len(passages), np.nan, np.float32)
        scores[:done] = self.score(query, passages[:done])
        return Judgement(scores, np.zeros(len(passages), np.int64), np.arange(len(passages)) < done)

    def reads(self, text: str) -> float:
        """Return 1.0: words are words in any script."""
        return 1.0
