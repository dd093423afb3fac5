"""One collection's statistics: every system's mean with its interval, and its contrast with the baseline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from eval.errors import InvalidEvaluation
from eval.experiment.result import Cell, ExperimentResult
from eval.measures.measure import Measure

LEVEL = 0.95
"""Of the intervals; a corrected p under 1 - LEVEL is marked."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean and the interval around it; an end that is not finite says nothing."""

    mean: float
    low: float = -math.inf
    high: float = math.inf

    @property
    def bounded(self) -> bool:
        """Whether the interval says something."""
        return math.isfinite(self.low) and math.isfinite(self.high)


@dataclass(frozen=True, slots=True)
class Against:
    """A system against the baseline by one measure; see `eval.comparison.Contrast`."""

    difference: Mean
    p_value: float
    corrected: float
    effect: float
    wins: int
    ties: int
    losses: int
    detectable: float

    @property
    def significant(self) -> bool:
        """Whether the corrected p is under the level."""
        return self.corrected < 1.0 - LEVEL


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one collection.

    Args:
        means: By measure, then system, both in the experiment's order.
        against: By measure, then system, those compared with the baseline.
        family: How many tests the correction is over.
        problems: Why measures could not be compared, in sentences.
    """

    means: dict[Measure, dict[str, Mean]]
    against: dict[Measure, dict[str, Against]]
    family: int = 0
    problems: list[str] = field(default_factory=list)


def standing(result: ExperimentResult, collection: str) -> Standing:
    """Return the statistics of one collection. All its tests, of every system by every measure, are one family.

    Raises:
        InvalidEvaluation: the result's test or correction is not known.
    """
    from eval.comparison import CORRECTIONS, TESTS

    if result.test not in TESTS or result.correction not in CORRECTIONS:
        raise InvalidEvaluation(
            f"no test {result.test!r} with correction {result.correction!r}; tests are {', '.join(TESTS)}, "
            f"corrections {', '.join(CORRECTIONS)}"
        )
    row = result.row(collection)
    found = Standing({}, {})
    by_systems: dict[tuple[str, ...], list[Measure]] = {}
    for measure in result.measures:
        systems = tuple(name for name, cell in row.items() if cell.evaluation.values.get(measure))
        if systems:
            # In the experiment's order, whatever the comparisons come to.
            found.means[measure] = {name: Mean(row[name].evaluation.mean(measure)) for name in systems}
            if all(is_mean(measure, row[name]) for name in systems):
                by_systems.setdefault(systems, []).append(measure)
    for systems, measures in by_systems.items():
        if result.baseline not in systems or len(systems) == 1:
            _alone(found, row, systems, measures)
            continue
        try:
            _compare(found, result, row, systems, measures)
        except InvalidEvaluation:
            _compare_singly(found, result, row, systems, measures)
    return _corrected(found, result)


def is_mean(measure: Measure, cell: Cell) -> bool:
    """Whether a cell's value of a measure is the mean of its queries' values: a percentile or a sum is not."""
    values = cell.evaluation.values[measure].values()
    mean = math.fsum(values) / len(values)
    return math.isclose(measure.aggregate(values), mean, rel_tol=1e-9, abs_tol=1e-12)


def _compare_singly(
    found: Standing,
    result: ExperimentResult,
    row: Mapping[str, Cell],
    systems: Sequence[str],
    measures: Sequence[Measure],
) -> None:
    """Compare by one measure after another, so that one that cannot be compared does not keep the others from it."""
    for measure in measures:
        try:
            _compare(found, result, row, systems, [measure])
        except InvalidEvaluation as error:
            found.problems.append(f"Not compared: {error}.")
            _alone(found, row, systems, [measure])


def _compare(
    found: Standing,
    result: ExperimentResult,
    row: Mapping[str, Cell],
    systems: Sequence[str],
    measures: Sequence[Measure],
) -> None:
    from eval.comparison import compare

    evaluations = [replace(row[name].evaluation, run=name) for name in systems]
    compared = compare(
        evaluations, result.baseline, measures, test=result.test, correction="none", level=LEVEL
    )
    for line in compared.rows:
        found.means[line.measure][line.system] = Mean(line.mean, *line.interval)
    for contrast in compared.contrasts:
        found.against.setdefault(contrast.measure, {})[contrast.system] = Against(
            difference=Mean(contrast.difference, *contrast.interval),
            p_value=contrast.p_value,
            corrected=contrast.p_value,
            effect=contrast.effect,
            wins=contrast.wins,
            ties=contrast.ties,
            losses=contrast.losses,
            detectable=contrast.detectable,
        )


def _alone(
    found: Standing, row: Mapping[str, Cell], systems: Sequence[str], measures: Sequence[Measure]
) -> None:
    """Find the intervals of systems that there is no baseline for."""
    from eval.statistics import bootstrap_intervals

    for measure in measures:
        for name in systems:
            values = np.array(list(row[name].evaluation.values[measure].values()), dtype=np.float64)
            if np.isfinite(values).all():
                low, high = bootstrap_intervals(values[:, None], LEVEL)[0].tolist()
                found.means[measure][name] = Mean(found.means[measure][name].mean, low, high)


def _corrected(found: Standing, result: ExperimentResult) -> Standing:
    """Correct over the whole family, in the experiment's order."""
    from eval.comparison import CORRECTIONS

    held = [
        (measure, name)
        for measure in found.means
        for name in result.pipelines
        if name in found.against.get(measure, {})
    ]
    if not held:
        return found
    corrected = CORRECTIONS[result.correction](
        np.array([found.against[measure][name].p_value for measure, name in held])
    )
    against: dict[Measure, dict[str, Against]] = {}
    for (measure, name), value in zip(held, corrected.tolist(), strict=True):
        against.setdefault(measure, {})[name] = replace(found.against[measure][name], corrected=value)
    return Standing(found.means, against, len(held), found.problems)
