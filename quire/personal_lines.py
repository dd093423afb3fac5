"""A personal study as a person reads it: the verdict, then what it rests on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from quire.columns import Column, table_lines
from quire.comparison_lines import DASH, interval_text, p_text, signed
from quire.progress import plural
from quire.terminal import Screen, harmless

if TYPE_CHECKING:
    from eval.personal.leakage import Leakage
    from eval.personal.measured import MeasureStudy
    from eval.personal.readers import Change
    from eval.personal.recommendation import Recommended
    from eval.personal.shown import Shown
    from eval.personal.study import PersonalStudy


def study_lines(study: PersonalStudy, screen: Screen) -> Iterator[str]:
    """Yield the whole of a study: each measure, then what is the same for all."""
    for part in study.measures:
        yield from _measure(part, study, screen)
        yield ""
    yield from _checks(study, screen)
    yield ""
    yield screen.style(f"Shown in the first {study.shown[0].cutoff}", "bold")
    calibration = [study.miscalibration[shown.run] for shown in study.shown]
    yield from table_lines(_shown(study.shown, calibration), screen, "  ")


def recommended_lines(found: Sequence[Recommended], screen: Screen) -> Iterator[str]:
    """Yield what runs of recommendations are worth, and what they show."""
    k = found[0].shown.cutoff
    yield screen.style(f"Recommendations to {plural(found[0].readers, 'reader')}", "bold")
    against = [one.against_popularity for one in found]
    yield from table_lines(
        [
            Column("run", [one.run for one in found], left=True),
            Column(f"HR@{k}", [f"{one.hit_rate:.4f}" for one in found]),
            Column(f"nDCG@{k}", [f"{one.ndcg:.4f}" for one in found]),
            Column("MRR", [f"{one.mrr:.4f}" for one in found]),
            Column("to popularity", [DASH, *(signed(change.difference) for change in against[1:])], rank=1),
            Column("95% interval", [DASH, *(_interval(change) for change in against[1:])], rank=2),
            Column("p", [DASH, *(p_text(change.p_value) for change in against[1:])], rank=1),
        ],
        screen,
        "  ",
    )
    yield ""
    yield screen.style(f"Shown in the first {k}", "bold")
    yield from table_lines(_shown([one.shown for one in found], ()), screen, "  ")


def leakage_lines(leakage: Leakage, screen: Screen) -> Iterator[str]:
    """Yield what was looked for and how often it was found, with examples of what was."""
    for finding in leakage.findings:
        if not finding.count:
            yield from screen.wrap([(f"no {finding.what}", False)], "    ", "  ")
            continue
        shown = "; ".join(map(harmless, finding.examples))
        more = "; ..." if finding.count > len(finding.examples) else ""
        mark = "! " if finding.serious else "  "
        text = f"{finding.count:,} {finding.what}: {shown}{more}"
        yield from screen.wrap([(text, False)], "    ", mark)


def _measure(part: MeasureStudy, study: PersonalStudy, screen: Screen) -> Iterator[str]:
    yield screen.style(
        f"{part.measure}, {plural(study.readers, 'reader')}, {study.queries:,} queries", "bold"
    )
    yield from screen.wrap([(part.verdict, False)], "  ")
    yield ""
    changes = [part.gain, *([part.control] if part.control else [])]
    names = [part.gain.base, *(change.other for change in changes)]
    means = [part.gain.base_mean, *(change.other_mean for change in changes)]
    yield from table_lines(
        [
            Column("run", names, left=True),
            Column("mean", [f"{value:.4f}" for value in means]),
            Column("by query", [f"{part.query_means[name]:.4f}" for name in names], rank=3),
            Column("difference", [DASH, *(signed(change.difference) for change in changes)]),
            Column("95% interval", [DASH, *(_interval(change) for change in changes)], rank=2),
            Column("p", [DASH, *(p_text(change.corrected) for change in changes)]),
            Column(
                "better/same/worse",
                [DASH, *(f"{change.better}/{change.same}/{change.worse}" for change in changes)],
                rank=1,
            ),
        ],
        screen,
        "  ",
    )
    for text in _remarks(part):
        yield from screen.wrap([(text, False)], "  ")
    yield ""
    groups = part.groups
    yield from table_lines(
        [
            Column("documents met", [group.name for group in groups], left=True),
            Column("readers", [f"{group.readers:,}" for group in groups]),
            Column("queries", [f"{group.queries:,}" for group in groups], rank=2),
            Column("anonymous", [f"{group.base:.4f}" for group in groups]),
            Column("personal", [f"{group.other:.4f}" for group in groups]),
            Column("shuffled", [_or_dash(group.shuffled) for group in groups], rank=1),
            Column("harmed", [f"{group.harmed:.0%}" for group in groups]),
        ],
        screen,
        "  ",
    )


def _remarks(part: MeasureStudy) -> Iterator[str]:
    harm = part.harm
    yield (
        f"Harm: {harm.readers:.0%} of readers lose more than {harm.tolerance:g} "
        f"(on average {harm.reader_loss:.4f}), and {harm.queries:.0%} of queries ({harm.query_loss:.4f}); "
        f"{harm.helped_readers:.0%} of readers gain more."
    )
    if harm.worst:
        worst = "; ".join(
            f"{reader.user_id} {reader.base:.3f} to {reader.other:.3f} "
            f"({reader.queries} {'query' if reader.queries == 1 else 'queries'})"
            for reader in harm.worst
        )
        yield f"Most harmed: {worst}."
    if part.hiding is not None and part.hiding.gain:
        yield (
            f"To leave out what readers had read gains {signed(part.hiding.difference)} by itself; "
            "where the personalised run does so, compare with --hide-read."
        )


def _checks(study: PersonalStudy, screen: Screen) -> Iterator[str]:
    yield screen.style("Checks", "bold")
    cold, promoted = study.cold, study.promotions
    if not cold.queries:
        text = "  every query has a history behind it, so cold start is not tested"
    elif cold.different:
        some = ", ".join(map(harmless, cold.examples))
        text = (
            f"! {cold.different:,} of {cold.queries:,} queries without a history differ from the anonymous list, "
            f"such as {some}: something else than the reader's history changes it"
        )
    else:
        text = f"  all {cold.queries:,} queries without a history have the anonymous list"
    yield from screen.wrap([(text[2:], False)], "    ", text[:2])
    yield from leakage_lines(study.leakage, screen)
    text = (
        f"{promoted.documents:,} documents are new in the first {promoted.cutoff}, {promoted.relevant:.1%} of them "
        f"relevant (of the documents first in the anonymous lists {promoted.usual:.1%})"
    )
    if promoted.suspicious:
        text += ": so many that the judged documents have probably leaked into the profiles"
    yield from screen.wrap([(text, False)], "    ", "! " if promoted.suspicious else "  ")
    if study.unnamed:
        text = f"{study.unnamed:,} judged queries count nowhere: no topic names their reader"
        yield from screen.wrap([(text, False)], "    ", "! ")
    if study.answered_before:
        text = f"{study.answered_before:,} queries are left out: all that is relevant had been read"
        yield from screen.wrap([(text, False)], "    ", "  ")


def _shown(shown: Sequence[Shown], miscalibration: Sequence[float]) -> list[Column]:
    columns = [
        Column("run", [one.run for one in shown], left=True),
        Column("readers each", [_finite(one.popularity, ".2f") for one in shown]),
        Column("lift", [_finite(one.lift, "+.0%") for one in shown], rank=3),
        Column("novelty", [_finite(one.novelty, ".2f") for one in shown], rank=2),
        Column("unread", [_finite(one.unread, ".0%") for one in shown], rank=5),
        Column("coverage", [f"{one.coverage:.1%}" for one in shown]),
        Column("Gini", [f"{one.gini:.2f}" for one in shown], rank=4),
        Column("kept", [_finite(one.kept, ".0%") for one in shown], rank=1),
    ]
    if miscalibration:
        columns.append(Column("miscalibration", [_finite(value, ".3f") for value in miscalibration], rank=2))
    return columns


def _interval(change: Change) -> str:
    return interval_text((change.low, change.high), sign=True)


def _or_dash(value: float | None) -> str:
    return DASH if value is None else f"{value:.4f}"


def _finite(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else DASH
