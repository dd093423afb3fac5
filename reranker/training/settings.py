"""`TrainingSettings`: everything that decides what a training run does, checked when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from indexer.encoder import DEFAULT_ENCODER
from reranker.errors import InvalidTrainingSettings
from reranker.training.objectives import OBJECTIVES, RELATIVE
from reranker.training.steps import StepSettings

Method: TypeAlias = Literal["lora", "full", "frozen"]
Pooling: TypeAlias = Literal["auto", "match", "pooler"]


@dataclass(frozen=True, slots=True)
class TrainingSettings(StepSettings):
    """How a reranker is trained, beside its steps. All can be given in TOML under these names.

    Args:
        base: What to start from: an encoder's name or folder, whose transformer gets a new head; or the folder of a
            cross-encoder, or of an adapter that was trained before, which is then trained further.
        method: `lora` trains small matrices beside the layers, and the head; `full` trains everything; `frozen`
            everything but the embeddings and the lowest `frozen_layers` layers.
        objective: What is made small; see `reranker.training.objectives`.
        layers: Which layers of the base are used, from 0 at the bottom; none named are all. A model of few layers is
            faster and less good.
        pooling: What a new head makes a score of: the states of query and passage, compared (`match`; see
            `reranker.match`), or the first token's through the base's own dense layer and tanh (`pooler`). `auto` is
            `match` for an adapter, and `pooler` for a whole model, which can have no other. No choice where the base
            has a head.
        max_tokens: Tokens of a window, query and specials included.
        rank: Width of LoRA's matrices.
        alpha: LoRA's factor; what is added is (alpha / rank) · B · A.
        frozen_layers: How many layers `frozen` leaves as they are, from below.
        zero_head: Whether a new head begins with zeros, so that training begins at the first stage's order.
        grade_aware: Whether `ranknet` weighs a pair by |2^a - 2^b|.
        prior_scale: What an example's prior, the first stage's score, is multiplied with before it is added to the
            model's in the loss; 0 to train the model's score alone.
        passages_per_query: At most so many passages of a query in an epoch, drawn anew for each; 0 for all.
        tokens_per_pass: Tokens that go through the model at once, padding included, those of passages of like length
            together; 0 for a whole batch. Changes speed and memory only.

    Raises:
        InvalidTrainingSettings: a value is of another type or outside its range, or two do not go together.
    """

    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = {
        **StepSettings.RANGES,
        "max_tokens": (32, 8192),
        "rank": (1, 1024),
        "alpha": (1e-6, 1e6),
        "frozen_layers": (1, 1000),
        "prior_scale": (0, 1e6),
        "passages_per_query": (0, 100_000),
        "tokens_per_pass": (0, 10**9),
    }

    base: str = DEFAULT_ENCODER
    method: Method = "lora"
    objective: str = "ranknet"
    layers: tuple[int, ...] = ()
    pooling: Pooling = "auto"
    max_tokens: int = 256
    rank: int = 32
    alpha: float = 64.0
    frozen_layers: int = 3
    zero_head: bool = False
    grade_aware: bool = False
    prior_scale: float = 0.0
    passages_per_query: int = 0
    tokens_per_pass: int = 4096

    def _check_together(self) -> None:
        if not self.base.strip():
            raise InvalidTrainingSettings(f"base must name a model or its folder; found {self.base!r}")
        if self.objective not in OBJECTIVES:
            raise InvalidTrainingSettings(
                f"objective must be one of {', '.join(OBJECTIVES)}; found {self.objective!r}"
            )
        if self.prior_scale and self.objective not in RELATIVE:
            raise InvalidTrainingSettings(
                f"prior_scale must be 0 with the objective {self.objective}, which wants the model's score itself; "
                f"found {self.prior_scale:g}. Objectives that a prior can be added to: {', '.join(sorted(RELATIVE))}"
            )
        if self.grade_aware and self.objective != "ranknet":
            raise InvalidTrainingSettings(
                f"grade_aware is a choice of the objective ranknet; found it with {self.objective}"
            )
