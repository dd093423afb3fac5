"""How well readers' lists are put in order: nDCG@10 and the reciprocal rank, averaged reader by reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from engine.personal.joint.example import JointExample
from engine.personal.joint.loss import likings, scores
from engine.personal.joint.model import JointEncoder
from engine.personal.joint.outcome import MRR, NDCG, NONE, OTHER, OWN
from reranker.training.measure import ndcg

Values = Mapping[str, Mapping[str, NDArray[np.float64]]]
"""Measure to whose history to a value for each reader, by the readers' numbers."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a model makes of some lists.

    Args:
        values: Means over each reader's lists. `OTHER` is left out where there is one reader alone.
        vectors: Of the documents, for comparison with another model's, shape (n, dim).
    """

    values: Values
    vectors: Tensor


def measure(
    model: JointEncoder, texts: Sequence[str], examples: Sequence[JointExample], weight: float
) -> Measured:
    """Return how well a model orders lists, reading as much of each text as it would for an index.

    Args:
        model: As it is now; without dropout.
        texts: Of all documents.
        examples: The lists, at least one.
        weight: β.
    """
    ways = {OWN: list(examples), NONE: [replace(one, history=(), shares=()) for one in examples]}
    if swapped := exchanged(examples):
        ways[OTHER] = swapped
    numbers = sorted({number for way in ways.values() for one in way for number in one.numbers()})
    place = {number: at for at, number in enumerate(numbers)}
    vectors = model.frozen([texts[number] for number in numbers]).cpu()
    asked = sorted({one.query for one in examples})
    queries = dict(zip(asked, model.frozen(asked, queries=True).cpu(), strict=True))
    values: dict[str, dict[str, NDArray[np.float64]]] = {NDCG: {}, MRR: {}}
    for name, lists in ways.items():
        ordered = [_scores(one, queries[one.query], vectors, place, weight) for one in lists]
        pairs = list(zip(lists, ordered, strict=True))
        values[NDCG][name] = _by_reader(lists, [ndcg(one.grades, found) for one, found in pairs])
        values[MRR][name] = _by_reader(lists, [reciprocal_rank(one.grades, found) for one, found in pairs])
    return Measured(values, vectors)


def exchanged(examples: Sequence[JointExample]) -> list[JointExample]:
    """Return the lists, each with the history of the next reader: what is gained with it is not personal.

    Documents of the list itself are left out of it, as they are of the reader's own. Empty where there is one reader
    alone.
    """
    last = {one.reader: one for one in examples}
    readers = sorted(last)
    if len(readers) < 2:
        return []
    following = dict(zip(readers, [*readers[1:], readers[0]], strict=True))
    found = []
    for one in examples:
        lent, listed = last[following[one.reader]], set(one.shown)
        kept = [pair for pair in zip(lent.history, lent.shares, strict=True) if pair[0] not in listed]
        found.append(
            replace(one, history=tuple(n for n, _ in kept), shares=tuple(share for _, share in kept))
        )
    return found


def reciprocal_rank(grades: ArrayLike, found: ArrayLike) -> float:
    """Return 1 over the rank of the first document with a grade above 0; 0 where there is none.

    Of documents with the same score those with the lower grades come first, so nothing is gained by scoring alike.

    Args:
        grades: Shape (n,).
        found: Scores, shape (n,), higher is better.
    """
    wanted, values = np.asarray(grades, np.float64) > 0, np.asarray(found, np.float64)
    if not wanted.any():
        return 0.0
    best = values[wanted].max()
    return 1.0 / (1 + int((values[~wanted] >= best).sum()))


def _scores(
    one: JointExample, query: Tensor, vectors: Tensor, place: Mapping[int, int], weight: float
) -> NDArray[np.float64]:
    past = vectors[[place[number] for number in one.history]]
    owners = torch.zeros(len(past), dtype=torch.int64)
    reader = likings(past, torch.tensor(one.shares), owners, 1)
    shown = vectors[[place[number] for number in one.shown]]
    owners = torch.zeros(len(shown), dtype=torch.int64)
    found = scores(query[None], reader, shown, owners, torch.tensor(weight))
    return np.asarray(found.double().numpy(), np.float64)


def _by_reader(lists: Sequence[JointExample], values: Sequence[float]) -> NDArray[np.float64]:
    own: dict[int, list[float]] = {}
    for one, value in zip(lists, values, strict=True):
        own.setdefault(one.reader, []).append(value)
    return np.array([np.mean(own[reader]) for reader in sorted(own)], np.float64)
