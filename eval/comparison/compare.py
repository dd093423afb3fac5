"""Compare systems by several measures: intervals, tests, one correction over all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from eval.comparison.comparison import Comparison, Contrast, Row
from eval.errors import InvalidEvaluation
from eval.measures import Evaluation, Measure
from eval.statistics import (
    benjamini_hochberg,
    bootstrap_intervals,
    effect_size,
    holm,
    minimum_detectable_difference,
    paired_t,
    randomisations,
    wilcoxon,
)
from eval.statistics.pairs import Floats, differences

TESTS = ("t", "wilcoxon", "randomisation")
"""The paired t-test, Wilcoxon's signed ranks, and the randomisation test."""

CORRECTIONS: Mapping[str, Callable[[Floats], Floats]] = {
    "holm": holm,
    "benjamini-hochberg": benjamini_hochberg,
    "none": lambda p: p,
}
TIE = 1e-6
"""Values of a query that differ by no more than this count as a tie."""


@dataclass(frozen=True, slots=True)
class _Block:
    """One measure's values: query by query, a column a system; and the pairs' differences, a column a pair."""

    measure: Measure
    values: Floats
    pairs: Floats


def compare(
    evaluations: Sequence[Evaluation],
    baseline: str | None,
    measures: Sequence[Measure],
    *,
    test: str = "t",
    correction: str = "holm",
    level: float = 0.95,
    rounds: int = 10_000,
    seed: int = 0,
    tolerance: float = TIE,
) -> Comparison:
    """Compare systems with a baseline, or every pair, by several measures.

    The family that p-values are corrected for is everything that this comparison tests: each pair by each measure. So
    ask in one comparison what one claim rests on, and no more. Intervals are for each mean and difference alone.

    Args:
        evaluations: One a system, each with every measure, for the same queries.
        baseline: The name of the run that the others are compared with; None for every pair, in the order given, the
            later one less the earlier.
        measures: By what.
        test: One of `TESTS`.
        correction: One of `CORRECTIONS`.
        level: Of the intervals; 1 - level is the level of the test that `detectable` is of.
        rounds: Of the bootstrap, and of the randomisation test.
        seed: Of both.
        tolerance: Differences of a query up to this are ties; the tests know no tolerance.

    Raises:
        InvalidEvaluation: fewer than two systems, two of one name, no such baseline, test or correction, a measure
            that a system lacks or that is no mean over queries (a percentile, a sum), systems measured on different
            queries, or a value that is no finite number.
    """
    systems = _systems(evaluations, baseline, measures)
    if test not in TESTS or correction not in CORRECTIONS:
        raise InvalidEvaluation(
            f"no test {test!r} with correction {correction!r}; tests are {', '.join(TESTS)}, "
            f"corrections {', '.join(CORRECTIONS)}"
        )
    names = [evaluation.run for evaluation in systems]
    chosen = (
        [(0, at) for at in range(1, len(names))]
        if baseline is not None
        else list(combinations(range(len(names)), 2))
    )
    blocks = [_block(systems, measure, chosen) for measure in measures]
    p_values = np.concatenate([_p_values(test, block.pairs, rounds, seed) for block in blocks])
    corrected = CORRECTIONS[correction](p_values)
    intervals = _intervals(blocks, level, rounds, seed)
    rows: list[Row] = []
    contrasts: list[Contrast] = []
    for block, ends in zip(blocks, intervals, strict=True):
        of_baseline: dict[str, Contrast] = {}
        for column, (low, high) in enumerate(chosen):
            pairs, place = block.pairs[:, column], len(contrasts)
            gains = -pairs if block.measure.lower_is_better else pairs
            contrast = Contrast(
                measure=block.measure,
                system=names[high],
                baseline=names[low],
                n=len(pairs),
                difference=float(pairs.mean()),
                interval=_ends(ends[len(names) + column]),
                p_value=float(p_values[place]),
                corrected_p=float(corrected[place]),
                effect=effect_size(pairs, np.zeros_like(pairs)),
                wins=int((gains > tolerance).sum()),
                ties=int((np.abs(gains) <= tolerance).sum()),
                losses=int((gains < -tolerance).sum()),
                detectable=minimum_detectable_difference(pairs, level=1.0 - level),
            )
            contrasts.append(contrast)
            if baseline is not None:
                of_baseline[names[high]] = contrast
        rows += [
            Row(
                block.measure, name, float(block.values[:, at].mean()), _ends(ends[at]), of_baseline.get(name)
            )
            for at, name in enumerate(names)
        ]
    return Comparison(
        tuple(names),
        baseline,
        tuple(measures),
        tuple(rows),
        tuple(contrasts),
        test,
        correction,
        level,
        tolerance,
    )


