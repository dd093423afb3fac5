"""What a measure is, and what it may look at."""

from __future__ import annotations

import math
from collections.abc import Collection as Several
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from eval.collection import Judgements
from eval.run import Run

Vectors: TypeAlias = Mapping[str, Sequence[float]]
"""Document to its vector, of any length; numpy arrays of shape (dim,) do."""


@dataclass(frozen=True, slots=True)
class Known:
    """All that a measure may look at.

    Args:
        run: What was answered.
        judgements: What is right.
        vectors: The documents' vectors, for measures of diversity; empty where nobody gave any.
    """

    run: Run
    judgements: Judgements
    vectors: Vectors = field(default_factory=dict)


@runtime_checkable
class Measure(Protocol):
    """A measure: a value that is hashed and compared by its name, and prints as `parse_measure` reads it."""

    @property
    def default(self) -> float:
        """What a judged query counts with that the run does not answer."""
        ...

    @property
    def lower_is_better(self) -> bool:
        """Whether a smaller value is the better one, as of times."""
        ...

    def aggregate(self, values: Several[float]) -> float:
        """Return one number for all queries: the mean, for most measures."""
        ...

    def __str__(self) -> str: ...
    def __hash__(self) -> int: ...


class OwnMeasure(Measure, Protocol):
    """A measure that is counted here, and not by ir_measures."""

    def values(self, known: Known) -> Mapping[str, float]:
        """Return query to value: every query that is judged for this measure.

        Raises:
            InvalidEvaluation: what this measure needs is not known.
        """
        ...


class Averaged:
    """What most measures share: the mean over queries, the more the better, and nothing for no answer."""

    __slots__ = ()

    @property
    def default(self) -> float:
        """What a judged query counts with that the run does not answer: 0."""
        return 0.0

    @property
    def lower_is_better(self) -> bool:
        """Whether a smaller value is the better one: no."""
        return False

    def aggregate(self, values: Several[float]) -> float:
        """Return the mean."""
        return math.fsum(values) / len(values)


def written(name: str, cutoff: int | None, **parameters: tuple[object, object]) -> str:
    """Return a measure's name as it is parsed: `name(key=value,...)@cutoff`.

    Args:
        name: Its base name.
        cutoff: What stands behind the @; None for nothing.
        parameters: Each as its value and its default, which is not written.
    """
    inside = ",".join(f"{key}={value!r}" for key, (value, usual) in parameters.items() if value != usual)
    return name + (f"({inside})" if inside else "") + (f"@{cutoff}" if cutoff is not None else "")
