"""A cross-encoder: the `PairScorer` that everything else in this package is for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import numpy as np

from indexer.encoder.scripts import Scripts
from reranker.cache import ScoreCache
from reranker.errors import RerankerModelError
from reranker.network import Network
from reranker.pairs import PassageText, passage_text
from reranker.scorer import Judgement, Scores
from reranker.task import Batch, Task
from reranker.windows import Framing, Window

_OLD, _NEW = 0.7, 0.3
_SHORT, _TOKENISED = 1 << 16, 1_000_000  # characters to tokenise at least, and for each second there is
_CHARACTERS = 1_000  # of a text, beyond which it may well have a window more


class CrossEncoder:
    """Scores passages for a query with a network that reads both together. Safe to share between threads.

    Args:
        name: The model's name.
        fingerprint: What tells its scores from other models'.
        framing: Makes windows of texts.
        scripts: The scripts it knows.
        network: Makes logits of windows.
        cache: Scores given before.
        scale: What a logit is multiplied by.
        clock: Tells the time that deadlines are measured by.

    Raises:
        RerankerModelError: the network gives no number for the first pair that it is shown.
    """

    def __init__(
        self,
        name: str,
        fingerprint: str,
        framing: Framing,
        scripts: Scripts,
        network: Network,
        cache: ScoreCache,
        *,
        scale: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self.max_tokens = framing.max_tokens
        self._framing = framing
        self._scripts = scripts
        self._network = network
        self._cache = cache
        self._scale = scale
        self._clock = clock
        self._pace = 0.0  # seconds a token, as the last batches took; 0 before the first
        self._logits(framing.passages(framing.query("a"), [PassageText("a")])[0].windows)

    @property
    def lookups(self) -> tuple[int, int]:
        """Of how many passages the score was known from before, and of how many it was not."""
        return self._cache.hits, self._cache.misses

    def reads(self, text: str) -> float:
        """Return the share, 0 to 1, of the text's letters that are of scripts this model knows."""
        return self._scripts.readable(text)

    def score(self, query: str, passages: Sequence[str | PassageText]) -> Scores:
        """Return a score for each passage, float32, shape (n,), in the order given; higher is better.

        Raises:
            RerankerModelError: the network fails, or gives what is no number.
        """
        return self.judge(query, passages).scores

    def judge(
        self,
        query: str,
        passages: Sequence[str | PassageText],
        *,
        deadline: float | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> Judgement:
        """Score as many passages as there is time for, in the order given.

        A passage of several windows at which the deadline comes has the score of those that were read, and the
        tokens of the rest in `tokens_cut`.

        Args:
            query: As the user typed it.
            passages: The most promising first.
            deadline: A value of `time.monotonic()`, or None for no limit. A batch is begun where it will probably
                end by then, so the call is late by a part of one small batch at most.
            cancelled: Asked before each batch whether nobody waits for the scores any more; none is begun then.

        Raises:
            RerankerModelError: the network fails, or gives what is no number.
        """
        texts = [passage_text(passage) for passage in passages]
        keys = self._cache.keys(query, texts)
        known = dict(zip(keys, self._cache.get(keys), strict=True))
        fresh = {key: text for key, text in zip(keys, texts, strict=True) if known[key] is None}
        if fresh and (deadline is None or self._clock() < deadline):
            task = Task(self._framing, query, list(fresh.values()))
            windows = sum(1 + len(text.text) // _CHARACTERS for text in fresh.values())
            self._perform(task, deadline, windows, cancelled)
            whole = []
            for key, answer in zip(fresh, task.answers(), strict=True):
                if answer:
                    known[key] = (answer.logit * self._scale, answer.cut)
                    if answer.whole:
                        whole.append((key, known[key]))
            self._cache.put((key, one) for key, one in whole if one)
        answers = [known[key] for key in keys]
        return Judgement(
            np.array([answer[0] if answer else np.nan for answer in answers], np.float32),
            np.array([answer[1] if answer else 0 for answer in answers], np.int64),
            np.array([answer is not None for answer in answers], np.bool_),
        )

    def _perform(
        self, task: Task, deadline: float | None, windows: int, cancelled: Callable[[], bool]
    ) -> None:
        """Run a task's batches on as many threads as the network has use for, this one among them."""
        network = self._network
        batches: Iterator[Batch]
        if deadline is None:
            planned = task.sorted_batches(network.workers, network.budget)
            windows, batches = len(planned), iter(planned)
        else:
            seconds = deadline - self._clock()
            batches = task.ordered_batches(network.step, int(max(_SHORT, min(seconds, 3600) * _TOKENISED)))
        taking = Lock()
        stopped = False

        def take() -> Batch | None:
            nonlocal stopped
            with taking:
                batch = None if stopped or cancelled() else next(batches, None)
                if batch is None or (deadline is not None and self._clock() + self._cost(batch) > deadline):
                    stopped = True
                    return None
                return batch

        def work() -> None:
            nonlocal stopped
            try:
                while batch := take():
                    start = self._clock()
                    task.note(batch, self._logits([part.window for part in batch]))
                    self._pace_from(batch, self._clock() - start)
            finally:
                stopped = True  # the end of one is the end of all: no batch is left, no time, or it failed

        threads = min(network.workers, windows)
        if threads < 2:
            return work()
        with ThreadPoolExecutor(threads - 1) as pool:
            others = [pool.submit(work) for _ in range(threads - 1)]
            work()
        for other in others:
            other.result()

    def _cost(self, batch: Batch) -> float:
        return self._pace * _padded(batch)

    def _pace_from(self, batch: Batch, seconds: float) -> None:
        pace = seconds / _padded(batch)
        self._pace = _OLD * self._pace + _NEW * pace if self._pace else pace

    def _logits(self, windows: Sequence[Window]) -> Scores:
        logits = self._network.run(windows)
        if not np.isfinite(logits).all():
            raise RerankerModelError(
                f"{self.name}: gave a score that is no number: its weights are damaged, fetch or train the model again"
            )
        return logits


def _padded(batch: Batch) -> int:
    return len(batch) * max(len(part.window.ids) for part in batch)
