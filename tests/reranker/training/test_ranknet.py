"""RankNet agrees with a plain version of itself, in value and in gradient, for any scores, grades and queries."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="training needs torch")

from reranker.training.objectives.ranknet import ranknet  # noqa: E402

Case = tuple[list[float], list[float], list[int], list[float]]
_LARGEST = 3.4028234663852886e38


@st.composite
def cases(draw: st.DrawFn, bound: float = 30.0, most: int = 12) -> Case:
    n = draw(st.integers(1, most))
    numbers = st.floats(-bound, bound, width=32)
    return (
        draw(st.lists(numbers, min_size=n, max_size=n)),
        draw(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0]), min_size=n, max_size=n)),
        draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)),
        draw(st.lists(st.floats(0, 50, width=32), min_size=n, max_size=n)),
    )


def plain(
    scores: Sequence[float],
    grades: Sequence[float],
    groups: Sequence[int],
    weights: Sequence[float],
    grade_aware: bool,
) -> tuple[float, list[float]]:
    """The loss and its gradient, by two loops and the closed form of the derivative."""
    queries = sorted(set(groups))
    loss, gradient = 0.0, [0.0] * len(scores)
    for query in queries:
        own = [i for i in range(len(scores)) if groups[i] == query]
        pairs = [(i, j) for i in own for j in own if grades[i] > grades[j]]
        shares = [2 ** grades[i] - 2 ** grades[j] if grade_aware else 1.0 for i, j in pairs]
        for (i, j), share in zip(pairs, shares, strict=True):
            weight = weights[i] * share / sum(shares) / len(queries)
            x = scores[i] - scores[j]
            loss += weight * (math.log1p(math.exp(-x)) if x > 0 else math.log1p(math.exp(x)) - x)
            pull = math.exp(-x) / (1 + math.exp(-x)) if x > 0 else 1 / (1 + math.exp(x))
            gradient[i] -= weight * pull
            gradient[j] += weight * pull
    return loss, gradient


def both(case: Case, **options: object) -> tuple[float, list[float]]:
    scores, grades, groups, weights = case
    leaf = torch.tensor(scores, dtype=torch.float64, requires_grad=True)
    loss = ranknet(leaf, torch.tensor(grades), torch.tensor(groups), torch.tensor(weights), **options)
    loss.backward()
    assert leaf.grad is not None
    return loss.item(), leaf.grad.tolist()


@settings(max_examples=150)
@given(cases(), st.booleans())
def test_it_is_the_plain_version(case: Case, grade_aware: bool) -> None:
    loss, gradient = both(case, grade_aware=grade_aware)
    expected, pulls = plain(*case, grade_aware)
    assert loss == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert gradient == pytest.approx(pulls, rel=1e-7, abs=1e-9)


@settings(max_examples=30)
@given(cases(bound=5.0, most=7), st.booleans())
def test_the_gradient_is_that_of_finite_differences(case: Case, grade_aware: bool) -> None:
    scores, grades, groups, weights = case
    _, gradient = both(case, grade_aware=grade_aware)
    step = 1e-5
    for place in range(len(scores)):
        up, down = list(scores), list(scores)
        up[place] += step
        down[place] -= step
        slope = (
            both((up, grades, groups, weights), grade_aware=grade_aware)[0]
            - both((down, grades, groups, weights), grade_aware=grade_aware)[0]
        ) / (2 * step)
        assert gradient[place] == pytest.approx(slope, rel=1e-4, abs=1e-6)


@settings(max_examples=60)
@given(cases(), st.randoms(use_true_random=False))
def test_neither_the_order_nor_the_numbers_of_queries_matter(case: Case, chance: object) -> None:
    scores, grades, groups, weights = case
    loss, gradient = both(case)
    order = list(range(len(scores)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    renamed = {group: 1000 - 7 * group for group in groups}
    moved = (
        [scores[i] for i in order],
        [grades[i] for i in order],
        [renamed[groups[i]] for i in order],
        [weights[i] for i in order],
    )
    other, turned = both(moved)
    assert other == pytest.approx(loss, rel=1e-9, abs=1e-12)
    assert turned == pytest.approx([gradient[i] for i in order], rel=1e-9, abs=1e-12)


@settings(max_examples=60)
@given(cases())
def test_a_query_weighs_the_same_whatever_its_number_of_pairs(case: Case) -> None:
    """Every passage twice: four times the pairs, and neither the loss nor a passage's whole pull changes."""
    scores, grades, groups, weights = case
    loss, gradient = both(case)
    twice, pulls = both((scores * 2, grades * 2, groups * 2, weights * 2))
    assert twice == pytest.approx(loss, rel=1e-9, abs=1e-12)
    half = len(scores)
    assert [pulls[i] + pulls[i + half] for i in range(half)] == pytest.approx(gradient, rel=1e-9, abs=1e-12)


