"""What a test says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class TestResult:
    """The outcome of a two-sided test that two systems are equally good.

    Args:
        name: The test: `paired t`, `Wilcoxon` or `randomisation`.
        statistic: What it computed: t; the signed rank sum; the mean difference. Positive where the first is better.
        p_value: How often chance alone makes a difference at least so large, from 0 to 1.
        n: The number of pairs.
    """

    __test__: ClassVar[bool] = False  # its name makes pytest take it for a test

    name: str
    statistic: float
    p_value: float
    n: int
