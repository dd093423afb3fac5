"""From a batch of lists to one number: RankNet over query and history together, and a hold on the vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from engine.personal.joint.example import JointExample
from engine.personal.joint.model import JointEncoder
from engine.personal.joint.settings import JointSettings
from reranker.training.objectives.lists import by_counts
from reranker.training.objectives.ranknet import ranknet_by_query

_LEAST_LENGTH = 1e-6
BETAS = (0.0, *(0.05 * 2 ** (n / 2) for n in range(14)))  # 0, and 0.05 to 4.5


def likings(vectors: Tensor, shares: Tensor, owners: Tensor, lists: int) -> Tensor:
    """Return each list's reader as a vector: the weighted mean of the history, at unit length; zeros without one.

    Args:
        vectors: Of the documents of all histories, shape (n, dim).
        shares: How much each counts, shape (n,).
        owners: Which list's history each belongs to, shape (n,).
        lists: How many lists.
    """
    total = vectors.new_zeros(lists, vectors.shape[1]).index_add(0, owners, shares[:, None] * vectors)
    return normalize(total, dim=1, eps=_LEAST_LENGTH)


def scores(queries: Tensor, readers: Tensor, documents: Tensor, owners: Tensor, weight: Tensor) -> Tensor:
    """Return cos(q, d) + β · cos(u, d) of each document with its list's query and reader, shape (n,).

    Args:
        queries: Unit vectors, shape (lists, dim).
        readers: As `likings` returns them.
        documents: Unit vectors, shape (n, dim).
        owners: The list of each document, shape (n,).
        weight: β, a scalar.
    """
    asked = (queries[owners] * documents).sum(dim=1)
    return asked + weight * (readers[owners] * documents).sum(dim=1)


class JointLoss(nn.Module):  # type: ignore[misc]  # torch's types are not checked
    """The loss of a batch, for `reranker.training.trainer.Trainer`.

    A document that is in several lists or histories of the batch is encoded once. Lists count alike, whatever their
    number of clicks.

    Args:
        model: What is trained.
        texts: Of all documents; examples name them by their numbers.
        settings: Sharpness, anchor, and how texts are cut.
        before: The vectors of `texts` and of the queries before training, where the anchor holds them.

    Attributes:
        pairs: How many documents it has scored.
    """

    def __init__(
        self, model: JointEncoder, texts: Sequence[str], settings: JointSettings, before: Before
    ) -> None:
        super().__init__()
        self.model = model
        self.pairs = 0
        self._texts = texts
        self._settings = settings
        self._before = before

    def forward(
        self,
        inputs: Sequence[Any],
        labels: Sequence[Tensor],
        prompt: str | None = None,
        task: str | None = None,
    ) -> Tensor:
        """Return the loss, a float64 scalar.

        Args:
            inputs: The columns of `JointRows` without the last.
            labels: The grades of each list.
            prompt: Not looked at; the trainer hands it on.
            task: The same.
        """
        asked, history, shares, shown, weights = inputs
        settings = self._settings
        numbers = sorted({number for listed in (*history, *shown) for number in listed})
        place = {number: at for at, number in enumerate(numbers)}
        queries = self.model.queries(asked, settings.max_tokens, settings.tokens_per_pass)
        vectors = self.model.passages(
            [self._texts[number] for number in numbers], settings.max_tokens, settings.tokens_per_pass
        )
        device = vectors.device

        def flat(lists: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
            rows = torch.tensor(
                [place[n] for listed in lists for n in listed], dtype=torch.int64, device=device
            )
            counts = torch.tensor([len(listed) for listed in lists], device=device)
            return rows, torch.arange(len(lists), device=device).repeat_interleave(counts)

        past, owners = flat(history)
        counted = torch.tensor([share for row in shares for share in row], dtype=torch.float32, device=device)
        readers = likings(vectors[past], counted, owners, len(asked))
        rows, owners = flat(shown)
        found = scores(queries, readers, vectors[rows], owners, self.model.history_weight())
        self.pairs += len(rows)
        factors = torch.tensor([factor for row in weights for factor in row], dtype=torch.float64)
        lists = by_counts(
            settings.sharpness * found, torch.cat(list(labels)), [len(row) for row in shown], factors
        )
        loss = ranknet_by_query(lists).sum() / settings.batch_queries
        if not settings.anchor:
            return loss
        held = torch.cat([self._before.texts[numbers], self._before.queries_of(asked)]).to(device)
        moved = 1.0 - (torch.cat([vectors, queries]) * held).sum(dim=1)
        return loss + settings.anchor * moved.double().mean() * (len(asked) / settings.batch_queries)


class Before:
    """The vectors of texts and queries as they were before training.

    Args:
        model: The model, not yet trained.
        texts: Of all documents.
        examples: Whose queries and documents are needed; vectors of other texts are zeros.
        max_tokens: Where texts are cut.
    """

    def __init__(
        self, model: JointEncoder, texts: Sequence[str], examples: Sequence[JointExample], max_tokens: int
    ) -> None:
        needed = sorted({number for one in examples for number in one.numbers()})
        vectors = model.frozen([texts[number] for number in needed], max_tokens).cpu()
        self.texts = torch.zeros(len(texts), vectors.shape[1])
        self.texts[needed] = vectors
        asked = sorted({one.query for one in examples})
        self._place = {query: at for at, query in enumerate(asked)}
        self._queries = model.frozen(asked, max_tokens, queries=True).cpu()

    def queries_of(self, asked: Sequence[str]) -> Tensor:
        """Return the vectors of queries, shape (n, dim)."""
        return self._queries[[self._place[query] for query in asked]]

    def best_weight(self, examples: Sequence[JointExample], sharpness: float) -> float:
        """Return the β with the least loss while the encoder is as it was: where training begins, and the rival."""
        if not any(one.history for one in examples):
            return 0.0
        shown = [number for one in examples for number in one.shown]
        owners = torch.arange(len(examples)).repeat_interleave(
            torch.tensor([len(one.shown) for one in examples])
        )
        past = [number for one in examples for number in one.history]
        past_owners = torch.arange(len(examples)).repeat_interleave(
            torch.tensor([len(one.history) for one in examples])
        )
        shares = torch.tensor([share for one in examples for share in one.shares])
        readers = likings(self.texts[past], shares, past_owners, len(examples))
        queries, documents = self.queries_of([one.query for one in examples]), self.texts[shown]
        grades = torch.tensor([grade for one in examples for grade in one.grades], dtype=torch.float64)
        factors = torch.tensor([factor for one in examples for factor in one.weights], dtype=torch.float64)
        counts = [len(one.shown) for one in examples]

        def loss(weight: float) -> float:
            found = scores(queries, readers, documents, owners, torch.tensor(weight))
            return float(ranknet_by_query(by_counts(sharpness * found, grades, counts, factors)).sum())

        return min(BETAS, key=loss)
