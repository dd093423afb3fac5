"""`JointSettings`: everything that decides how an encoder is fitted to readers, checked when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from indexer.encoder import DEFAULT_ENCODER
from reranker.errors import InvalidTrainingSettings
from reranker.training.steps import Schedule, StepSettings

Method: TypeAlias = Literal["lora", "full"]


@dataclass(frozen=True, slots=True)
class JointSettings(StepSettings):
    """How an encoder is fitted to readers, beside its steps (`reranker.training.steps.StepSettings`).

    Args:
        base: The encoder to start from: its name or its folder.
        method: `lora` trains small matrices beside the layers, which are merged into them in the end; `full` trains
            everything.
        max_tokens: Tokens of a text while training, specials included; what is longer is cut. Measuring reads as much
            as the encoder does. 0 for the encoder's own limit.
        rank: Width of LoRA's matrices.
        alpha: LoRA's factor.
        history: At most so many documents of a reader's history in a step, drawn anew in each epoch.
        documents: At most so many documents of a list in a step, drawn anew in each epoch; one that was clicked is
            among them.
        sharpness: What a score is multiplied by before RankNet looks at it: differences of cosines are small.
        anchor: How strongly vectors are held where they were before: so much times the mean of 1 - cos(new, old) is
            added to the loss. 0 lets them go.
        tokens_per_pass: Tokens that go through the model at once, padding included; 0 for a whole batch.

    Raises:
        InvalidTrainingSettings: a value is of another type or outside its range.
    """

    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = {
        **StepSettings.RANGES,
        "max_tokens": (0, 8192),
        "rank": (1, 1024),
        "alpha": (1e-6, 1e6),
        "history": (1, 1000),
        "documents": (2, 1000),
        "sharpness": (1e-3, 1e4),
        "anchor": (0, 1e4),
        "tokens_per_pass": (0, 10**9),
    }

    base: str = DEFAULT_ENCODER
    method: Method = "lora"
    max_tokens: int = 128
    rank: int = 16
    alpha: float = 32.0
    history: int = 6
    documents: int = 6
    sharpness: float = 20.0
    anchor: float = 2.0
    tokens_per_pass: int = 4096
    # Gentler than for a reranker, which begins with a head that knows nothing.
    learning_rate: float = 1e-4
    head_learning_rate: float = 1e-2
    schedule: Schedule = "linear"

    def _check_together(self) -> None:
        if not self.base.strip():
            raise InvalidTrainingSettings(f"base must name an encoder or its folder; found {self.base!r}")
        if 0 < self.max_tokens < 8:
            raise InvalidTrainingSettings(
                f"max_tokens must be 0, for the encoder's own limit, or from 8 to 8192; found {self.max_tokens}"
            )
