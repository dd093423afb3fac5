"""RankNet: the logistic loss of every pair of passages that should be told apart."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from reranker.training.objectives.lists import Lists, by_groups
from reranker.training.objectives.query_loss import QueryLoss


def ranknet(
    scores: Tensor,
    grades: Tensor,
    groups: Tensor,
    weights: Tensor | None = None,
    *,
    grade_aware: bool = False,
) -> Tensor:
    """Return the RankNet loss, the mean over queries of the mean over a query's pairs.

    For a pair of passages of one query with grades a > b, the loss is -log sigmoid(s_a - s_b)
    (Burges et al., 2005, "Learning to rank using gradient descent", equation 3 with a target of 1). Its derivative
    by s_a is sigmoid(s_a - s_b) - 1: a pair that is badly inverted pulls with full strength, and nothing overflows.

    - A query's pairs are averaged before queries are, so each query weighs the same, however many pairs it has.
    - A query without a pair (one passage, or one grade) counts as a query whose loss is zero, and that zero is
      connected to the graph: `backward` gives zeros, not an error and not NaN.
    - Passages of different queries are never compared, and there is no padding that could be.

    Args:
        scores: The model's, floats (n,); computed with in double precision.
        grades: Higher is better, any finite numbers (n,); equal grades make no pair.
        groups: Which query each passage belongs to, integers (n,), in any order.
        weights: A factor for each passage (an inverse propensity), applied to the pairs in which it is the better
            one (Joachims et al., 2017, "Unbiased learning-to-rank with biased feedback"). They are not normalised
            away: that a rare click counts for more is what they are for.
        grade_aware: Weight a pair by |2^a - 2^b| within its query's mean, so that telling a perfect passage from a
            useless one matters more than telling good from fair.

    Returns:
        A float64 scalar; zero where there are no passages at all.
    """
    lists = by_groups(scores, grades, groups, weights)
    return ranknet_by_query(lists, grade_aware=grade_aware).sum() / max(lists.queries, 1)


def ranknet_by_query(lists: Lists, *, grade_aware: bool = False) -> Tensor:
    """Return the loss of each query, float64 (queries,); see `ranknet`."""
    query, better, worse = lists.pairs()
    importance = (
        _importance(lists, query, better, worse) if grade_aware else lists.weights.new_ones(len(query))
    )
    share = importance / lists.total(importance, query).clamp(min=torch.finfo(torch.float64).tiny)[query]
    surprise = -logsigmoid(lists.scores[better] - lists.scores[worse])
    return lists.total(share * lists.weights[better] * surprise, query)


def _importance(lists: Lists, query: Tensor, better: Tensor, worse: Tensor) -> Tensor:
    """Return 2^a - 2^b for each pair, divided by 2^(the query's highest grade): only their ratios count."""
    highest = (
        lists.table(lists.grades, -torch.inf).amax(dim=1)[query] if len(query) else lists.grades.new_zeros(0)
    )
    apart = lists.grades[better] - lists.grades[worse]
    gain = torch.exp2(lists.grades[better] - highest) * -torch.expm1(
        -apart * torch.log(apart.new_tensor(2.0))
    )
    return gain.clamp(min=torch.finfo(torch.float64).tiny)


class RankNetLoss(QueryLoss):
    """RankNet as a loss for sentence-transformers' `CrossEncoderTrainer`; see `ranknet` and `QueryLoss`.

    Args:
        model: The cross-encoder that is trained.
        grade_aware: As `ranknet`.
        **options: As `QueryLoss`.
    """

    def __init__(self, model: Any, *, grade_aware: bool = False, **options: Any) -> None:
        super().__init__(model, **options)
        self.grade_aware = grade_aware

    def by_query(self, lists: Lists) -> Tensor:
        """Return the loss of each query, float64 (queries,)."""
        return ranknet_by_query(lists, grade_aware=self.grade_aware)
