"""Comparisons: each number against the function that makes it, the family, and the queries that differ most."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import numpy as np
import pytest

from eval.comparison import CORRECTIONS, TESTS, Comparison, compare, extremes
from eval.errors import InvalidEvaluation
from eval.measures import Evaluation, Measure
from eval.measures.measure import Averaged
from eval.run import Run
from eval.statistics import (
    bootstrap_interval,
    effect_size,
    holm,
    minimum_detectable_difference,
    paired_t,
    randomisation,
    wilcoxon,
)

pytest.importorskip("scipy", reason="the extra eval is not installed")


@dataclass(frozen=True, slots=True)
class Named(Averaged):
    """A measure that is nothing but its name."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Milliseconds(Averaged):
    """A measure of which less is better."""

    @property
    def lower_is_better(self) -> bool:
        return True

    def __str__(self) -> str:
        return "ms"


@dataclass(frozen=True, slots=True)
class Largest(Averaged):
    """A measure that is no mean."""

    def aggregate(self, values) -> float:
        return max(values)

    def __str__(self) -> str:
        return "largest"


FIRST, SECOND = Named("first"), Named("second")
QUERIES = [f"q{number}" for number in range(30)]


def evaluation(
    name: str, seed: int, shift: float = 0.0, measures: tuple[Measure, ...] = (FIRST, SECOND)
) -> Evaluation:
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(QUERIES))  # no order of queries is to be relied on
    return Evaluation(
        name,
        {
            measure: {
                QUERIES[at]: round(float(np.clip(generator.normal(0.5 + shift, 0.2), 0, 1)), 2)
                for at in order
            }
            for measure in measures
        },
    )


def systems() -> list[Evaluation]:
    return [evaluation("other", 2), evaluation("base", 1), evaluation("good", 3, 0.2)]


def values(found: Evaluation, measure: Measure) -> np.ndarray:
    return np.array([found.values[measure][query] for query in QUERIES])


def contrast_of(comparison: Comparison, system: str, measure: Measure):
    return next(c for c in comparison.contrasts if c.system == system and c.measure == measure)


@pytest.mark.parametrize("test", TESTS)
def test_every_number_is_what_its_function_makes_of_the_values(test: str) -> None:
    other, base, good = systems()
    comparison = compare([other, base, good], "base", [FIRST, SECOND], test=test)
    function = {"t": paired_t, "wilcoxon": wilcoxon, "randomisation": randomisation}[test]
    assert comparison.systems == ("base", "other", "good")
    assert comparison.family == 4
    for found in (other, good):
        for measure in (FIRST, SECOND):
            ours, theirs = values(found, measure), values(base, measure)
            contrast = contrast_of(comparison, found.run, measure)
            assert contrast.n == 30
            assert contrast.difference == pytest.approx(ours.mean() - theirs.mean())
            # Resamples are drawn over the queries in another order, so the ends agree to their own accuracy.
            assert contrast.interval == pytest.approx(bootstrap_interval(ours - theirs), abs=0.01)
            assert contrast.p_value == pytest.approx(
                function(ours, theirs).p_value, abs=0.02 if test == "randomisation" else 1e-9
            )
            assert contrast.effect == pytest.approx(effect_size(ours, theirs))
            assert contrast.detectable == pytest.approx(minimum_detectable_difference(ours - theirs))
            assert contrast.wins == sum(a - b > 1e-6 for a, b in zip(ours, theirs, strict=True))
            assert contrast.losses == sum(b - a > 1e-6 for a, b in zip(ours, theirs, strict=True))
            assert contrast.wins + contrast.ties + contrast.losses == 30
            row = comparison.row(measure, found.run)
            assert row.contrast == contrast
            assert row.mean == pytest.approx(ours.mean())
            assert row.interval == pytest.approx(bootstrap_interval(ours), abs=0.02)
    assert comparison.row(FIRST, "base").contrast is None


def test_the_family_is_every_pair_by_every_measure() -> None:
    comparison = compare(systems(), None, [FIRST, SECOND])
    pairs = [(contrast.measure, contrast.system, contrast.baseline) for contrast in comparison.contrasts]
    expected = [("base", "other"), ("good", "other"), ("good", "base")]
    assert pairs == [(measure, *pair) for measure in (FIRST, SECOND) for pair in expected]
    corrected = holm([contrast.p_value for contrast in comparison.contrasts])
    assert [contrast.corrected_p for contrast in comparison.contrasts] == corrected.tolist()
    assert all(row.contrast is None for row in comparison.rows)


