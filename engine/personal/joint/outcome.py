"""What came of fitting an encoder: where it is, what it changed for readers it never saw, what may be said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from reranker.training.measure import Change

OWN, NONE, OTHER = "with the reader's history", "without a history", "with another reader's history"
NDCG, MRR = "nDCG@10", "MRR"

Verdict: TypeAlias = Literal["better", "worse", "undecided", "unmeasured"]
CHANCE = 0.05
"""A difference that chance gives more often than this is none to rely on."""


@dataclass(frozen=True, slots=True)
class JointOutcome:
    """A finished run.

    Args:
        folder: The run's folder.
        model: The encoder's folder in it, for `quire index --encoder`.
        steps: Steps of the optimiser.
        kept_step: The step whose weights were saved.
        stopped_early: Whether `patience` ended the run.
        seconds: From the first step on; what an interrupted run took before is not in it.
        weight_before: β that goes best with the encoder as it was, on the lists to learn from.
        weight: β that was learnt.
        changes: Measure to whose history to how it changed; the units are readers, `Change.queries` counts them.
            Before is the encoder as it was with `weight_before`. Empty without readers to measure on.
        kept: The mean cosine of documents' vectors after with those before; 1 is unmoved. 1 where nothing was
            measured.
    """

    folder: Path
    model: Path
    steps: int
    kept_step: int
    stopped_early: bool
    seconds: float
    weight_before: float
    weight: float
    changes: Mapping[str, Mapping[str, Change]]
    kept: float

    @property
    def verdict(self) -> Verdict:
        """Whether it is better for readers who were not learnt from, by nDCG@10 with their own histories."""
        if not self.changes:
            return "unmeasured"
        change = self.changes[NDCG][OWN]
        if change.p > CHANCE:
            return "undecided"
        return "better" if change.difference > 0 else "worse"

    @property
    def said(self) -> str:
        """The verdict in a sentence or two."""
        return _SAID[self.verdict]

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as report.json has it."""
        return {
            "model": str(self.model.relative_to(self.folder)),
            "steps": self.steps,
            "kept_step": self.kept_step,
            "stopped_early": self.stopped_early,
            "seconds": round(self.seconds, 3),
            "history_weight_before": round(self.weight_before, 6),
            "history_weight": round(self.weight, 6),
            "verdict": self.verdict,
            "said": self.said,
            "cosine_with_before": round(self.kept, 6),
            "changes": {
                measure: {name: _record(one) for name, one in changes.items()}
                for measure, changes in self.changes.items()
            },
        }


_SAID: Mapping[Verdict, str] = {
    "better": "For readers whose lists were not learnt from it orders them better than before, and by more than "
    "chance.",
    "worse": "For readers whose lists were not learnt from it orders them worse than before: do not use it.",
    "undecided": "For readers whose lists were not learnt from the difference is no larger than chance would give: "
    "nothing says that it is better, so keep the encoder that you have.",
    "unmeasured": "There were no readers to measure on, so nothing is known of how good it is.",
}


def _record(one: Change) -> dict[str, Any]:
    values = {"before": one.before, "after": one.after, "difference": one.difference, "p": one.p}
    return {"readers": one.queries} | {name: round(value, 6) for name, value in values.items()}
