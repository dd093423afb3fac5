"""Lists of readers as the trainer reads them: what is drawn of each depends on the seed and the epoch alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from engine.personal.joint.example import JointExample
from engine.personal.joint.settings import JointSettings
from reranker.training.rows import Place

COLUMNS = ("query", "history", "shares", "shown", "weights", "label")


class JointRows(Dataset[dict[str, Any]]):  # type: ignore[misc]  # torch's types are not checked
    """Lists by epoch and number, as the columns that `JointLoss` takes.

    Args:
        examples: The lists.
        settings: How many documents of each are read, and the seed of the choice.
    """

    column_names = COLUMNS

    def __init__(self, examples: Sequence[JointExample], settings: JointSettings) -> None:
        self._examples = examples
        self._settings = settings

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, place: Place) -> dict[str, Any]:
        epoch, number = place
        one = self._examples[number]
        chance = np.random.default_rng((self._settings.seed, epoch, number))
        past = sorted(chance.permutation(len(one.history)).tolist()[: self._settings.history])
        chosen = self._chosen(one, chance.permutation(len(one.shown)).tolist())
        return {
            "query": one.query,
            "history": [one.history[n] for n in past],
            "shares": [one.shares[n] for n in past],
            "shown": [one.shown[n] for n in chosen],
            "weights": [one.weights[n] for n in chosen],
            "label": [float(one.grades[n]) for n in chosen],
        }

    def _chosen(self, one: JointExample, order: list[int]) -> list[int]:
        """Return which documents are read: at most half of them clicked ones, at least one of each kind."""
        most = self._settings.documents
        clicked = [n for n in order if one.grades[n] > 0]
        others = [n for n in order if one.grades[n] <= 0]
        kept = clicked[: max(most // 2, most - len(others))]
        return sorted([*kept, *others[: most - len(kept)]])
