"""What all objectives share: from batches of texts, through the model, to one number in which each query weighs the same."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from reranker.pairs import PassageText, passage_text
from reranker.training.objectives.lists import Lists, by_counts

Pair: TypeAlias = tuple[str, str | PassageText]
"""A query and a passage."""

Reader: TypeAlias = Callable[[Sequence[Pair]], dict[str, Tensor]]
"""Turns pairs into what the model takes."""


class QueryLoss(nn.Module, ABC):
    """A loss over lists of passages, as sentence-transformers' `CrossEncoderTrainer` (5 and later) calls one.

    The trainer's batch has the columns query (a string), passages (a list of strings or `PassageText`) and then,
    both optional, weights and prior (a list of numbers each, or None); its label is a list of grades. The number
    of passages may differ from query to query.

    Args:
        model: The cross-encoder, with one output.
        prior_scale: What the prior is multiplied with before it is added to the model's score. With more than 0 the
            model learns what the first stage leaves to be said, instead of the whole order.
        pairs_per_pass: How many pairs go through the model at once, those of like length together; 0 for all.
            It changes memory and speed, and no gradient (but for the random numbers that dropout draws).
        queries_per_batch: What the sum over queries is divided by; 0 for the number of queries in the batch. A
            trainer that accumulates gives its batch size, so that the queries of a last, smaller batch weigh
            what others do.
        reader: Turns pairs into what the model takes; None for the model's own way with `PassageText.full`.

    Raises:
        ValueError: the model has more than one output.
    """

    def __init__(
        self,
        model: Any,
        *,
        prior_scale: float = 0.0,
        pairs_per_pass: int = 0,
        queries_per_batch: int = 0,
        reader: Reader | None = None,
    ) -> None:
        super().__init__()
        if model.num_labels != 1:
            raise ValueError(f"a reranker has one output, a score; this model has {model.num_labels}")
        self.model = model
        self.prior_scale = prior_scale
        self.pairs_per_pass = pairs_per_pass
        self.queries_per_batch = queries_per_batch
        self.reader = reader

    @abstractmethod
    def by_query(self, lists: Lists) -> Tensor:
        """Return the loss of each query, float64 (queries,), connected to the scores."""

    def forward(
        self, inputs: Sequence[Any], labels: Sequence[Tensor], prompt: str | None = None, task: str | None = None
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
        pairs: list[Pair] = [(query, text) for query, texts in zip(queries, passages, strict=True) for text in texts]
        scores = self._scores(pairs, prompt, task).double()
        if self.prior_scale:
            scores = scores + self.prior_scale * _flat("prior", prior, counts, 0.0).to(scores.device)
        grades, factors = _flat("grades", labels, counts, 0.0), _flat("weights", weights, counts, 1.0)
        lists = by_counts(scores, grades, counts, factors)
        return self.by_query(lists).sum() / max(self.queries_per_batch or len(counts), 1)

    def _scores(self, pairs: Sequence[Pair], prompt: str | None, task: str | None) -> Tensor:
        """Return the model's score of each pair, (n,), in the order given."""
        if not pairs:
            return next(self.model.parameters()).flatten()[:0]
        order = sorted(range(len(pairs)), key=lambda place: _length(pairs[place]))
        step = self.pairs_per_pass or len(pairs)
        passes = [
            self._pass([pairs[place] for place in order[start : start + step]], prompt, task)
            for start in range(0, len(pairs), step)
        ]
        back = torch.empty(len(pairs), dtype=torch.int64)
        back[torch.tensor(order)] = torch.arange(len(pairs))
        scores = torch.cat(passes)
        return scores[back.to(scores.device)]

    def _pass(self, pairs: Sequence[Pair], prompt: str | None, task: str | None) -> Tensor:
        if self.reader is None:
            texts = [(query, passage_text(passage).full) for query, passage in pairs]
            features = self.model.preprocess(texts, prompt=prompt, task=task)
        else:
            features = self.reader(pairs)
        device = self.model.device
        moved = {name: value.to(device) if hasattr(value, "to") else value for name, value in features.items()}
        return torch.as_tensor(self.model(moved)["scores"]).view(-1)

    def get_config_dict(self) -> dict[str, Any]:
        """Return the settings, for the model card that the trainer writes."""
        hidden = {"training", "model", "reader"}
        return {name: value for name, value in vars(self).items() if name[0] != "_" and name not in hidden}


def _length(pair: Pair) -> int:
    query, passage = pair
    return len(query) + (len(passage) if isinstance(passage, str) else len(passage.text) + len(passage.context))


def _check(what: str, counts: Sequence[int], values: Sequence[Any]) -> None:
    found = [len(listed) for listed in values]
    if found != list(counts):
        raise ValueError(f"each passage has its own of {what}; found {found} for {list(counts)} passages")


def _flat(what: str, values: Sequence[Any] | None, counts: Sequence[int], missing: float) -> Tensor:
    """Return a column's numbers one after the other; a query without any (None) gets the missing value."""
    listed = [[missing] * count if given is None else given for count, given in zip(counts, values, strict=True)] \
        if values is not None else [[missing] * count for count in counts]
    _check(what, counts, listed)
    return torch.cat([torch.as_tensor(row, dtype=torch.float64) for row in listed]) if listed else torch.zeros(0)
