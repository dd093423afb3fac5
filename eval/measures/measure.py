"""What a measure is."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Measure(Protocol):
    """A measure: a value that is hashed and compared by its name, and prints as `parse_measure` reads it."""

    @property
    def default(self) -> float:
        """What a judged query counts with that the run does not answer."""
        ...

    def __str__(self) -> str: ...
    def __hash__(self) -> int: ...
