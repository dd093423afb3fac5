"""The scores and grades of several queries' passages, side by side, and the pairs that a loss looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Lists:
    """The passages of several queries, flat: what every objective is computed from.

    All is in double precision, whatever the model computed in, so that differences of scores neither overflow nor
    lose what a strongly inverted pair has to say. There is no padding: a query has exactly its own passages.

    Args:
        scores: What the model says, float64 (n,), connected to its graph.
        grades: What is true, float64 (n,).
        rows: Where each query's passages are, int64 (queries, longest); -1 where it has no more.
        weights: A factor for each passage (an inverse propensity), float64 (n,).
    """

    scores: Tensor
    grades: Tensor
    rows: Tensor
    weights: Tensor

    @property
    def queries(self) -> int:
        """How many there are, those without a passage included."""
        return int(self.rows.shape[0])

    @property
    def present(self) -> Tensor:
        """Which places of `rows` hold a passage, bool (queries, longest)."""
        return self.rows >= 0

    def table(self, values: Tensor, empty: float) -> Tensor:
        """Return values (n,) laid out as `rows` are, with `empty` where there is no passage."""
        present = self.present
        return values.new_full(self.rows.shape, empty).masked_scatter(present, values[self.rows[present]])

    def total(self, values: Tensor, query: Tensor) -> Tensor:
        """Return each query's sum of values (m,) that belong to queries (m,), float64 (queries,)."""
        return values.new_zeros(self.queries).index_add(0, query, values)

    def pairs(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return every pair of passages of one query whose grades differ.

        Returns:
            The query, the better passage and the worse one, int64 (pairs,) each.
        """
        grades = self.table(self.grades, float("nan"))
        query, better, worse = torch.nonzero(grades[:, :, None] > grades[:, None, :], as_tuple=True)
        return query, self.rows[query, better], self.rows[query, worse]

    def twos(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return every two passages of one query, once, as `pairs` does; grades may be equal."""
        present = self.present
        both = (present[:, :, None] & present[:, None, :]).triu(diagonal=1)
        query, first, second = torch.nonzero(both, as_tuple=True)
        return query, self.rows[query, first], self.rows[query, second]


def by_groups(scores: Tensor, grades: Tensor, groups: Tensor, weights: Tensor | None = None) -> Lists:
    """Lay out flat tensors by the query that each passage belongs to.

    Args:
        scores: Floats (n,).
        grades: Numbers (n,).
        groups: A query's number for each passage, integers (n,), in any order; only equality counts.
        weights: Factors (n,); None for ones.

    Raises:
        ValueError: the tensors are not flat, or not of one length.
    """
    shapes = [tuple(tensor.shape) for tensor in (scores, grades, groups)]
    shapes += [] if weights is None else [tuple(weights.shape)]
    if scores.ndim != 1 or len(set(shapes)) != 1:
        raise ValueError(
            f"scores, grades, groups and weights are flat and of one length; found shapes {shapes}"
        )
    groups = groups.to(scores.device)
    order = torch.argsort(groups, stable=True)
    counts = torch.unique(groups, return_counts=True)[1].tolist()
    return _lists(scores, grades, weights, counts, order)


def by_counts(scores: Tensor, grades: Tensor, counts: Sequence[int], weights: Tensor | None = None) -> Lists:
    """Lay out flat tensors in which query after query has its number of passages; it may be none."""
    return _lists(scores, grades, weights, counts, torch.arange(len(scores), device=scores.device))


def _lists(
    scores: Tensor, grades: Tensor, weights: Tensor | None, counts: Sequence[int], order: Tensor
) -> Lists:
    device = scores.device
    rows = torch.full((len(counts), max(counts, default=0)), -1, dtype=torch.int64, device=device)
    lengths = torch.tensor(list(counts), dtype=torch.int64, device=device)
    present = torch.arange(rows.shape[1], device=device)[None, :] < lengths[:, None]
    rows = rows.masked_scatter(present, order)
    scores = scores.double()
    factor = torch.ones_like(scores) if weights is None else weights.to(device).double()
    return Lists(scores, grades.to(device).double(), rows, factor.detach())
