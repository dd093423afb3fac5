"""LambdaLoss: RankNet whose pairs weigh what exchanging them would change in nDCG."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from reranker.training.objectives.lists import Lists
from reranker.training.objectives.query_loss import QueryLoss

_MU = 10.0


class LambdaLoss(QueryLoss):
    """LambdaLoss with the weights of NDCG-Loss2++ (Wang et al., 2018, "The LambdaLoss framework", section 4).

    With the order that the scores give now, ranks i and j (from 1), discount D(i) = log2(1 + i) and gain
    G = (2^grade - 1) / ideal DCG, a pair weighs (rho + 10 · delta) · |G_i - G_j|, where
    rho = |1/D(i) - 1/D(j)| and delta = |1/D(|i-j|) - 1/D(|i-j|+1)|. Weights are constants for the gradient.
    A query's loss is the sum over its pairs, in bits; since gains are shares of the ideal, queries weigh alike.
    Grades under 0 count as 0.
    """

    def by_query(self, lists: Lists) -> Tensor:
        """Return the loss of each query, float64 (queries,)."""
        query, better, worse = lists.pairs()
        ranks = _ranks(lists)
        gains = _gains(lists)
        high, low = ranks[better], ranks[worse]
        rho = (1 / _discount(high) - 1 / _discount(low)).abs()
        apart = (high - low).abs()
        delta = (1 / _discount(apart) - 1 / _discount(apart + 1)).abs()
        weight = (rho + _MU * delta) * (gains[better] - gains[worse]).abs() * lists.weights[better]
        surprise = -logsigmoid(lists.scores[better] - lists.scores[worse]) / torch.log(weight.new_tensor(2.0))
        return lists.total(weight * surprise, query)


def _discount(rank: Tensor) -> Tensor:
    return torch.log2(1.0 + rank)


def _ranks(lists: Lists) -> Tensor:
    """Return each passage's place among its query's, from 1, float64 (n,); of equal scores the earlier is first."""
    table = lists.table(lists.scores.detach(), -torch.inf)
    order = torch.argsort(table, dim=1, descending=True, stable=True)
    places = torch.argsort(order, dim=1).double() + 1.0
    return _flat(lists, places)


def _gains(lists: Lists) -> Tensor:
    """Return each passage's gain as a share of its query's ideal DCG, float64 (n,); 0 where the ideal is."""
    gains = lists.table(torch.exp2(lists.grades.clamp(min=0.0)) - 1.0, 0.0)
    best = torch.sort(gains, dim=1, descending=True).values
    places = torch.arange(1, gains.shape[1] + 1, dtype=gains.dtype, device=gains.device)
    ideal = (best / _discount(places)).sum(dim=1, keepdim=True)
    return _flat(lists, torch.where(ideal > 0, gains / torch.where(ideal > 0, ideal, 1.0), 0.0))


def _flat(lists: Lists, table: Tensor) -> Tensor:
    """Undo `Lists.table`."""
    present = lists.present
    return table.new_zeros(lists.scores.shape).scatter(0, lists.rows[present], table[present])