def test_a_good_system_is_significantly_so_and_an_equal_one_is_not() -> None:
    comparison = compare(systems(), "base", [FIRST])
    assert comparison.significant(contrast_of(comparison, "good", FIRST))
    assert not comparison.significant(contrast_of(comparison, "other", FIRST))


def test_more_measures_make_each_finding_harder() -> None:
    alone = contrast_of(compare(systems(), "base", [FIRST]), "good", FIRST)
    among = contrast_of(compare(systems(), "base", [FIRST, SECOND]), "good", FIRST)
    assert alone.p_value == among.p_value
    assert alone.corrected_p < among.corrected_p


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_a_correction_never_lowers_p(correction: str) -> None:
    for contrast in compare(systems(), "base", [FIRST, SECOND], correction=correction).contrasts:
        assert contrast.corrected_p >= contrast.p_value
        assert correction != "none" or contrast.corrected_p == contrast.p_value


def test_a_system_compared_with_its_copy_ties_everywhere() -> None:
    base = evaluation("base", 1)
    contrast = compare([base, Evaluation("copy", base.values)], "base", [FIRST]).contrasts[0]
    assert (contrast.difference, contrast.interval, contrast.p_value, contrast.effect) == (
        0.0,
        (0.0, 0.0),
        1.0,
        0.0,
    )
    assert (contrast.wins, contrast.ties, contrast.losses) == (0, 30, 0)


def test_of_times_less_wins() -> None:
    quick = Evaluation("quick", {Milliseconds(): {"a": 1.0, "b": 2.0, "c": 9.0}})
    slow = Evaluation("slow", {Milliseconds(): {"a": 3.0, "b": 5.0, "c": 8.0}})
    contrast = compare([slow, quick], "slow", [Milliseconds()]).contrasts[0]
    assert (contrast.wins, contrast.losses) == (2, 1)
    assert contrast.difference == pytest.approx(-4 / 3)
    assert contrast.gain == pytest.approx(4 / 3)
    lost, gained = extremes(quick, slow, Milliseconds(), {}, {}, {}, {})
    assert [case.query_id for case in lost] == ["c"]
    assert [case.query_id for case in gained] == ["b", "a"]


def test_a_measure_of_fewer_queries_has_its_own() -> None:
    """Evidence is not marked for every query."""
    some = {query: 0.5 for query in QUERIES[:7]}
    base, good = systems()[1:]
    ours = Evaluation(
        "good", good.values | {Named("spans"): {query: 0.25 + 0.1 * at for at, query in enumerate(some)}}
    )
    theirs = Evaluation("base", base.values | {Named("spans"): some})
    comparison = compare([theirs, ours], "base", [FIRST, Named("spans")])
    assert [contrast.n for contrast in comparison.contrasts] == [30, 7]


def test_one_query_makes_json_without_infinities() -> None:
    one = Evaluation("one", {FIRST: {"q": 0.5}})
    two = Evaluation("two", {FIRST: {"q": 0.7}})
    comparison = compare([one, two], "one", [FIRST])
    record = json.loads(json.dumps(comparison.to_json(), allow_nan=False))
    assert record["contrasts"][0]["detectable"] is None
    assert record["contrasts"][0]["interval"] == [None, None]
    assert record["contrasts"][0]["p"] == 1.0
    assert math.isnan(comparison.contrasts[0].effect)


def test_json_holds_every_row_and_contrast() -> None:
    comparison = compare(systems(), "base", [FIRST, SECOND], test="wilcoxon", correction="benjamini-hochberg")
    record = json.loads(json.dumps(comparison.to_json(), allow_nan=False))
    assert {(row["measure"], row["system"]) for row in record["rows"]} == {
        (str(measure), name) for measure in (FIRST, SECOND) for name in ("base", "other", "good")
    }
    assert (record["test"], record["correction"], record["family"]) == ("wilcoxon", "benjamini-hochberg", 4)
    assert [contrast["corrected_p"] for contrast in record["contrasts"]] == [
        c.corrected_p for c in comparison.contrasts
    ]


