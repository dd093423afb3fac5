"""Tuning, stage by stage: choose on some queries, judge on the others, keep what the gate lets pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from eval.errors import InvalidEvaluation
from eval.tuning.folds import query_folds
from eval.tuning.gate import Contrast, Gate, Verdict
from eval.tuning.lattice import Pick, climb, thriftiest
from eval.tuning.repeated_choice import FoldChoice, choice_p_value
from eval.tuning.spread import choice_interval
from eval.tuning.stages import Setting, Stage, Values
from eval.tuning.trial import Floats, Folds, Mask, Trial, TrialBook, Trials


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """What came of one stage.

    Args:
        stage: Its name.
        in_use: Its parameters' values before.
        chosen: The values that all queries together choose.
        intervals: Parameter to the range of values that bootstrap samples of the queries choose; of numbers that
            were chosen for the highest measure.
        by_fold: The values that each fold's other queries choose.
        fold_means: For each fold the held-out mean with its values, and with those in use.
        verdict: What the gate says; None where nothing was changed, so that there was nothing to judge.
        kept: The values that hold from here on.
    """

    stage: str
    in_use: Values
    chosen: Values
    intervals: dict[str, tuple[float, float]]
    by_fold: tuple[Values, ...]
    fold_means: tuple[tuple[float, float], ...]
    verdict: Verdict | None
    kept: Values


@dataclass(frozen=True, slots=True)
class Tuning:
    """What tuning found. Every figure but those of `trials` is of held-out queries.

    Args:
        measure: The measure's name.
        queries: How many judged queries.
        collections: Collections to how many of them.
        folds: How many folds.
        gate: How strict the gate was.
        baseline: The values in use before.
        values: The values that hold now.
        stages: What came of each stage, in order.
        held_out: All that passed, against the values in use before.
        trials: Every setting that was tried, with its mean over all queries; the best of these is flattered,
            because it was picked for it.
    """

    measure: str
    queries: int
    collections: dict[str, int]
    folds: int
    gate: Gate
    baseline: Values
    values: Values
    stages: tuple[StageOutcome, ...]
    held_out: Contrast
    trials: tuple[tuple[Values, float], ...]

    @property
    def changes(self) -> dict[str, Setting]:
        """The values that are no longer as before: what belongs into the configuration."""
        return {name: value for name, value in self.values.items() if value != self.baseline[name]}

    def to_json(self) -> dict[str, Any]:
        """Return all of it as plain values for JSON."""
        return {**asdict(self), "changes": self.changes}


def tune(
    trials: Trials,
    stages: Sequence[Stage],
    *,
    folds: Folds | int = 5,
    gate: Gate | None = None,
    most_trials: int = 30,
    seed: int = 0,
    on_trial: Callable[[Trial], None] | None = None,
) -> Tuning:
    """Choose values by cross-validation, and keep those that pass the gate.

    For each stage in turn, each fold's values are searched on the queries of the other folds, starting from what
    passed before, and the fold's own queries are measured with them. The gate judges these held-out values. What
    passes is then chosen once more on all queries.

    Args:
        trials: What is tried.
        stages: What is tuned, in this order.
        folds: How many folds, or each query's fold, shape (n,).
        gate: How strict to be.
        most_trials: The most different settings that one search may try: a stage in one fold.
        seed: Of the folds and of the intervals.
        on_trial: Told of each new trial when it is done.

    Returns:
        The same for the same arguments.

    Raises:
        InvalidEvaluation: there are too few queries for the folds, or nothing to tune.
    """
    if not stages:
        raise InvalidEvaluation("there is no stage to tune")
    if most_trials < 2:
        raise InvalidEvaluation(f"a search needs at least 2 trials, found {most_trials}")
    gate = gate or Gate()
    book = TrialBook(trials, on_trial)
    number = query_folds(book.queries, folds, seed) if isinstance(folds, int) else np.asarray(folds)
    if number.shape != (len(book.queries),) or len(np.unique(number)) < 2:
        raise InvalidEvaluation("folds has one number for each query, and at least two different ones")
    held_out = [number == fold for fold in np.unique(number)]
    baseline = dict(trials.baseline)
    values: list[Values] = [baseline] * len(held_out)
    final: Values = baseline
    outcomes: list[StageOutcome] = []
    for stage in stages:
        picks = [
            _pick(stage, at, book, ~mask, gate, most_trials)
            for at, mask in zip(values, held_out, strict=True)
        ]
        chosen = _pick(stage, final, book, None, gate, most_trials).best
        verdict = None
        if chosen != final:
            best = [pick.best for pick in picks]
            without = [{**setting, **stage.without} for setting in best] if stage.without else None
            luck = choice_p_value(
                [_choice(book, *fold) for fold in zip(picks, values, held_out, strict=True)],
                book.weights(),
                gate.rounds,
                gate.seed,
            )
            verdict = gate.judge(
                stage,
                book,
                _joined(book, best, held_out),
                _joined(book, values, held_out),
                _joined(book, without, held_out) if without else None,
                luck,
                len(stages),
            )
        passes = verdict is not None and verdict.passes
        names = [parameter.name for parameter in stage.parameters]
        outcomes.append(
            StageOutcome(
                stage=stage.name,
                in_use={name: final[name] for name in names},
                chosen={name: chosen[name] for name in names},
                intervals={
                    parameter.name: choice_interval(book, chosen, parameter.name, gate.seed)
                    for parameter in stage.parameters
                    if parameter.ordered and stage.aim == "gain"
                },
                by_fold=tuple({name: pick.best[name] for name in names} for pick in picks),
                fold_means=tuple(
                    (book.mean(pick.best, mask), book.mean(at, mask))
                    for pick, at, mask in zip(picks, values, held_out, strict=True)
                ),
                verdict=verdict,
                kept={name: (chosen if passes else final)[name] for name in names},
            )
        )
        if passes:
            values, final = [pick.best for pick in picks], chosen
    return Tuning(
        measure=trials.measure,
        queries=len(book.queries),
        collections={name: int((book.member == at).sum()) for at, name in enumerate(book.collections)},
        folds=len(held_out),
        gate=gate,
        baseline=baseline,
        values=dict(final),
        stages=tuple(outcomes),
        held_out=gate.contrast(
            "in use", book, _joined(book, values, held_out), book.values(baseline), gate.level / 2
        ),
        trials=tuple((trial.setting, book.mean(trial.setting)) for trial in book.tried),
    )


def _pick(
    stage: Stage, start: Values, book: TrialBook, mask: Mask | None, gate: Gate, most_trials: int
) -> Pick:
    """Return the start with the stage's values as the masked queries choose them."""

    def score(setting: Values) -> float:
        return book.mean(setting, mask)

    if stage.aim == "thrift":
        return thriftiest(start, stage.parameters, score, gate.margin / 2, most_trials)
    return climb(start, stage.parameters, score, most_trials)


def _choice(book: TrialBook, pick: Pick, start: Values, held_out: Mask) -> FoldChoice:
    tried = np.stack([book.values(setting) for setting in pick.tried], axis=1)
    return FoldChoice(held_out, book.weights(~held_out), tried - book.values(start)[:, None])


def _joined(book: TrialBook, settings: Sequence[Values], held_out: Sequence[Mask]) -> Floats:
    """Return each query's value with its own fold's setting."""
    joined = np.zeros(len(book.queries))
    for setting, mask in zip(settings, held_out, strict=True):
        joined[mask] = book.values(setting)[mask]
    return joined
