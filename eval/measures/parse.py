"""From a measure's name to the measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eval.errors import UnknownMeasure
from eval.measures.measure import Measure


@dataclass(frozen=True, slots=True)
class Counted:
    """A measure that ir_measures counts."""

    counted: Any

    @property
    def default(self) -> float:
        """What a judged query counts with that the run does not answer."""
        return float(self.counted.DEFAULT)

    def __str__(self) -> str:
        return str(self.counted)


def parse_measure(name: str) -> Measure:
    """Return the measure of a name.

    Raises:
        UnknownMeasure: there is none.
    """
    import ir_measures

    try:
        return Counted(ir_measures.parse_measure(name))
    except (NameError, ValueError) as error:
        raise UnknownMeasure(f"{name!r} is no measure ({error})") from error
