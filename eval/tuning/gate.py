"""The gate: is a change better than what is there, and does it harm nowhere?

What is compared are values of held-out queries: each was measured with values that were chosen without it. A change
of a stage passes only if

1. it gains: the mean difference to the values in use is above 0, by a one-sided paired test (`repeated_choice`, which
   repeats the choice, so that it knows how much luck there is in choosing) at `level` divided by the number of stages
   that are tested (Bonferroni; the stages come one after another, each on what passed before, so that the p-values
   which Holm's procedure would sort are not all there when the first is judged);
2. it harms nowhere: neither against leaving the stage out, nor on any collection by itself against the values in
   use, is the mean below by more than `margin`, or significantly below (one-sided; Holm over the collections).

Without 1, a change would pass that is worth nothing: half of all noise points upwards, and on few queries hardly
anything is significantly worse. A stage that aims at thrift need not gain; it must be shown that it costs less than
the margin: the lower end of the interval (one-sided, at the same corrected level) is above -margin.

The tests are by randomisation: signs of the differences are flipped at random. They ask nothing of their
distribution, and are as valid with the weights that let every collection count the same. See Smucker, Allan and
Carterette, "A Comparison of Statistical Significance Tests for Information Retrieval Evaluation" (CIKM 2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from eval.errors import InvalidEvaluation
from eval.tuning.stages import Stage
from eval.tuning.trial import Floats, TrialBook


@dataclass(frozen=True, slots=True)
class Contrast:
    """Values against other values, on the same held-out queries.

    Args:
        against: What the others are: `in use`, `left out`, or a collection's name.
        queries: How many.
        mean: The mean of the values.
        other: The mean of the others.
        low: Lower end of the bootstrap interval of the difference.
        high: Its upper end.
        p_better: The chance of a difference so far above 0 if there were none.
        p_worse: The same below 0.
    """

    against: str
    queries: int
    mean: float
    other: float
    low: float
    high: float
    p_better: float
    p_worse: float

    @property
    def difference(self) -> float:
        """Mean less mean; positive where the values are better."""
        return self.mean - self.other


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says of one stage.

    Args:
        passes: Whether the change is kept.
        reasons: Why, in words: all that it failed, or what it passed.
        in_use: Against the values in use.
        left_out: Against leaving the stage out; None where it cannot be left out.
        collections: Against the values in use, collection by collection.
    """

    passes: bool
    reasons: tuple[str, ...]
    in_use: Contrast
    left_out: Contrast | None
    collections: tuple[Contrast, ...]


@dataclass(frozen=True, slots=True)
class Gate:
    """How strict the gate is.

    Args:
        margin: How far below a mean may be, in the measure's own units, before it counts as harm.
        level: The level of the tests.
        rounds: Of the randomisation test and of the bootstrap.
        seed: Of both.

    Raises:
        InvalidEvaluation: a value is outside its range.
    """

    margin: float = 0.01
    level: float = 0.05
    rounds: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.margin >= 0.0:
            raise InvalidEvaluation(f"the margin is a number of at least 0, found {self.margin!r}")
        if not 0.0 < self.level < 0.5:
            raise InvalidEvaluation(f"the level is a number between 0 and 0.5, found {self.level!r}")
        if self.rounds < 100:
            raise InvalidEvaluation(f"at least 100 rounds are needed, found {self.rounds!r}")

    def judge(
        self,
        stage: Stage,
        book: TrialBook,
        changed: Floats,
        in_use: Floats,
        left_out: Floats | None,
        luck: float,
        stages: int,
    ) -> Verdict:
        """Return whether a stage's change passes.

        Args:
            stage: The stage.
            book: Knows the queries' collections.
            changed: Held-out values with the change, shape (n,).
            in_use: The same queries with the values in use.
            left_out: The same with the stage left out; None where that cannot be.
            luck: How often chance alone gains as much by choosing: `choice_p_value`.
            stages: How many stages are tested in all.
        """
        level = self.level / stages
        whole = replace(self.contrast("in use", book, changed, in_use, level), p_better=luck)
        without = None if left_out is None else self.contrast("left out", book, changed, left_out, level)
        parts = tuple(
            self.contrast(name, book, changed, in_use, level, at)
            for at, name in enumerate(book.collections)
            if len(book.collections) > 1
        )
        failed: list[str] = []
        if stage.aim == "thrift":
            if whole.low <= -self.margin:
                failed.append(
                    f"it is not shown that it costs less than {self.margin:g}: the interval of the difference "
                    f"begins at {whole.low:+.4f}"
                )
        elif not (whole.difference > 0 and whole.p_better <= level):
            failed.append(
                f"the gain of {whole.difference:+.4f} cannot be told from chance: p = {whole.p_better:.3g}, "
                f"needed at most {level:.3g}"
                if whole.difference > 0
                else f"it does not gain on held-out queries: {whole.difference:+.4f}"
            )
        if without is not None and self._harms(without, without.p_worse):
            failed.append(f"leaving the stage out is better: {_words(without)}")
        for part, corrected in zip(parts, _holm([part.p_worse for part in parts]), strict=True):
            if self._harms(part, corrected):
                failed.append(f"it harms {part.against}: {_words(part)}")
        passed = (
            f"it costs less than {self.margin:g}: the interval of the difference begins at {whole.low:+.4f}"
            if stage.aim == "thrift"
            else f"it gains {whole.difference:+.4f}, p = {whole.p_better:.2g}, and harms nowhere"
        )
        return Verdict(not failed, tuple(failed) or (passed,), whole, without, parts)

    def contrast(
        self,
        against: str,
        book: TrialBook,
        values: Floats,
        others: Floats,
        level: float,
        collection: int = -1,
    ) -> Contrast:
        """Return values against others, over all collections (each the same weight) or one of them.

        Args:
            against: What the others are.
            book: Knows the queries' collections.
            values: Shape (n,).
            others: Shape (n,).
            level: The interval leaves out so much on each side.
            collection: Which one; -1 for all.
        """
        mask = book.member == collection if collection >= 0 else np.ones(len(values), dtype=bool)
        weights = book.weights(mask)[mask]
        a, b = values[mask] * weights, others[mask] * weights
        better, worse, low, high = 1.0, 1.0, 0.0, 0.0
        if len(a) > 1 and bool(np.any(a != b)):
            from eval.statistics import bootstrap_interval, randomisation

            two_sided = randomisation(a, b, rounds=self.rounds, seed=self.seed).p_value
            upwards = float(np.mean(a - b)) > 0
            better, worse = (
                (two_sided / 2, 1 - two_sided / 2) if upwards else (1 - two_sided / 2, two_sided / 2)
            )
            low, high = bootstrap_interval(a - b, level=1 - 2 * level, rounds=self.rounds, seed=self.seed)
        return Contrast(
            against, len(a), float(a.mean()), float(b.mean()), float(low), float(high), better, worse
        )

    def _harms(self, contrast: Contrast, p_worse: float) -> bool:
        return contrast.difference < -self.margin or p_worse < self.level


def _holm(p_values: Sequence[float]) -> list[float]:
    if not p_values:
        return []
    from eval.statistics import holm

    return [float(p) for p in holm(np.array(p_values))]


def _words(contrast: Contrast) -> str:
    return f"{contrast.mean:.4f} against {contrast.other:.4f}, p = {contrast.p_worse:.2g}"
