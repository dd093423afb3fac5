"""Margin-MSE: the student's differences of scores are to be the teacher's."""

from __future__ import annotations

import torch
from torch import Tensor

from reranker.training.objectives.lists import Lists
from reranker.training.objectives.query_loss import QueryLoss


class MarginLoss(QueryLoss):
    """Squared error of the difference of two passages' scores, over every two passages of a query.

    Grades are a teacher's scores (Hofstätter et al., 2020, "Improving efficient neural ranking models with
    cross-architecture knowledge distillation", with all pairs in the place of one). A constant that the teacher
    adds to all scores of a query changes nothing. A pair's weight is the product of its passages' weights.
    """

    def by_query(self, lists: Lists) -> Tensor:
        """Return the loss of each query, float64 (queries,)."""
        query, first, second = lists.twos()
        error = lists.scores - lists.grades
        losses = lists.weights[first] * lists.weights[second] * (error[first] - error[second]).square()
        pairs = lists.total(torch.ones_like(losses), query).clamp(min=1.0)
        return lists.total(losses, query) / pairs
