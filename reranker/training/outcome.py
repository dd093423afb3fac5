"""What came of a training run: where the model is, and what it changed on the development queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reranker.data.example import Example
from reranker.training.measure import Change, change, ndcg
from reranker.training.replay import OLD

Scored = Sequence[NDArray[np.float64]]
"""The scores of each development query's passages."""

ALL, NEW, REPLAYED = "all", "new", "old"


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """A finished run.

    Args:
        folder: The run's folder (`reranker.training.run_folder` says what is in it).
        model: The folder of what was trained, for `load_reranker`.
        steps: Steps of the optimiser.
        seconds: This call took, from the first step on; what an interrupted run took before is not in it.
        stopped_early: Whether `patience` ended the run.
        kept_step: The step whose weights were saved.
        changes: nDCG@10 before and after training, of all development queries (`all`), of the new and of the
            replayed ones where there are both (`new`, `old`), and of each source. Empty without such queries.
        over_prior: The same with the first stage's order in the place of the model before; where priors are known.
    """

    folder: Path
    model: Path
    steps: int
    seconds: float
    stopped_early: bool
    kept_step: int
    changes: Mapping[str, Change]
    over_prior: Mapping[str, Change]

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as report.json has it."""
        return {
            "model": str(self.model.relative_to(self.folder)),
            "steps": self.steps,
            "seconds": round(self.seconds, 3),
            "stopped_early": self.stopped_early,
            "kept_step": self.kept_step,
            "measure": "nDCG@10",
            "before_and_after": {name: _record(one) for name, one in self.changes.items()},
            "first_stage_and_after": {name: _record(one) for name, one in self.over_prior.items()},
        }


def summed(examples: Sequence[Example], scores: Scored, prior_scale: float) -> list[NDArray[np.float64]]:
    """Return the scores that passages are ordered by: with the prior added, where the model was trained beside it."""
    if not prior_scale:
        return list(scores)
    return [
        row if one.prior is None else row + prior_scale * np.asarray(one.prior, np.float64)
        for one, row in zip(examples, scores, strict=True)
    ]


def measured(examples: Sequence[Example], scores: Scored) -> NDArray[np.float64]:
    """Return nDCG@10 of each query."""
    return np.array([ndcg(one.grades, row) for one, row in zip(examples, scores, strict=True)], np.float64)


def changes(examples: Sequence[Example], before: Scored, after: Scored, seed: int = 0) -> dict[str, Change]:
    """Return how nDCG@10 changed, for the groups that `TrainingOutcome.changes` names."""
    if not len(examples):
        return {}
    old, new = measured(examples, before), measured(examples, after)
    groups = _groups([one.source for one in examples])
    return {name: change(old[members], new[members], seed) for name, members in groups.items()}


def over_prior(examples: Sequence[Example], after: Scored, seed: int = 0) -> dict[str, Change]:
    """Return how nDCG@10 differs from the first stage's, over the queries whose prior is known."""
    known = [number for number, one in enumerate(examples) if one.prior is not None]
    some = [examples[number] for number in known]
    first = [np.asarray(one.prior, np.float64) for one in some]
    return changes(some, first, [after[number] for number in known], seed)


def _groups(sources: Sequence[str]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {ALL: list(range(len(sources)))}
    old = [number for number, source in enumerate(sources) if source.startswith(OLD)]
    if old and len(old) < len(sources):
        groups[NEW] = sorted(set(groups[ALL]) - set(old))
        groups[REPLAYED] = old
    names = sorted(set(sources))
    if len(names) > 1:
        for name in names:
            groups[name or "(no source)"] = [
                number for number, source in enumerate(sources) if source == name
            ]
    return groups


def _record(one: Change) -> dict[str, Any]:
    values = {"before": one.before, "after": one.after, "difference": one.difference, "p": one.p}
    return {"queries": one.queries} | {name: round(value, 6) for name, value in values.items()}
