"""Objectives that look at one passage at a time: cross-entropy of clicks, and squared error of a teacher's scores."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from reranker.training.objectives.lists import Lists
from reranker.training.objectives.query_loss import QueryLoss


class CrossEntropyLoss(QueryLoss):
    """Binary cross-entropy: is this passage one that is clicked on?

    A grade is the probability that it is, so grades over 1 count as 1 and those under 0 as 0. A query's passages
    are averaged, each times its weight, then the queries.
    """

    def by_query(self, lists: Lists) -> Tensor:
        """Return the loss of each query, float64 (queries,)."""
        target = lists.grades.clamp(0.0, 1.0)
        return _mean(lists, binary_cross_entropy_with_logits(lists.scores, target, reduction="none"))


class SquaredErrorLoss(QueryLoss):
    """Mean squared error: grades are a teacher's scores, to be reached exactly."""

    def by_query(self, lists: Lists) -> Tensor:
        """Return the loss of each query, float64 (queries,)."""
        return _mean(lists, (lists.scores - lists.grades).square())


def _mean(lists: Lists, losses: Tensor) -> Tensor:
    query, column = torch.nonzero(lists.present, as_tuple=True)
    passage = lists.rows[query, column]
    passages = lists.present.sum(dim=1).clamp(min=1)
    return lists.total((lists.weights * losses)[passage], query) / passages
