import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from eval.errors import InvalidEvaluation
from eval.measures import parse_measure
from eval.report.standing import standing


def changed(result, pipeline, change):
    """The result with one system's values changed: `change` gets and returns measure's name to its values."""
    cells = []
    for cell in result.cells:
        if cell.pipeline == pipeline:
            values = {str(measure): dict(held) for measure, held in cell.evaluation.values.items()}
            values = {parse_measure(name): held for name, held in change(values).items()}
            cell = replace(cell, evaluation=replace(cell.evaluation, values=values))
        cells.append(cell)
    return replace(result, cells=cells)


def holm(p_values):
    """Holm's correction as it is taught: step down through the sorted values."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected, floor = [0.0] * len(p_values), 0.0
    for step, at in enumerate(order):
        floor = max(floor, min(1.0, (len(p_values) - step) * p_values[at]))
        corrected[at] = floor
    return corrected


def p_of(result, measure, system):
    cells = result.row("cranfield")
    ours, theirs = (cells[name].evaluation.values[measure] for name in (system, "bm25"))
    return stats.ttest_rel([ours[query] for query in ours], [theirs[query] for query in ours]).pvalue


def test_p_values_are_scipys_and_the_family_is_the_whole_collection(result):
    found = standing(result, "cranfield")
    tests = [(measure, name) for measure in result.measures for name in ("dense", "hybrid")]
    expected = holm([p_of(result, *test) for test in tests])
    assert found.family == 6
    for (measure, name), corrected in zip(tests, expected, strict=True):
        assert found.against[measure][name].p_value == pytest.approx(p_of(result, measure, name))
        assert found.against[measure][name].corrected == pytest.approx(corrected)


def test_the_family_stays_whole_where_a_system_lacks_a_measure(result):
    partial = changed(result, "dense", lambda values: {n: v for n, v in values.items() if n != "R@100"})
    found = standing(partial, "cranfield")
    tests = [
        (measure, name)
        for measure in result.measures
        for name in ("dense", "hybrid")
        if (str(measure), name) != ("R@100", "dense")
    ]
    expected = holm([p_of(result, *test) for test in tests])
    assert [str(measure) for measure in found.means] == ["nDCG@10", "R@100", "RR"]
    assert found.family == 5
    assert [found.against[measure][name].corrected for measure, name in tests] == pytest.approx(expected)


def test_means_and_intervals_are_the_same_with_and_without_a_baseline(result):
    compared, alone = standing(result, "cisi"), standing(replace(result, baseline=""), "cisi")
    assert not alone.against
    for measure, systems in alone.means.items():
        for name, one in systems.items():
            other = compared.means[measure][name]
            assert (one.mean, one.low, one.high) == pytest.approx((other.mean, other.low, other.high))
            values = list(result.row("cisi")[name].evaluation.values[measure].values())
            assert one.mean == pytest.approx(np.mean(values))
            assert one.low < one.mean < one.high


def test_queries_that_differ_are_a_problem_of_their_measure_alone(result):
    def lose_one(values):
        return values | {"RR": {query: value for query, value in values["RR"].items() if query != "q7"}}

    found = standing(changed(result, "hybrid", lose_one), "cranfield")
    assert [str(measure) for measure in found.against] == ["nDCG@10", "R@100"]
    assert len(found.problems) == 1
    assert "q7" in found.problems[0]
    assert all(one.bounded for one in found.means[parse_measure("RR")].values())


def test_a_value_that_is_no_number_is_not_tested_and_has_no_interval(result):
    found = standing(
        changed(result, "dense", lambda values: values | {"RR": values["RR"] | {"q3": math.nan}}), "cranfield"
    )
    measure = parse_measure("RR")
    assert measure not in found.against
    assert not found.means[measure]["dense"].bounded
    assert found.against[parse_measure("nDCG@10")]["dense"].difference.bounded


@pytest.mark.parametrize("changes", [{"test": "tea leaves"}, {"correction": "hope"}])
def test_unknown_tests_and_corrections_are_told(result, changes):
    with pytest.raises(InvalidEvaluation, match=r"tea leaves|hope"):
        standing(replace(result, **changes), "cranfield")
