"""Each reader counts once: means of a reader's queries, and a change between two runs tested over readers.

A reader with forty queries is no forty witnesses: their values go up and down together, and a test that takes them
for independent finds what is not there. So the unit of every mean, interval and test is the reader (a cluster of
queries). The randomisation test is that of Smucker, Allan and Carterette 2007, with readers in the place of topics.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from eval.errors import InvalidEvaluation

Test: TypeAlias = Literal["randomisation", "t", "wilcoxon"]
Values: TypeAlias = Mapping[str, float]

LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Change:
    """How one run's values differ from another's, over readers.

    Args:
        base: The run that is compared with.
        other: The run that is judged.
        readers: How many readers.
        base_mean: Mean over readers of the base.
        other_mean: Mean over readers of the other.
        difference: Their difference, other less base.
        low: Lower end of its 95% interval, by bootstrap over readers.
        high: Upper end.
        p_value: Of the test that there is no difference, two-sided.
        corrected: The same after Holm's correction over all measures of the study.
        effect: The difference in standard deviations.
        better: Readers who gain.
        same: Readers for whom nothing changes.
        worse: Readers who lose.
    """

    base: str
    other: str
    readers: int
    base_mean: float
    other_mean: float
    difference: float
    low: float
    high: float
    p_value: float
    corrected: float
    effect: float
    better: int
    same: int
    worse: int

    @property
    def gain(self) -> bool:
        """Whether it is better, and not by chance."""
        return self.difference > 0 and self.corrected < LEVEL

    @property
    def loss(self) -> bool:
        """Whether it is worse, and not by chance."""
        return self.difference < 0 and self.corrected < LEVEL


def reader_means(values: Values, users: Mapping[str, str]) -> dict[str, float]:
    """Return the mean of each reader's queries; queries without a reader are left out.

    Args:
        values: Query to value.
        users: Query to reader.

    Raises:
        InvalidEvaluation: no query has a reader.
    """
    own: dict[str, list[float]] = defaultdict(list)
    for query_id, value in values.items():
        if query_id in users:
            own[users[query_id]].append(value)
    if not own:
        raise InvalidEvaluation(
            "no judged query names its reader; topics say it as `user` or `user_id`, or beside the text in a TSV file"
        )
    return {user: math.fsum(some) / len(some) for user, some in sorted(own.items())}


def mean(values: Values) -> float:
    """Return the mean of all values; NaN of none."""
    return math.fsum(values.values()) / len(values) if values else math.nan


def change_of(
    base: Values,
    other: Values,
    names: tuple[str, str],
    *,
    test: Test = "randomisation",
    rounds: int = 10_000,
    seed: int = 0,
    tolerance: float = 0.0,
) -> Change:
    """Return how two runs differ over readers; `corrected` is as yet the p-value itself.

    Args:
        base: Reader to value of the run that is compared with.
        other: The same readers' values of the run that is judged.
        names: Both runs' names, in that order.
        test: `randomisation` assumes nothing; `t` and `wilcoxon` are what some papers ask for.
        rounds: Of the bootstrap and of the randomisation.
        seed: Of both.
        tolerance: A reader whose values differ by no more is counted as the same.

    Raises:
        InvalidEvaluation: the readers are not the same, or there are none.
    """
    import numpy as np

    from eval.statistics import bootstrap_interval, effect_size, paired_t, randomisation, wilcoxon

    if not base or base.keys() != other.keys():
        raise InvalidEvaluation(
            f"two runs are compared over the same readers, at least one; found {len(base):,} and {len(other):,}"
        )
    before = np.array([base[user] for user in base])
    after = np.array([other[user] for user in base])
    differences = after - before
    if test == "randomisation":
        result = randomisation(after, before, rounds=rounds, seed=seed)
    else:
        result = {"t": paired_t, "wilcoxon": wilcoxon}[test](after, before)
    low, high = bootstrap_interval(differences, rounds=rounds, seed=seed)
    p_value = float(result.p_value)
    return Change(
        base=names[0],
        other=names[1],
        readers=len(base),
        base_mean=float(before.mean()),
        other_mean=float(after.mean()),
        difference=float(differences.mean()),
        low=float(low),
        high=float(high),
        p_value=p_value,
        corrected=p_value,
        effect=float(effect_size(after, before)),
        better=int((differences > tolerance).sum()),
        same=int((abs(differences) <= tolerance).sum()),
        worse=int((differences < -tolerance).sum()),
    )


def finite(value: object) -> object:
    """Return a value for JSON, which has neither NaN nor infinity: these become None, wherever they are inside."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return value
