"""Objectives that look at a query's passages together: cross-entropy of the softmax over them."""

from __future__ import annotations

import torch
from torch import Tensor

from reranker.training.objectives.lists import Lists
from reranker.training.objectives.query_loss import QueryLoss


class ListwiseLoss(QueryLoss):
    """Softmax cross-entropy: of a query's passages, which one is it?

    The target is each grade's share of the query's grades (times the passage's weight); grades under 0 count as 0.
    A query whose grades are all 0 has no target and a loss of zero. One relevant passage among n gives the
    multi-class cross-entropy over n classes (Cao et al., 2007, "Learning to rank: from pairwise approach to
    listwise approach", with grades in the place of their exponentials).
    """

    def by_query(self, lists: Lists) -> Tensor:
        """Return the loss of each query, float64 (queries,)."""
        gains = lists.table(lists.grades.clamp(min=0.0), 0.0)
        sums = gains.sum(dim=1, keepdim=True)
        shares = torch.where(sums > 0, gains / torch.where(sums > 0, sums, 1.0), 0.0)
        return -(shares * lists.table(lists.weights, 0.0) * _log_softmax(lists)).sum(dim=1)


class DivergenceLoss(QueryLoss):
    """Kullback-Leibler divergence from a teacher: grades are its scores, and their softmax is the target.

    Zero where the model's scores are the teacher's up to a constant of the query.
    """

    def by_query(self, lists: Lists) -> Tensor:
        """Return the loss of each query, float64 (queries,)."""
        target = _log_softmax_of(lists, lists.grades)
        weights = lists.table(lists.weights, 0.0)
        return (weights * target.exp() * (target - _log_softmax(lists))).sum(dim=1)


def _log_softmax(lists: Lists) -> Tensor:
    return _log_softmax_of(lists, lists.scores)


def _log_softmax_of(lists: Lists, values: Tensor) -> Tensor:
    """Return the log of each passage's share, (queries, longest); 0 where there is no passage.

    Places without a passage are left out of the sum instead of being given a very low score, so that nothing
    depends on how low it is.
    """
    if not lists.rows.numel():
        return lists.table(values, 0.0)
    table, present = lists.table(values, 0.0), lists.present
    highest = table.masked_fill(~present, -torch.inf).amax(dim=1, keepdim=True)
    shifted = torch.where(
        present, table - torch.where(present.any(dim=1, keepdim=True), highest, 0.0).detach(), 0.0
    )
    total = torch.where(present, shifted.exp(), 0.0).sum(dim=1, keepdim=True)
    return torch.where(present, shifted - total.clamp(min=torch.finfo(torch.float64).tiny).log(), 0.0)
