"""Holm and Benjamini-Hochberg: the example of the paper, scipy, and what must hold for any p-values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.errors import InvalidEvaluation
from eval.statistics import benjamini_hochberg, holm

# Benjamini and Hochberg (1995), section 4: fifteen hypotheses on treatments after a heart attack.
THROMBOLYSIS = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
]  # fmt: skip
CORRECTIONS = (holm, benjamini_hochberg)
families = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def test_the_papers_example() -> None:
    """Their procedure rejects four at .05; ones that control the familywise error reject three."""
    assert int((benjamini_hochberg(THROMBOLYSIS) <= 0.05).sum()) == 4
    assert int((holm(THROMBOLYSIS) <= 0.05).sum()) == 3


def test_worked_by_hand() -> None:
    p = [0.01, 0.04, 0.03, 0.005]
    assert holm(p).tolist() == pytest.approx(
        [0.03, 0.06, 0.06, 0.02]
    )  # 3 x .01, and 1 x .04 held up by 2 x .03
    assert benjamini_hochberg(p).tolist() == pytest.approx([0.02, 0.04, 0.04, 0.02])


@given(families)
def test_benjamini_hochberg_is_scipys(p: list[float]) -> None:
    stats = pytest.importorskip("scipy.stats", reason="the extra eval is not installed")
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))


@given(families)
def test_holm_rejects_what_the_step_down_procedure_rejects(p: list[float]) -> None:
    for level in (0.01, 0.05, 0.2):
        rejected: set[int] = set()
        for step, place in enumerate(sorted(range(len(p)), key=p.__getitem__)):
            if p[place] * (len(p) - step) > level:
                break
            rejected.add(place)
        assert set(np.flatnonzero(holm(p) <= level).tolist()) == rejected


@given(families, st.randoms(use_true_random=False))
def test_what_holds_of_every_correction(p: list[float], random) -> None:
    order = list(range(len(p)))
    random.shuffle(order)
    for correct in CORRECTIONS:
        adjusted = correct(p)
        assert bool((adjusted >= np.array(p)).all())
        assert bool((adjusted <= 1.0).all())
        by_size = adjusted[np.argsort(p, kind="stable")]
        assert bool((np.diff(by_size) >= 0).all())
        assert correct([p[at] for at in order]).tolist() == adjusted[order].tolist()
    assert bool((benjamini_hochberg(p) <= holm(p) + 1e-12).all())
    assert bool(
        (holm(p) <= np.minimum(1.0, np.array(p) * len(p)) + 1e-12).all()
    )  # never worse than Bonferroni


def test_one_test_needs_no_correction() -> None:
    assert holm([0.03]).tolist() == benjamini_hochberg([0.03]).tolist() == [0.03]


def test_no_tests_are_no_tests() -> None:
    assert holm([]).tolist() == benjamini_hochberg([]).tolist() == []


@pytest.mark.parametrize("correct", CORRECTIONS)
@pytest.mark.parametrize("p", [[0.1, 1.2], [-0.1], [float("nan")], [[0.1]]])
def test_what_is_no_p_value_is_refused(correct, p: list[float]) -> None:
    with pytest.raises(InvalidEvaluation, match="from 0 to 1"):
        correct(p)
