"""Trials: what is tried, on which queries, and the book that remembers what each was worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from eval.errors import InvalidEvaluation
from eval.tuning.stages import Values

Floats: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]
Folds: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A query that counts.

    Args:
        collection: The collection's name.
        query_id: Its name there.
        kin: What it shares with queries that must be in the same fold: its text, or who asks.
    """

    collection: str
    query_id: str
    kin: str


class Trials(Protocol):
    """What is tuned. Whatever has values and can be measured with them, query by query, can be."""

    @property
    def measure(self) -> str:
        """The measure's name."""
        ...

    @property
    def queries(self) -> Sequence[JudgedQuery]:
        """The judged queries, always in the same order."""
        ...

    @property
    def baseline(self) -> Values:
        """The values in use."""
        ...

    def values(self, setting: Values) -> Floats:
        """Return the measure of each query, shape (n,), higher is better."""
        ...


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting and what each query is worth with it."""

    setting: Values
    values: Floats


class TrialBook:
    """Remembers every trial, and means over some of the queries in which each collection weighs the same.

    Args:
        trials: What is tried.
        on_trial: Told of each trial when it is done.

    Raises:
        InvalidEvaluation: there are no queries.
    """

    def __init__(self, trials: Trials, on_trial: Callable[[Trial], None] | None = None) -> None:
        self._trials = trials
        self._on_trial = on_trial
        self._known: dict[tuple[tuple[str, object], ...], Trial] = {}
        self.queries = tuple(trials.queries)
        if not self.queries:
            raise InvalidEvaluation(
                "there is no judged query to tune on; check that topics and judgements belong together"
            )
        names = [query.collection for query in self.queries]
        self.collections = tuple(dict.fromkeys(names))
        self.member = np.array([self.collections.index(name) for name in names], dtype=np.int64)

    def values(self, setting: Values) -> Floats:
        """Return the measure of each query with these values, trying them the first time.

        Raises:
            InvalidEvaluation: the trial returned something else than one finite number a query.
        """
        key = tuple(sorted(setting.items()))
        if key not in self._known:
            values = np.asarray(self._trials.values(setting), dtype=np.float64)
            if values.shape != (len(self.queries),) or not bool(np.isfinite(values).all()):
                raise InvalidEvaluation(
                    f"a trial of {len(self.queries):,} queries returned values of shape {values.shape}, "
                    "or some that are not finite numbers"
                )
            self._known[key] = Trial(dict(setting), values)
            if self._on_trial is not None:
                self._on_trial(self._known[key])
        return self._known[key].values

    @property
    def tried(self) -> tuple[Trial, ...]:
        """Every trial so far, in order."""
        return tuple(self._known.values())

    def weights(self, mask: Mask | None = None) -> Floats:
        """Return weights, shape (n,), 0 outside the mask.

        The plain mean of the masked queries' weighted values is the mean of the collections' means.
        """
        inside = np.ones(len(self.queries), dtype=bool) if mask is None else mask
        counts = np.bincount(self.member[inside], minlength=len(self.collections))
        present = int((counts > 0).sum())
        return np.where(inside, inside.sum() / np.maximum(counts, 1)[self.member] / max(present, 1), 0.0)

    def mean(self, setting: Values, mask: Mask | None = None) -> float:
        """Return the mean over collections of the mean over their queries, those of the mask alone."""
        weights = self.weights(mask)
        return float(weights @ self.values(setting) / weights.sum())
