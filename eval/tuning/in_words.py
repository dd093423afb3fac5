"""What tuning found and why, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from eval.tuning.cross_validation import StageOutcome, Tuning
from eval.tuning.gate import Contrast
from eval.tuning.stages import Values


def in_words(values: Values) -> str:
    """Return values as people read them: `alpha 0.4, title_weight 1`."""
    return ", ".join(f"{name} {_plain(value)}" for name, value in values.items())


def decisions(tuning: Tuning) -> Iterator[str]:
    """Yield what was decided for each stage, and why."""
    margin, level = tuning.gate.margin, tuning.gate.level
    queries = ", ".join(f"{name} {count:,}" for name, count in tuning.collections.items())
    yield f"{tuning.measure} of {tuning.queries:,} judged queries ({queries}); {tuning.folds} folds."
    yield (
        f"A change passes if it gains on held-out queries (one-sided p at most {level / len(tuning.stages):.3g}: "
        f"{level:g} over {_count(len(tuning.stages), 'stage')}), and no mean falls by more than {margin:g}."
    )
    for outcome in tuning.stages:
        yield ""
        yield from _stage(outcome)


def held_out(tuning: Tuning) -> Iterator[str]:
    """Yield what the whole change is worth on queries that did not choose it."""
    found = tuning.held_out
    if not tuning.changes:
        yield f"Nothing is changed. {tuning.measure} as it is: {found.other:.4f}."
        return
    yield f"Changed: {in_words(tuning.changes)}"
    yield (
        f"{tuning.measure} on held-out queries: {found.mean:.4f}, before {found.other:.4f}; "
        f"difference {found.difference:+.4f}, "
        f"{1 - tuning.gate.level:.0%} interval {found.low:+.4f} to {found.high:+.4f}."
    )


def trials_table(tuning: Tuning) -> Iterator[str]:
    """Yield every trial, the parameters that were tuned and the mean over all queries, a row each."""
    names = [name for outcome in tuning.stages for name in outcome.in_use]
    yield "  ".join([f"{'trial':>5}", *(f"{name:>{_wide(name)}}" for name in names), f"{tuning.measure:>9}"])
    for number, (setting, mean) in enumerate(tuning.trials, 1):
        cells = [f"{_plain(setting[name]):>{_wide(name)}}" for name in names]
        yield "  ".join([f"{number:>5}", *cells, f"{mean:>9.4f}"])
    yield "(means over all queries; the best of many is flattered, so it is not the result)"


def _stage(outcome: StageOutcome) -> Iterator[str]:
    verdict = outcome.verdict
    if verdict is None:
        yield f"{outcome.stage}: kept at {in_words(outcome.in_use)}. Nothing else does better on all queries."
    elif verdict.passes:
        yield f"{outcome.stage}: changed from {in_words(outcome.in_use)} to {in_words(outcome.kept)}."
    else:
        kept, found = in_words(outcome.in_use), in_words(outcome.chosen)
        yield f"{outcome.stage}: kept at {kept}. The change to {found} does not pass."
    if verdict is not None:
        for reason in verdict.reasons:
            yield f"  because {reason}"
    for name, (low, high) in outcome.intervals.items():
        chosen = _plain(outcome.chosen[name])
        yield f"  {name}: all queries choose {chosen}; 90% of samples of them, {low:g} to {high:g}"
    if verdict is None:
        return
    for number, (pick, (mean, before)) in enumerate(zip(outcome.by_fold, outcome.fold_means, strict=True), 1):
        yield f"  fold {number}: the others choose {in_words(pick)}; held out {mean:.4f}, in use {before:.4f}"
    yield f"  held out, against the values in use: {_contrast(verdict.in_use)}"
    if verdict.left_out is not None:
        yield f"  held out, against leaving it out: {_contrast(verdict.left_out)}"
    for part in verdict.collections:
        yield f"  held out, {part.against}: {_contrast(part)}"


def _contrast(found: Contrast) -> str:
    return (
        f"{found.mean:.4f} against {found.other:.4f}, {found.difference:+.4f} "
        f"({found.low:+.4f} to {found.high:+.4f}), p better {found.p_better:.2g}, p worse {found.p_worse:.2g}"
    )


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _wide(name: str) -> int:
    return max(len(name), 6)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
