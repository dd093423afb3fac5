"""How long answers took."""

from __future__ import annotations

import math
from collections.abc import Collection as Several
from collections.abc import Mapping
from dataclasses import dataclass

from eval.errors import InvalidEvaluation
from eval.measures.measure import Known


@dataclass(frozen=True, slots=True)
class Latency:
    """A percentile of the answers' times, in milliseconds, interpolated linearly between the two nearest.

    Its queries are the judged ones whose time is known; there is no default for the others.

    Args:
        percentile: 0 to 100.
    """

    percentile: float = 50

    def __str__(self) -> str:
        return f"Latency(p{self.percentile:g})"

    @property
    def default(self) -> float:
        """What a judged query counts with that the run does not answer: there is no such number."""
        return math.nan

    @property
    def lower_is_better(self) -> bool:
        """Whether a smaller value is the better one: yes."""
        return True

    def values(self, known: Known) -> Mapping[str, float]:
        """Return the milliseconds of each judged query whose time is known."""
        values = {
            query: 1000 * seconds
            for query, seconds in known.run.seconds.items()
            if query in known.judgements.qrels
        }
        if not values:
            raise InvalidEvaluation(
                f"{self} needs the time that answers took, and the run {known.run.name!r} holds none; runs in .jsonl "
                "keep it"
            )
        return values

    def aggregate(self, values: Several[float]) -> float:
        """Return the percentile."""
        ordered = sorted(values)
        place = (len(ordered) - 1) * self.percentile / 100
        below = math.floor(place)
        above = min(below + 1, len(ordered) - 1)
        return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