def broken(name: str) -> Evaluation:
    return Evaluation(name, {FIRST: dict.fromkeys(QUERIES, math.nan)})


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (lambda: (systems()[:1], "base", [FIRST]), "needs two systems"),
        (lambda: (systems(), "base", []), "needs two systems and a measure"),
        (lambda: (systems(), "best", [FIRST]), "no baseline 'best' among other, base, good"),
        (lambda: ([*systems(), evaluation("base", 5)], "base", [FIRST]), "both called 'base'"),
        (lambda: (systems(), "base", [Named("third")]), "base was not measured by third"),
        (lambda: ([evaluation("base", 1), broken("odd")], "base", [FIRST]), "first: .*NaN"),
        (
            lambda: (
                [evaluation("base", 1, measures=(Largest(),)), evaluation("odd", 2, measures=(Largest(),))],
                "base",
                [Largest()],
            ),
            "not the mean",
        ),
        (
            lambda: ([evaluation("base", 1), Evaluation("part", {FIRST: {"q1": 0.5}})], "base", [FIRST]),
            "29 are of one alone, such as 'q0'",
        ),
        (lambda: ([Evaluation("a", {FIRST: {}}), Evaluation("b", {FIRST: {}})], "a", [FIRST]), "no query"),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments, says: str) -> None:
    with pytest.raises(InvalidEvaluation, match=says):
        compare(*arguments())


@pytest.mark.parametrize(
    "options", [{"test": "z"}, {"correction": "bonferroni"}, {"level": 1.0}, {"rounds": 0}]
)
def test_what_cannot_be_asked_for_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(InvalidEvaluation):
        compare(systems(), "base", [FIRST], **options)  # type: ignore[arg-type]


def test_extremes_are_the_queries_that_differ_most_with_graded_hits() -> None:
    theirs = Evaluation("base", {FIRST: {"a": 0.2, "b": 0.9, "c": 0.5, "d": 0.5, "e": 0.4}})
    ours = Evaluation("good", {FIRST: {"a": 0.8, "b": 0.1, "c": 0.5, "d": 0.6, "e": 0.2}})
    run = Run("good", {"b": {"x": 3.0, "y": 2.0, "z": 1.0}})
    base = Run("base", {"b": {"z": 2.0, "x": 1.0}, "a": {"y": 1.0}})
    lost, gained = extremes(
        ours,
        theirs,
        FIRST,
        {"b": "What?"},
        run.rankings,
        base.rankings,
        {"b": {"x": 0, "z": 2}},
        titles={"z": "Zed"},
        shown=2,
    )
    assert [case.query_id for case in lost] == ["b", "e"]
    assert [case.query_id for case in gained] == ["a", "d"]
    case = lost[0]
    assert (case.text, case.value, case.baseline_value) == ("What?", 0.1, 0.9)
    assert case.difference == pytest.approx(-0.8)
    assert [(hit.rank, hit.doc_id, hit.grade, hit.elsewhere) for hit in case.hits] == [
        (1, "x", 0, 2),
        (2, "y", None, None),
    ]
    assert [(hit.doc_id, hit.title, hit.grade, hit.elsewhere) for hit in case.baseline_hits] == [
        ("z", "Zed", 2, 3),
        ("x", "", 0, 1),
    ]
    assert gained[0].hits == ()
    json.dumps(case.to_json(), allow_nan=False)


def test_extremes_are_no_more_than_asked_for_and_equal_ones_come_by_name() -> None:
    theirs = Evaluation("base", {FIRST: dict.fromkeys("dbca", 0.5)})
    ours = Evaluation("good", {FIRST: {"d": 0.25, "b": 0.75, "c": 0.75, "a": 0.75}})
    lost, gained = extremes(ours, theirs, FIRST, {}, {}, {}, {}, count=2)
    assert [case.query_id for case in gained] == ["a", "b"]
    assert [case.query_id for case in lost] == ["d"]


def test_extremes_of_different_queries_are_refused() -> None:
    with pytest.raises(InvalidEvaluation, match="same queries"):
        extremes(evaluation("good", 1), Evaluation("base", {FIRST: {"q1": 1.0}}), FIRST, {}, {}, {}, {})