@settings(max_examples=60)
@given(cases(), cases())
def test_other_queries_in_the_batch_change_no_gradient_but_by_their_number(one: Case, two: Case) -> None:
    """What a batch pads, or how it is cut into smaller ones, cannot matter: queries do not see each other."""
    _, alone = both(one)
    apart = [group + 100 for group in two[2]]
    _, together = both((one[0] + two[0], one[1] + two[1], one[2] + apart, one[3] + two[3]))
    queries, all_queries = len(set(one[2])), len(set(one[2])) + len(set(apart))
    seen = [pull * all_queries / queries for pull in together[: len(alone)]]
    assert seen == pytest.approx(alone, rel=1e-9, abs=1e-12)


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(st.floats(-_LARGEST, _LARGEST, width=32), st.integers(0, 3), st.integers(0, 2)),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(["float32", "float16", "bfloat16"]),
    st.booleans(),
)
def test_any_finite_scores_give_a_finite_loss_and_gradient(
    rows: list[tuple[float, int, int]], kind: str, grade_aware: bool
) -> None:
    dtype = getattr(torch, kind)
    limit = torch.finfo(dtype).max
    scores = torch.tensor([max(-limit, min(limit, row[0])) for row in rows]).to(dtype)
    scores = torch.nan_to_num(scores, posinf=limit, neginf=-limit).requires_grad_()
    grades, groups = torch.tensor([row[1] for row in rows]), torch.tensor([row[2] for row in rows])
    loss = ranknet(scores, grades, groups, grade_aware=grade_aware)
    loss.backward()
    assert torch.isfinite(loss)
    assert scores.grad is not None
    assert torch.isfinite(scores.grad).all()


@pytest.mark.parametrize("grade_aware", [False, True])
@pytest.mark.parametrize(
    ("scores", "grades", "groups"),
    [
        ([3.0], [1.0], [0]),
        ([3.0, 4.0, 5.0], [1.0, 1.0, 1.0], [0, 0, 0]),
        ([1.0, 2.0], [0.0, 1.0], [0, 1]),
        ([], [], []),
    ],
    ids=["one passage", "all tied", "two queries of one passage", "nothing"],
)
def test_without_a_pair_the_loss_is_a_zero_that_is_still_connected(
    scores: list[float], grades: list[float], groups: list[int], grade_aware: bool
) -> None:
    leaf = torch.tensor(scores, requires_grad=True)
    loss = ranknet(
        leaf, torch.tensor(grades), torch.tensor(groups, dtype=torch.int64), grade_aware=grade_aware
    )
    assert loss.item() == 0.0
    loss.backward()
    assert leaf.grad is not None
    assert leaf.grad.tolist() == [0.0] * len(scores)


@pytest.mark.parametrize("depth", [50.0, 1e4, 1e30])
def test_a_badly_inverted_pair_pulls_with_full_strength(depth: float) -> None:
    scores = torch.tensor([-depth, depth], requires_grad=True)
    ranknet(scores, torch.tensor([1.0, 0.0]), torch.tensor([0, 0])).backward()
    assert scores.grad is not None
    assert scores.grad.tolist() == [-1.0, 1.0]


def test_a_query_without_a_pair_counts_as_a_query() -> None:
    scores, grades = torch.tensor([0.0, 0.0, 9.0]), torch.tensor([1.0, 0.0, 1.0])
    assert ranknet(scores, grades, torch.tensor([0, 0, 1])).item() == pytest.approx(math.log(2) / 2)


def test_grades_of_any_size_can_be_told_apart() -> None:
    """2^grade would overflow, or underflow, and only ratios matter."""
    for shift in (-5000.0, 0.0, 5000.0):
        grades = torch.tensor([2.0, 1.0, 0.0], dtype=torch.float64) + shift
        loss = ranknet(torch.zeros(3), grades, torch.zeros(3, dtype=torch.int64), grade_aware=True)
        assert loss.item() == pytest.approx(math.log(2))


def test_inverse_propensities_are_not_normalised_away() -> None:
    scores, grades, groups = torch.zeros(2), torch.tensor([1.0, 0.0]), torch.tensor([0, 0])
    assert ranknet(scores, grades, groups, torch.tensor([5.0, 1.0])).item() == pytest.approx(5 * math.log(2))
    assert ranknet(scores, grades, groups, torch.tensor([1.0, 5.0])).item() == pytest.approx(math.log(2))


def test_tensors_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="of one length"):
        ranknet(torch.zeros(3), torch.zeros(2), torch.zeros(3, dtype=torch.int64))
    with pytest.raises(ValueError, match="flat"):
        ranknet(torch.zeros(2, 2), torch.zeros(2, 2), torch.zeros(2, 2, dtype=torch.int64))
