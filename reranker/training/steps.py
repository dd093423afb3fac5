"""`StepSettings`: what decides the steps of any training run, whatever is trained; checked when it is made."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

from reranker.errors import InvalidTrainingSettings

Schedule: TypeAlias = Literal["linear", "cosine", "constant"]
Precision: TypeAlias = Literal["auto", "fp32", "bf16", "fp16"]
Device: TypeAlias = Literal["auto", "cpu", "cuda"]
Keep: TypeAlias = Literal["best", "last"]
Settings = TypeVar("Settings", bound="StepSettings")


@dataclass(frozen=True, slots=True)
class StepSettings:
    """How long, how fast and on what a model is trained.

    Args:
        epochs: How often the data are gone through.
        max_steps: Steps of the optimiser after which to stop, whatever `epochs` says; 0 for no such limit.
        batch_queries: Queries of a batch.
        accumulate: Batches of a step.
        learning_rate: The highest.
        head_learning_rate: The head's; 0 for the same.
        layer_decay: What the learning rate is multiplied with from each layer to the one below it.
        warm_up: Share of the steps in which the learning rate rises to its highest.
        schedule: How it falls afterwards.
        weight_decay: AdamW's.
        clip: The length that a gradient is cut to; 0 to cut none.
        dropout: The share of values left out while training, in the transformer and before its head.
        evaluate_every: Steps from one measurement on the development queries to the next; 0 for ten in a run.
        patience: Stop after so many measurements without a better one; 0 to go on to the end.
        keep: Which weights are saved in the end: the `best` on the development queries, or the `last`.
        log_every: Steps from one line of the log to the next.
        precision: What is computed in; `auto` is bf16 on a GPU that has it (else fp16), and fp32 on a CPU.
        device: `auto` is a GPU where torch finds one.
        threads: Processors to use; 0 for torch's own choice.
        seed: Of the head's first weights, of the order of the data, and of dropout.

    Raises:
        InvalidTrainingSettings: a value is of another type or outside its range, or two do not go together.
    """

    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = {
        "epochs": (0, 10_000),
        "max_steps": (0, 10**9),
        "batch_queries": (1, 100_000),
        "accumulate": (1, 100_000),
        "learning_rate": (1e-12, 1),
        "head_learning_rate": (0, 1),
        "layer_decay": (1e-3, 1),
        "warm_up": (0, 1),
        "weight_decay": (0, 1),
        "clip": (0, 1e6),
        "dropout": (0, 0.9),
        "evaluate_every": (0, 10**9),
        "patience": (0, 10_000),
        "log_every": (1, 10**9),
        "threads": (0, 4096),
        "seed": (0, 2**31 - 1),
    }

    epochs: float = 1.0
    max_steps: int = 0
    batch_queries: int = 8
    accumulate: int = 1
    learning_rate: float = 2e-4
    head_learning_rate: float = 0.0
    layer_decay: float = 1.0
    warm_up: float = 0.1
    schedule: Schedule = "linear"
    weight_decay: float = 0.01
    clip: float = 1.0
    dropout: float = 0.1
    evaluate_every: int = 0
    patience: int = 0
    keep: Keep = "best"
    log_every: int = 10
    precision: Precision = "auto"
    device: Device = "auto"
    threads: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        kinds = get_type_hints(type(self))
        for field in fields(self):
            value = _typed(field.name, kinds[field.name], getattr(self, field.name))
            object.__setattr__(self, field.name, value)
        for name, (low, high) in self.RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise InvalidTrainingSettings(f"{name} must be from {low:g} to {high:g}; found {value!r}")
        if not self.epochs and not self.max_steps:
            raise InvalidTrainingSettings("epochs or max_steps must be more than 0; found 0 for both")
        self._check_together()

    def _check_together(self) -> None:
        """Refuse values that do not go together; for those who add some."""

    @classmethod
    def from_mapping(cls: type[Settings], values: Mapping[str, Any]) -> Settings:
        """Return the settings of a mapping, such as a TOML table; what it leaves out has its default.

        Raises:
            InvalidTrainingSettings: it names a setting that there is none of, or a value cannot be.
        """
        known = {field.name for field in fields(cls)}
        for name in values:
            if name not in known:
                like = difflib.get_close_matches(str(name), known, 1)
                hint = f"; did you mean {like[0]}?" if like else f"; there are: {', '.join(sorted(known))}"
                raise InvalidTrainingSettings(f"there is no setting {name!r} of training{hint}")
        return cls(**{str(name): value for name, value in values.items()})

    def to_json(self) -> dict[str, Any]:
        """Return a mapping that `from_mapping` reads."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }


def _typed(name: str, kind: Any, value: Any) -> Any:
    """Return a value as its setting's type; a whole number serves where a number is wanted."""
    if get_origin(kind) is Literal:
        if isinstance(value, str) and value in get_args(kind):
            return value
        raise InvalidTrainingSettings(f"{name} must be one of {', '.join(get_args(kind))}; found {value!r}")
    if get_origin(kind) is tuple:
        whole = isinstance(value, list | tuple) and all(type(item) is int and item >= 0 for item in value)
        if whole and list(value) == sorted(set(value)):
            return tuple(value)
        raise InvalidTrainingSettings(
            f"{name} must be rising whole numbers, such as [0, 2, 5]; found {value!r:.60}"
        )
    if (
        kind is float
        and isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
    ):
        return float(value)
    if isinstance(value, kind) and kind is not float and not (kind is int and isinstance(value, bool)):
        return value
    expected = {float: "a finite number", int: "a whole number", bool: "true or false", str: "a string"}[kind]
    raise InvalidTrainingSettings(f"{name} must be {expected}; found {value!r:.60}")
