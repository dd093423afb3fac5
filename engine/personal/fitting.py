"""Weights of a few terms from what was clicked: a linear model, fitted pair by pair or document by document.

    score = weights · terms

Pair by pair (RankNet: Burges and others, ICML 2005): within one list, a document that was clicked should score above
one that was not, and the loss of a pair is log(1 + e^-(difference)). Each list weighs the same, whatever its number of
pairs.
Document by document (logistic regression): the chance of a click, with one constant for all lists. Both are convex and
have a handful of unknowns, so Newton's method finds the minimum in a few steps, and the same one on every machine.

A term that would come out with a negative weight is left out and the rest fitted again: no term here may count
against a document because it is high.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from engine.errors import SearchError
from engine.fusion import Floats
from indexer.protocol import Numbers

Objective: TypeAlias = Literal["ranknet", "bce"]

_STEPS = 100
_CLOSE = 1e-9


class NothingToLearn(SearchError):
    """The lists hold no document that was chosen over another, or their terms never differ."""

    status = 422


@dataclass(frozen=True, slots=True)
class Lists:
    """What was shown, row by row, and what came of it.

    Args:
        terms: What each term says of each document shown, shape (n, terms).
        lists: Which list a row is of, shape (n,).
        clicked: Whether it was clicked, shape (n,).
        weights: How much a click there counts: the inverse of how often its rank is looked at; shape (n,). Rows
            without a click count 1 whatever stands here.
    """

    terms: Floats
    lists: Numbers
    clicked: np.ndarray
    weights: Floats

    def __post_init__(self) -> None:
        rows = len(self.terms)
        if self.terms.ndim != 2 or any(
            part.shape != (rows,) for part in (self.lists, self.clicked, self.weights)
        ):
            raise ValueError(
                f"terms have shape (n, terms) and the rest (n,); found {self.terms.shape}, {self.lists.shape}, "
                f"{self.clicked.shape}, {self.weights.shape}"
            )

    def of(self, rows: np.ndarray) -> Lists:
        """Return some of the rows."""
        return Lists(self.terms[rows], self.lists[rows], self.clicked[rows], self.weights[rows])


@dataclass(frozen=True, slots=True)
class Fit:
    """What was learnt.

    Args:
        weights: One a term, 0 or more, shape (terms,).
        loss: The mean loss of a list, without the penalty.
        before: The same with all weights 0.
    """

    weights: Floats
    loss: float
    before: float


def fit(lists: Lists, objective: Objective = "ranknet", *, penalty: float = 0.01) -> Fit:
    """Return the weights with the least loss.

    Args:
        lists: What was shown and clicked.
        objective: `ranknet`, pair by pair; `bce`, document by document.
        penalty: Half of it times the sum of the squared weights, each in units of its term's spread, is added to the
            mean loss of a list: it keeps weights finite where the clicks could be told apart without an error.

    Raises:
        NothingToLearn: no list has a clicked and an unclicked document, or no term differs within any list.
    """
    rows, targets, counts, constants = _examples(lists, objective)
    spread = rows[:, : rows.shape[1] - constants].std(axis=0)
    if objective == "ranknet":  # differences have no mean to be taken off
        spread = np.sqrt(np.mean(rows * rows, axis=0))
    if not (spread > 1e-12).any():
        raise NothingToLearn(
            "the terms are the same for all documents of each list, so clicks say nothing about them"
        )
    scale = np.concatenate([np.where(spread > 1e-12, spread, np.inf), np.ones(constants)])
    rows = rows / scale
    kept = np.concatenate([spread > 1e-12, np.ones(constants, dtype=bool)])
    free = len(spread)
    while True:
        found = np.zeros(len(scale))
        found[kept] = _minimum(rows[:, kept], targets, counts, penalty, int(kept[:free].sum()))
        negative = kept[:free] & (found[:free] < 0)
        if not negative.any():
            break
        kept[int(np.argmin(np.where(negative, found[:free], 0.0)))] = False
    nothing = np.zeros(len(scale))
    if constants:
        nothing[free:] = _minimum(rows[:, free:], targets, counts, penalty, 0)
    return Fit(
        found[:free] / scale[:free],
        _loss(rows @ found, targets, counts),
        _loss(rows @ nothing, targets, counts),
    )


def _examples(lists: Lists, objective: Objective) -> tuple[Floats, Floats, Floats, int]:
    """Return rows, their targets (1 or 0), what each counts (in all 1), and how many columns are constants."""
    if objective == "bce":
        counts = np.where(lists.clicked, lists.weights, 1.0)
        clicks = int(lists.clicked.sum())
        if not 0 < clicks < len(counts):
            raise NothingToLearn(
                f"{clicks} of {len(counts)} documents shown were clicked: nothing to tell apart"
            )
        rows = np.concatenate([lists.terms, np.ones((len(counts), 1))], axis=1)
        return rows, lists.clicked.astype(np.float64), counts / counts.sum(), 1
    differences: list[Floats] = []
    shares: list[Floats] = []
    order = np.argsort(lists.lists, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(lists.lists[order])) + 1):
        up, down = rows[lists.clicked[rows]], rows[~lists.clicked[rows]]
        if len(up) and len(down):
            gaps = lists.terms[up][:, None, :] - lists.terms[down][None]
            differences.append(gaps.reshape(-1, lists.terms.shape[1]))
            each = np.repeat(lists.weights[up], len(down))
            shares.append(each / each.sum())
    if not differences:
        raise NothingToLearn("no list has both a document that was clicked and one that was not")
    pairs = np.concatenate(differences)
    weights = np.concatenate(shares)
    return pairs, np.ones(len(pairs)), weights / weights.sum(), 0


def _loss(scores: Floats, targets: Floats, counts: Floats) -> float:
    """Return the mean cross-entropy; finite for any scores."""
    return float(counts @ (np.logaddexp(0.0, scores) - targets * scores))


def _minimum(rows: Floats, targets: Floats, counts: Floats, penalty: float, free: int) -> Floats:
    """Return the weights with the least loss, by Newton's method; the last columns, constants, are not penalised."""
    ridge = np.zeros(rows.shape[1])
    ridge[:free] = penalty
    weights = np.zeros(rows.shape[1])

    def whole(at: Floats) -> float:
        return _loss(rows @ at, targets, counts) + 0.5 * float(ridge @ (at * at))

    value = whole(weights)
    for _ in range(_STEPS):
        scores = np.clip(rows @ weights, -500, 500)
        chances = 1.0 / (1.0 + np.exp(-scores))
        slope = rows.T @ (counts * (chances - targets)) + ridge * weights
        curve = (rows * (counts * chances * (1 - chances))[:, None]).T @ rows + np.diag(ridge + 1e-12)
        step, share = np.linalg.solve(curve, slope), 1.0
        if float(np.abs(step).max(initial=0.0)) < _CLOSE:
            break
        while whole(weights - share * step) > value and share > 1e-6:
            share /= 2
        weights = weights - share * step
        value = whole(weights)
    return weights
