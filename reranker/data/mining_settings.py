"""Which wrong answers are drawn, and what came of it: `MiningSettings` and `MiningReport`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from reranker.data.guard import GuardSettings
from reranker.errors import InvalidTrainingSettings

Origin: TypeAlias = Literal["lexical", "dense", "fused", "near", "teacher", "random"]
ORIGINS: tuple[Origin, ...] = get_args(Origin)


@dataclass(frozen=True, slots=True)
class MiningSettings:
    """Which wrong answers are drawn, and how many.

    Args:
        negatives: How many a query; those that are judged 0 come on top. 0 mines nothing.
        depth: How far down each list is looked.
        lexical: Share of those drawn from the list by words.
        dense: Share from the list by meaning.
        fused: Share from the fused list.
        near: Share from the neighbours of the right answer; counts where the source gives a text to look with.
        teacher: Share that the teacher ranks highest; counts with a teacher only.
        random: Share drawn from all passages by chance.
        steepness: From a list, a candidate is drawn with a probability in proportion to its rank to the power of minus
            this: 0 draws all of them alike, 1 the first ten times as often as the tenth.
        guard: What is turned away as probably right.
        teacher_margin: A candidate whose score by the teacher is above the best positive's less this is skipped; None
            for no limit. In the teacher's own units.
        teacher_depth: At most so many candidates a query are scored by the teacher.
        most_positives: At most so many documents with a grade above 0 are taken, the best first; likewise zeros.
        seed: Of all chance. A query's draws depend on it and on the query's id alone.

    Raises:
        InvalidTrainingSettings: a value is outside its range.
    """

    negatives: int = 7
    depth: int = 50
    lexical: float = 0.3
    dense: float = 0.3
    fused: float = 0.2
    near: float = 0.1
    teacher: float = 0.3
    random: float = 0.1
    steepness: float = 0.5
    guard: GuardSettings = field(default_factory=GuardSettings)
    teacher_margin: float | None = 0.0
    teacher_depth: int = 50
    most_positives: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("negatives", 0), ("depth", 1), ("teacher_depth", 1), ("most_positives", 1)):
            value: object = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise InvalidTrainingSettings(
                    f"{name} is a whole number of at least {least}, found {value!r}"
                )
        if not (math.isfinite(self.steepness) and self.steepness >= 0):
            raise InvalidTrainingSettings(f"steepness is a number of at least 0, found {self.steepness}")
        shares = [getattr(self, origin) for origin in ORIGINS]
        if not all(math.isfinite(share) and share >= 0 for share in shares) or sum(shares) <= 0:
            raise InvalidTrainingSettings(
                f"the shares of {', '.join(ORIGINS)} are at least 0, and not all 0; found {shares}"
            )

    def quotas(self, available: Iterable[Origin]) -> dict[Origin, int]:
        """Return how many negatives each origin is asked for: whole numbers in proportion, largest remainders first."""
        shares = {origin: float(getattr(self, origin)) for origin in available}
        total = sum(shares.values())
        if total <= 0:
            return dict.fromkeys(shares, 0)
        exact = {origin: self.negatives * share / total for origin, share in shares.items()}
        quotas = {origin: math.floor(value) for origin, value in exact.items()}
        by_remainder = sorted(shares, key=lambda origin: quotas[origin] - exact[origin])
        for origin in by_remainder[: self.negatives - sum(quotas.values())]:
            quotas[origin] += 1
        return quotas


@dataclass(slots=True)
class MiningReport:
    """What came of it, counted while it goes on.

    Args:
        queries: Judged queries read.
        examples: Examples made.
        skipped: Why queries gave no example, counted.
        unknown_documents: Judged documents that the index has not.
        empty_passages: Judged passages that say nothing, not even a title.
        negatives: Where negatives came from, counted; `judged` are those of the source.
        refused: Why candidates were turned away, counted.
        short: Examples with fewer mined negatives than asked for.
    """

    queries: int = 0
    examples: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    unknown_documents: int = 0
    empty_passages: int = 0
    negatives: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    short: int = 0
