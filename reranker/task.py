"""The passages that one call has to score: their windows in batches, and what comes of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import NamedTuple, TypeAlias

import numpy as np

from indexer.encoder.batches import plan
from reranker.pairs import PassageText
from reranker.scorer import Scores
from reranker.windows import Framing, Reading, Window

Batch: TypeAlias = list["Part"]
_READ_AT_ONCE, _CHARACTERS_AT_ONCE = 8, 16_384


class Part(NamedTuple):
    """A window, and the number of the passage that it is of."""

    passage: int
    window: Window


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a passage.

    Args:
        logit: The highest of its windows.
        cut: Tokens that no window read; estimated from its length where a part was not even tokenised.
        whole: Whether all its windows were read.
    """

    logit: float
    cut: int
    whole: bool


class Task:
    """One call's passages. Its batches are taken by one thread at a time; results may come from any.

    Args:
        framing: Makes windows of texts.
        query: As the user typed it.
        passages: In the order in which they are to be read.
    """

    def __init__(self, framing: Framing, query: str, passages: Sequence[PassageText]) -> None:
        self._framing = framing
        self._query = framing.query(query)
        self._passages = passages
        self._readings: list[Reading] = []
        self._beyond: dict[int, float] = {}  # how many times its read part a passage is longer than that
        self._best = np.full(len(passages), -np.inf)
        self._read = np.zeros(len(passages), np.int64)
        self._lock = Lock()

    def sorted_batches(self, workers: int, budget: int) -> list[Batch]:
        """Return all windows in batches alike in length, longest first: the quickest way through them."""
        self._readings = self._framing.passages(self._query, self._passages)
        parts = list(self._parts(0))
        batches = plan([len(part.window.ids) for part in parts], workers, budget)
        return [[parts[int(index)] for index in batch] for batch in batches]

    def ordered_batches(self, step: int, most_characters: int) -> Iterator[Batch]:
        """Yield the windows in the passages' order, in batches of at most `step` tokens, padding included.

        A longer window is a batch of its own. Passages are tokenised a few at a time, as they are needed.

        Args:
            step: Tokens of a batch.
            most_characters: Of a passage, what lies behind them is not even tokenised: a time limit would come first.
        """
        batch: Batch = []
        longest = 0
        for chunk in self._chunks():
            shown = [self._shortened(number, most_characters) for number in chunk]
            self._readings += self._framing.passages(self._query, shown)
            for part in self._parts(chunk.start):
                longest = max(longest, len(part.window.ids))
                if batch and longest * (len(batch) + 1) > step:
                    yield batch
                    batch, longest = [], len(part.window.ids)
                batch.append(part)
        if batch:
            yield batch

    def note(self, batch: Batch, logits: Scores) -> None:
        """Take the logits of a batch."""
        with self._lock:
            for part, logit in zip(batch, logits, strict=True):
                self._best[part.passage] = max(self._best[part.passage], logit)
                self._read[part.passage] += 1

    def answers(self) -> list[Answer | None]:
        """Return what came of each passage, None where nothing of it was read."""
        return [self._answer(number) if self._read[number] else None for number in range(len(self._passages))]

    def _answer(self, number: int) -> Answer:
        reading = self._readings[number]
        read = int(self._read[number])  # batches are taken in order, so these are its first windows
        cut = reading.cut + reading.windows[read - 1].unread
        beyond = self._beyond.get(number, 0.0)
        cut += round(beyond * reading.tokens)
        return Answer(float(self._best[number]), cut, read == len(reading.windows) and not beyond)

    def _chunks(self) -> Iterator[range]:
        """Yield the numbers of the passages to tokenise together: a few, and few characters."""
        start = characters = 0
        for number, passage in enumerate(self._passages):
            characters += len(passage.text)
            if number + 1 - start == _READ_AT_ONCE or characters >= _CHARACTERS_AT_ONCE:
                yield range(start, number + 1)
                start, characters = number + 1, 0
        if start < len(self._passages):
            yield range(start, len(self._passages))

    def _shortened(self, number: int, most_characters: int) -> PassageText:
        passage = self._passages[number]
        if len(passage.text) <= most_characters:
            return passage
        self._beyond[number] = len(passage.text) / most_characters - 1
        return replace(passage, text=passage.text[:most_characters])

    def _parts(self, start: int) -> Iterator[Part]:
        for number, reading in enumerate(self._readings[start:], start):
            for window in reading.windows:
                yield Part(number, window)
