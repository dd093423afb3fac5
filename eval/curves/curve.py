"""`Curve`: what was measured at each value of a setting, and the point that was chosen, by which rule."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from eval.errors import FormatError, InvalidEvaluation
from indexer.local.durable import replace_atomically

FORMAT = 1
Value: TypeAlias = float | int | str
Rule: TypeAlias = Literal["current", "knee", "best"]
RULES: tuple[Rule, ...] = ("current", "knee", "best")

KNEE = 0.99
"""The share of the best quality that the knee keeps."""


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured at one value.

    Args:
        value: The setting's value.
        quality: Measure to its mean, in the curve's order; empty without judgements.
        differences: Measure to the interval of the mean difference from the chosen point, query by query.
        agreement: The mean share of the first ten documents that an exhaustive search has among its first ten too.
        p50: Median latency of a search for ten documents, in milliseconds.
        p95: The 95th percentile.
    """

    value: Value
    quality: Mapping[str, float] = field(default_factory=dict)
    differences: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    agreement: float | None = None
    p50: float = 0.0
    p95: float = 0.0


@dataclass(frozen=True, slots=True)
class Curve:
    """One setting on one collection.

    Args:
        parameter: The setting.
        collection: Where it was measured.
        points: By value, ascending; in the order asked where values are names.
        chosen: The value of the chosen point.
        rule: How it was chosen, in words.
        queries: How many queries there are.
        timed: How many of them were timed.
        against: What `agreement` compares with, in words; empty where there is none.
        settings: Everything else that the search was done with, name to value in words.
        index: The index: documents, passages, encoder, in words.
        machine: Where it was measured.
        versions: Library to version.
        measured: When, ISO 8601, UTC.
    """

    parameter: str
    collection: str
    points: Sequence[Point]
    chosen: Value
    rule: str
    queries: int
    timed: int
    against: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    index: str = ""
    machine: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    measured: str = ""

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures of its points."""
        return tuple(self.points[0].quality) if self.points else ()

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers, and so have distances."""
        return all(not isinstance(point.value, str) for point in self.points)

    @property
    def chosen_point(self) -> Point:
        """The point that was chosen.

        Raises:
            InvalidEvaluation: no point has the chosen value.
        """
        for point in self.points:
            if point.value == self.chosen:
                return point
        raise InvalidEvaluation(f"the chosen value {self.chosen!r} of {self.parameter} is none of the points")

    def to_json(self) -> dict[str, Any]:
        """Return all of it as plain values for JSON."""
        return {"format": FORMAT} | asdict(self)

    def save(self, path: str | Path) -> None:
        """Write it as JSON; the file is whole or as it was."""
        text = json.dumps(self.to_json(), ensure_ascii=False, indent=1, allow_nan=False)
        replace_atomically(Path(path), text.encode())

    @classmethod
    def load(cls, path: str | Path) -> Curve:
        """Read what `save` wrote.

        Raises:
            FormatError: it is no such file.
        """
        try:
            found = json.loads(Path(path).read_bytes())
            if found.pop("format") != FORMAT:
                raise ValueError(f"another format than {FORMAT}")
            points = [
                Point(
                    **point
                    | {"differences": {m: (low, high) for m, (low, high) in point["differences"].items()}}
                )
                for point in found.pop("points")
            ]
            return cls(points=points, **found)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise FormatError(path, 0, f"not a curve as `quire eval curves` writes it ({error})") from error


def choose(points: Sequence[Point], rule: Rule, current: Value) -> tuple[Value, str]:
    """Return the value that a rule chooses, and the rule in words.

    The first measure decides; without judgements, agreement does. Equal points go to the cheaper, then the earlier.

    Raises:
        InvalidEvaluation: the rule is unknown, or the current value was not measured, or there is no point.
    """
    if rule not in RULES or not points:
        raise InvalidEvaluation(f"a curve has points, and a rule of {', '.join(RULES)}; found {rule!r:.40}")
    if rule == "current":
        if all(point.value != current for point in points):
            raise InvalidEvaluation(f"{current!r} is in use, and was not measured")
        return current, "the value in use"
    by = next(iter(points[0].quality), "agreement")

    def worth(point: Point) -> float:
        return point.quality[by] if point.quality else point.agreement or 0.0

    most = max(map(worth, points))
    if rule == "best":
        return min((p for p in points if worth(p) == most), key=lambda p: p.p50).value, f"the highest {by}"
    enough = [point for point in points if worth(point) >= KNEE * most]
    return min(
        enough, key=lambda point: point.p50
    ).value, f"the fastest within {1 - KNEE:.0%} of the highest {by}"