def _systems(
    evaluations: Sequence[Evaluation], baseline: str | None, measures: Sequence[Measure]
) -> list[Evaluation]:
    """Return the systems, the baseline first."""
    names = [evaluation.run for evaluation in evaluations]
    if len(names) < 2 or not measures:
        raise InvalidEvaluation(
            f"a comparison needs two systems and a measure, found {len(names)} and {len(measures)}"
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidEvaluation(f"two systems are both called {twice[0]!r}; give each its own name")
    if baseline is not None and baseline not in names:
        raise InvalidEvaluation(f"there is no baseline {baseline!r} among {', '.join(names)}")
    return sorted(evaluations, key=lambda evaluation: evaluation.run != baseline)


def _block(systems: Sequence[Evaluation], measure: Measure, chosen: Sequence[tuple[int, int]]) -> _Block:
    """Return one measure's values, the queries in the first system's order."""
    for evaluation in systems:
        if measure not in evaluation.values:
            raise InvalidEvaluation(f"{evaluation.run} was not measured by {measure}")
    first = systems[0].values[measure]
    columns = []
    for evaluation in systems:
        values = evaluation.values[measure]
        if values.keys() != first.keys():
            odd = sorted(values.keys() ^ first.keys())
            raise InvalidEvaluation(
                f"{measure}: {systems[0].run} and {evaluation.run} were not measured on the same queries; {len(odd)} "
                f"are of one alone, such as {odd[0]!r}. Measure both against the same judgements"
            )
        columns.append([values[query] for query in first])
    if not first:
        raise InvalidEvaluation(f"{measure}: no query was measured")
    if not all(_is_mean(measure, column) for column in columns):
        raise InvalidEvaluation(
            f"{measure} of all queries is not the mean of theirs, and what is tested here are means; leave it out, "
            "and look at it beside the comparison"
        )
    try:
        pairs = [differences(columns[high], columns[low]) for low, high in chosen]
    except InvalidEvaluation as error:
        raise InvalidEvaluation(f"{measure}: {error}") from error
    return _Block(measure, np.array(columns, dtype=np.float64).T, np.array(pairs).T)


def _is_mean(measure: Measure, values: Sequence[float]) -> bool:
    mean = math.fsum(values) / len(values)
    return not math.isfinite(mean) or math.isclose(
        measure.aggregate(values), mean, rel_tol=1e-9, abs_tol=1e-12
    )


def _p_values(test: str, pairs: Floats, rounds: int, seed: int) -> Floats:
    if test == "randomisation":
        return randomisations(pairs, rounds, seed)
    tested = paired_t if test == "t" else wilcoxon
    nothing = np.zeros(len(pairs))
    return np.array([tested(column, nothing).p_value for column in pairs.T])


def _intervals(blocks: Sequence[_Block], level: float, rounds: int, seed: int) -> list[Floats]:
    """Return for each block the intervals of its systems, then of its pairs; blocks of one size share resamples."""
    by_size: dict[int, list[int]] = {}
    for at, block in enumerate(blocks):
        by_size.setdefault(len(block.values), []).append(at)
    found: dict[int, Floats] = {}
    for places in by_size.values():
        wide = [np.hstack([blocks[at].values, blocks[at].pairs]) for at in places]
        ends = bootstrap_intervals(np.hstack(wide), level, rounds, seed)
        start = 0
        for at, part in zip(places, wide, strict=True):
            found[at] = ends[start : start + part.shape[1]]
            start += part.shape[1]
    return [found[at] for at in range(len(blocks))]


def _ends(pair: Floats) -> tuple[float, float]:
    return float(pair[0]), float(pair[1])
