"""What is made small in training, by name. All take the same data: queries with graded passages.

    ranknet      pairs of passages with different grades, told apart            grades of any kind
    lambda       the same pairs, weighed by what they change in nDCG            grades 0, 1, 2, ...
    listwise     which of a query's passages is it                              grades of any kind, not below 0
    bce          is this passage one that is clicked on                         clicks; probabilities
    mse          a teacher's scores, exactly                                    a teacher's scores
    margin-mse   a teacher's differences of scores                              a teacher's scores
    kl           a teacher's softmax over a query's passages                    a teacher's scores

Modules in here import torch. The names can be had without it.
"""

from __future__ import annotations

from typing import Any

OBJECTIVES: dict[str, str] = {
    "ranknet": "reranker.training.objectives.ranknet:RankNetLoss",
    "lambda": "reranker.training.objectives.lambda_ndcg:LambdaLoss",
    "listwise": "reranker.training.objectives.listwise:ListwiseLoss",
    "bce": "reranker.training.objectives.pointwise:CrossEntropyLoss",
    "mse": "reranker.training.objectives.pointwise:SquaredErrorLoss",
    "margin-mse": "reranker.training.objectives.margin:MarginLoss",
    "kl": "reranker.training.objectives.listwise:DivergenceLoss",
}
"""Every objective's class."""

RELATIVE = frozenset({"ranknet", "lambda", "listwise", "margin-mse", "kl"})
"""Those that see only differences of one query's scores, so that the first stage's score can be added."""


def objective(name: str, model: Any, **options: Any) -> Any:
    """Return an objective for a model, a `QueryLoss`; the options are those of its class."""
    from importlib import import_module

    module, _, kind = OBJECTIVES[name].partition(":")
    return getattr(import_module(module), kind)(model, **options)
