"""The outcome of a comparison, as values: `Row` a system's own, `Contrast` one against another, `Comparison` all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eval.errors import InvalidEvaluation
from eval.measures.measure import Measure

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Contrast:
    """A system against a baseline by one measure, over the same queries. Differences are the system's less the other's.

    Args:
        measure: What is measured.
        system: The system's name.
        baseline: The name of what it is compared with.
        n: The number of queries.
        difference: The system's mean less the baseline's.
        interval: The bootstrap interval of the difference.
        p_value: Of the test, for this contrast alone.
        corrected_p: The same, corrected for the whole family.
        effect: The difference in standard deviations of the differences; see `statistics.effect_size`.
        wins: On how many queries the system is better by more than the tolerance.
        ties: On how many neither is.
        losses: On how many the baseline is better by more than the tolerance.
        detectable: The smallest difference that so many queries would show in 80 of 100 experiments.
    """

    measure: Measure
    system: str
    baseline: str
    n: int
    difference: float
    interval: Interval
    p_value: float
    corrected_p: float
    effect: float
    wins: int
    ties: int
    losses: int
    detectable: float

    @property
    def gain(self) -> float:
        """The difference, turned so that what is above 0 speaks for the system: of times, less is better."""
        return -self.difference if self.measure.lower_is_better else self.difference


@dataclass(frozen=True, slots=True)
class Row:
    """A system by one measure.

    Args:
        measure: What is measured.
        system: The system's name.
        mean: The mean over the queries.
        interval: The bootstrap interval of the mean.
        contrast: Against the baseline; None for the baseline itself, and where all pairs are compared.
    """

    measure: Measure
    system: str
    mean: float
    interval: Interval
    contrast: Contrast | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Systems compared by several measures.

    Args:
        systems: Their names, the baseline first where there is one.
        baseline: What the others are compared with; None where every pair is.
        measures: In the order given.
        rows: One for each measure and system.
        contrasts: One for each measure and pair compared: the family that the correction is over.
        test: The name of the test, one of `TESTS`.
        correction: The name of the correction, one of `CORRECTIONS`.
        level: Of the intervals; 1 - level is what a corrected p has to stay under.
        tolerance: Differences of a query up to this are ties.
    """

    systems: Sequence[str]
    baseline: str | None
    measures: Sequence[Measure]
    rows: Sequence[Row]
    contrasts: Sequence[Contrast]
    test: str
    correction: str
    level: float
    tolerance: float

    @property
    def family(self) -> int:
        """The number of tests that the correction is over."""
        return len(self.contrasts)

    def row(self, measure: Measure, system: str) -> Row:
        """Return the row of a system.

        Raises:
            InvalidEvaluation: there is none.
        """
        for row in self.rows:
            if str(row.measure) == str(measure) and row.system == system:
                return row
        raise InvalidEvaluation(
            f"no {measure} of {system!r} in this comparison of {', '.join(self.systems)} by "
            f"{', '.join(map(str, self.measures))}"
        )

    def significant(self, contrast: Contrast) -> bool:
        """Whether a contrast's corrected p is under 1 - level."""
        return contrast.corrected_p < 1.0 - self.level

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values: measures as their names, what is not finite as None."""
        return {
            "systems": list(self.systems),
            "baseline": self.baseline,
            "measures": [str(measure) for measure in self.measures],
            "test": self.test,
            "correction": self.correction,
            "family": self.family,
            "level": self.level,
            "tolerance": self.tolerance,
            "rows": [
                {
                    "measure": str(row.measure),
                    "system": row.system,
                    "mean": row.mean,
                    "interval": plain_interval(row.interval),
                }
                for row in self.rows
            ],
            "contrasts": [
                {
                    "measure": str(contrast.measure),
                    "system": contrast.system,
                    "baseline": contrast.baseline,
                    "queries": contrast.n,
                    "difference": contrast.difference,
                    "interval": plain_interval(contrast.interval),
                    "p": contrast.p_value,
                    "corrected_p": contrast.corrected_p,
                    "effect": plain_number(contrast.effect),
                    "wins": contrast.wins,
                    "ties": contrast.ties,
                    "losses": contrast.losses,
                    "detectable": plain_number(contrast.detectable),
                    "significant": self.significant(contrast),
                }
                for contrast in self.contrasts
            ],
        }


def plain_number(value: float) -> float | None:
    """Return the number, or None where JSON has none for it."""
    return value if math.isfinite(value) else None


def plain_interval(interval: Interval) -> list[float | None]:
    """Return the ends of an interval as `plain_number` does."""
    return [plain_number(end) for end in interval]
