"""One measure of a personal study: gain, control, harm and groups, and the verdict on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from eval.measures import Evaluation, Measure
from eval.personal.control import Remaining, remaining, verdict
from eval.personal.groups import Group, history_groups
from eval.personal.harm import Harm, harm_of
from eval.personal.histories import Histories
from eval.personal.readers import Change, Test, Values, change_of, mean, reader_means


@dataclass(frozen=True, slots=True)
class MeasureStudy:
    """All that is said in one measure. Values are means over readers.

    Args:
        measure: Its name.
        query_means: Run to the mean over queries, as other tools would print it.
        gain: The personalised run against the anonymous one.
        control: The run with other readers' profiles against the anonymous one; None without one.
        personal_part: The personalised run against the control; None without one.
        remaining: The share of the gain that the control keeps; None without a control, or without a gain.
        hiding: The anonymous run without what its readers had read, against itself whole: what hiding alone gains.
            None where the lists are compared without it anyway.
        harm: Who loses.
        groups: By size of history.
        verdict: All of it in a sentence or two.
    """

    measure: str
    query_means: Mapping[str, float]
    gain: Change
    control: Change | None
    personal_part: Change | None
    remaining: Remaining | None
    hiding: Change | None
    harm: Harm
    groups: tuple[Group, ...]
    verdict: str


@dataclass(frozen=True, slots=True)
class Options:
    """How changes are tested; see `personal_study`."""

    test: Test
    rounds: int
    seed: int
    tolerance: float

    def change(self, base: Values, other: Values, names: tuple[str, str]) -> Change:
        """Return how two runs differ over readers."""
        return change_of(
            base, other, names, test=self.test, rounds=self.rounds, seed=self.seed, tolerance=self.tolerance
        )


def study_of(
    measure: Measure,
    evaluations: Sequence[Evaluation],
    bare: Evaluation | None,
    users: Mapping[str, str],
    histories: Histories,
    options: Options,
) -> MeasureStudy:
    """Return one measure's study, p-values not yet corrected and the verdict not yet given."""
    values = [evaluation.values[measure] for evaluation in evaluations]
    names = [evaluation.run for evaluation in evaluations]
    readers = [reader_means(each, users) for each in values]
    gain = options.change(readers[0], readers[1], (names[0], names[1]))
    control = personal_part = left = hiding = None
    if len(readers) == 3:
        control = options.change(readers[0], readers[2], (names[0], names[2]))
        personal_part = options.change(readers[2], readers[1], (names[2], names[1]))
        if gain.difference > 0 and gain.low > 0:
            left = remaining(*readers, rounds=options.rounds, seed=options.seed)
    if bare is not None:
        whole = reader_means(bare.values[measure], users)
        hiding = options.change(readers[0], whole, (names[0], f"{names[0]}, read hidden"))
    shuffled = values[2] if len(values) == 3 else None
    return MeasureStudy(
        measure=str(measure),
        query_means={
            name: mean({query_id: value for query_id, value in each.items() if query_id in users})
            for name, each in zip(names, values, strict=True)
        },
        gain=gain,
        control=control,
        personal_part=personal_part,
        remaining=left,
        hiding=hiding,
        harm=harm_of(values[0], values[1], users, options.tolerance),
        groups=tuple(history_groups(histories, users, values[0], values[1], shuffled, options.tolerance)),
        verdict="",
    )


def corrected(studies: Sequence[MeasureStudy]) -> tuple[MeasureStudy, ...]:
    """Return the studies with p-values corrected over the measures, each kind of comparison apart, and verdicts."""
    from eval.statistics import holm

    done = list(studies)
    for kind in ("gain", "control", "personal_part", "hiding"):
        changes = [getattr(study, kind) for study in studies]
        if None not in changes:
            adjusted = holm([change.p_value for change in changes])
            for at, p_value in enumerate(adjusted.tolist()):
                changed = replace(changes[at], corrected=p_value)
                done[at] = replace(done[at], **{kind: changed})
    return tuple(
        replace(study, verdict=verdict(study.gain, study.control, study.personal_part, study.remaining))
        for study in done
    )
