"""What all objectives share: from texts through the model to one number, in which each query weighs the same."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from reranker.training.objectives.lists import Lists, by_counts
from reranker.training.reader import Pair, PairReader
from reranker.training.scoring import score_pairs


class QueryLoss(nn.Module, ABC):
    """A loss over lists of passages, as sentence-transformers' `CrossEncoderTrainer` (5 and later) calls one.

    The trainer's batch has the columns query (a string), passages (a list of strings or `PassageText`) and then,
    both optional, weights and prior (a list of numbers each, or None); its label is a list of grades. The number
    of passages may differ from query to query.

    Args:
        model: The cross-encoder, with one output.
        prior_scale: What the prior is multiplied with before it is added to the model's score. With more than 0 the
            model learns what the first stage leaves to be said, instead of the whole order.
        tokens_per_pass: How many tokens go through the model at once, padding included, windows of like length
            together; 0 for all. It changes memory and speed, and no gradient (but for what dropout draws).
        queries_per_batch: What the sum over queries is divided by; 0 for the number of queries in the batch. A
            trainer that accumulates gives its batch size, so that the queries of a last, smaller batch weigh
            what others do.
        reader: Turns pairs into windows, the best of which gives the score, as when the model is used by
            `reranker`; None for the model's own way with `PassageText.full`, which cuts what is too long.

    Attributes:
        pairs: How many pairs it has seen.

    Raises:
        ValueError: the model has more than one output.
    """

    def __init__(
        self,
        model: Any,
        *,
        prior_scale: float = 0.0,
        tokens_per_pass: int = 0,
        queries_per_batch: int = 0,
        reader: PairReader | None = None,
    ) -> None:
        super().__init__()
        if model.num_labels != 1:
            raise ValueError(f"a reranker has one output, a score; this model has {model.num_labels}")
        self.model = model
        self.prior_scale = prior_scale
        self.tokens_per_pass = tokens_per_pass
        self.queries_per_batch = queries_per_batch
        self.reader = reader
        self.pairs = 0

    @abstractmethod
    def by_query(self, lists: Lists) -> Tensor:
        """Return the loss of each query, float64 (queries,), connected to the scores."""

    def forward(
        self,
        inputs: Sequence[Any],
        labels: Sequence[Tensor],
        prompt: str | None = None,
        task: str | None = None,
    ) -> Tensor:
        """Return the batch's loss, a float64 scalar.

        Args:
            inputs: The columns of the batch: queries, passages, and where they are given weights and prior.
            labels: The grades of each query's passages.
            prompt: Put before the texts, where the model's own way of reading is used.
            task: Given to the model's own way of reading.

        Raises:
            ValueError: a query has not one grade, weight or prior for each of its passages.
        """
        queries, passages, weights, prior = (*inputs, None, None)[:4]
        counts = [len(listed) for listed in passages]
        _check("grades", counts, labels)
        pairs: list[Pair] = [
            (query, text) for query, texts in zip(queries, passages, strict=True) for text in texts
        ]
        self.pairs += len(pairs)
        scores = score_pairs(self.model, pairs, self.reader, self.tokens_per_pass, prompt, task).double()
        if self.prior_scale:
            scores = scores + self.prior_scale * _flat("prior", prior, counts, 0.0).to(scores.device)
        grades, factors = _flat("grades", labels, counts, 0.0), _flat("weights", weights, counts, 1.0)
        lists = by_counts(scores, grades, counts, factors)
        return self.by_query(lists).sum() / max(self.queries_per_batch or len(counts), 1)

    def get_config_dict(self) -> dict[str, Any]:
        """Return the settings, for the model card that the trainer writes."""
        hidden = {"training", "model", "reader", "pairs"}
        return {name: value for name, value in vars(self).items() if name[0] != "_" and name not in hidden}


def _check(what: str, counts: Sequence[int], values: Sequence[Any]) -> None:
    found = [len(listed) for listed in values]
    if found != list(counts):
        raise ValueError(f"each passage has its own of {what}; found {found} for {list(counts)} passages")


def _flat(what: str, values: Sequence[Any] | None, counts: Sequence[int], missing: float) -> Tensor:
    """Return a column's numbers one after the other; a query without any (None) gets the missing value."""
    values = [None] * len(counts) if values is None else values
    listed = [[missing] * count if row is None else row for row, count in zip(values, counts, strict=True)]
    _check(what, counts, listed)
    return (
        torch.cat([torch.as_tensor(row, dtype=torch.float64) for row in listed]) if listed else torch.zeros(0)
    )
