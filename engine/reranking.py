"""The cross-encoder as the query layer uses it: loaded when first needed, and allowed to fail."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.fusion import Floats
from engine.settings import NO_RERANKER

if TYPE_CHECKING:
    from reranker.pairs import PassageText
    from reranker.scorer import Judgement, PairScorer

_log = logging.getLogger(__name__)

LEGIBLE = 0.5
"""Of a query the cross-encoder has to know the script of so many letters; otherwise it is not asked."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading n passages.

    Args:
        scores: Shape (n,); NaN for those that were not read.
        tokens_cut: Tokens that did not fit, shape (n,).
        notice: What the user should know; empty when all is well.
        asked: Whether the cross-encoder was asked at all.
    """

    scores: Floats
    tokens_cut: NDArray[np.int64]
    notice: str = ""
    asked: bool = True


class QueryReranker:
    """Reads passages for queries. Safe to share between threads.

    A model that cannot be loaded is not tried again. The default model, once loaded, serves every engine of the
    process.

    Args:
        scorer: What to read with, whatever the settings name; None for the model that they name.
    """

    def __init__(self, scorer: PairScorer | None = None) -> None:
        self._scorer = scorer
        self._lock = threading.Lock()
        self._loaded: dict[str, PairScorer | str] = {}

    def read(
        self,
        name: str,
        query: str,
        count: int,
        passages: Callable[[], Sequence[PassageText]],
        deadline: float | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> Reading:
        """Return the cross-encoder's scores; a notice in place of them when it fails.

        Args:
            name: The model, as settings name it.
            query: The query's words.
            count: How many passages there are.
            passages: Gets what to read, the most promising first; called only where it is going to be read.
            deadline: A value of `time.monotonic()` by which to have done; None for no limit.
            cancelled: Asked now and then whether nobody waits for the answer any more.
        """
        unread = Reading(np.full(count, np.nan), np.zeros(count, np.int64), asked=False)
        if not query.strip() or (self._scorer is None and name == NO_RERANKER):
            return unread
        try:
            scorer = self._scorer or self._load(name)
            if isinstance(scorer, str):
                return replace(unread, notice=scorer)
            if scorer.reads(query) < LEGIBLE:
                return unread
        except Exception as error:  # whatever a cross-encoder raises, the order before it stands
            return replace(unread, notice=_failed(error))
        texts = passages()
        try:
            return _checked(scorer.judge(query, texts, deadline=deadline, cancelled=cancelled), count)
        except Exception as error:
            return replace(unread, notice=_failed(error))

    @property
    def lookups(self) -> tuple[int, int]:
        """Of how many passages the scores were known from before, and of how many not; of models that count that."""
        from reranker.scorer import Remembering

        # No lock: loading a model holds it for seconds.
        scorers: list[object] = [self._scorer, *self._loaded.values()]
        counts = [one.lookups for one in scorers if isinstance(one, Remembering)]
        return sum(hits for hits, _ in counts), sum(misses for _, misses in counts)

    def _load(self, name: str) -> PairScorer | str:
        with self._lock:
            if name not in self._loaded:
                try:
                    self._loaded[name] = _loaded(name)
                except Exception as error:  # the reason is told with every answer
                    self._loaded[name] = _failed(error)
            return self._loaded[name]


def _loaded(name: str) -> PairScorer:
    from reranker.load import DEFAULT_RERANKER, load_reranker

    return _default() if name == DEFAULT_RERANKER else load_reranker(name)


@cache
def _default() -> PairScorer:
    from reranker.load import load_reranker

    return load_reranker()


def _failed(error: Exception) -> str:
    _log.warning("the reranker failed", exc_info=error)
    reason = f"{type(error).__name__}: {error}".split("\n")[0]
    return f"The reranker failed, so the order before it stands ({reason:.300})."


def _checked(judgement: Judgement, count: int) -> Reading:
    """Return a judgement as numbers that can be relied on.

    Raises:
        ValueError: it is of another shape, or holds what is no number.
    """
    scores = np.asarray(judgement.scores, dtype=np.float64)
    scored = np.asarray(judgement.scored, dtype=np.bool_)
    cut = np.asarray(judgement.tokens_cut, dtype=np.int64)
    if not scores.shape == scored.shape == cut.shape == (count,):
        raise ValueError(
            f"{count} scores were expected, found arrays of shapes {scores.shape}, {cut.shape}, {scored.shape}"
        )
    if not np.isfinite(scores[scored]).all():
        raise ValueError("a score is no finite number")
    return Reading(np.where(scored, scores, np.nan), np.where(scored, cut, 0))
