"""The other objectives agree with plain versions of themselves; all of them see nothing but a query's own passages."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="training needs torch")

from reranker.training.objectives import OBJECTIVES, RELATIVE, objective  # noqa: E402
from reranker.training.objectives.lists import by_counts, by_groups  # noqa: E402

Query = tuple[list[float], list[float], list[float]]
"""Scores, grades and weights of one query's passages."""


class Nothing(torch.nn.Module):
    num_labels = 1


@st.composite
def queries(draw: st.DrawFn) -> list[Query]:
    found = []
    for n in draw(st.lists(st.integers(0, 5), min_size=1, max_size=4)):
        steps = draw(st.lists(st.integers(-1280, 1280), min_size=n, max_size=n, unique=True))
        scores = [step / 64 for step in steps]
        grades = draw(st.lists(st.sampled_from([0.0, 0.25, 1.0, 2.0, 3.0]), min_size=n, max_size=n))
        weights = draw(st.lists(st.floats(0, 9, width=32), min_size=n, max_size=n))
        found.append((scores, grades, weights))
    return found


def softmax(values: Sequence[float]) -> list[float]:
    top = max(values)
    powers = [math.exp(value - top) for value in values]
    return [power / sum(powers) for power in powers]


def sigmoid_loss(x: float) -> float:
    return math.log1p(math.exp(-x)) if x > 0 else math.log1p(math.exp(x)) - x


def plain_ranknet(s: list[float], g: list[float], w: list[float]) -> float:
    pairs = [(i, j) for i in range(len(s)) for j in range(len(s)) if g[i] > g[j]]
    return sum(w[i] * sigmoid_loss(s[i] - s[j]) for i, j in pairs) / max(len(pairs), 1)


def plain_bce(s: list[float], g: list[float], w: list[float]) -> float:
    targets = [min(grade, 1.0) for grade in g]
    losses = [t * sigmoid_loss(x) + (1 - t) * sigmoid_loss(-x) for x, t in zip(s, targets, strict=True)]
    return sum(a * b for a, b in zip(w, losses, strict=True)) / max(len(s), 1)


def plain_mse(s: list[float], g: list[float], w: list[float]) -> float:
    return sum(c * (a - b) ** 2 for a, b, c in zip(s, g, w, strict=True)) / max(len(s), 1)


def plain_margin(s: list[float], g: list[float], w: list[float]) -> float:
    twos = [(i, j) for i in range(len(s)) for j in range(i)]
    return sum(w[i] * w[j] * ((s[i] - s[j]) - (g[i] - g[j])) ** 2 for i, j in twos) / max(len(twos), 1)


def plain_listwise(s: list[float], g: list[float], w: list[float]) -> float:
    if not sum(g):
        return 0.0
    return -sum(b / sum(g) * c * math.log(p) for p, b, c in zip(softmax(s), g, w, strict=True))


def plain_kl(s: list[float], g: list[float], w: list[float]) -> float:
    if not s:
        return 0.0
    return sum(c * t * math.log(t / p) for p, t, c in zip(softmax(s), softmax(g), w, strict=True))


def plain_lambda(s: list[float], g: list[float], w: list[float]) -> float:
    gains = [2**grade - 1 for grade in g]
    ideal = sum(gain / math.log2(place + 2) for place, gain in enumerate(sorted(gains, reverse=True)))
    rank = {place: 1 + sum(other > own for other in s) for place, own in enumerate(s)}
    total = 0.0
    for i in range(len(s)):
        for j in range(len(s)):
            if g[i] > g[j]:
                rho = abs(1 / math.log2(1 + rank[i]) - 1 / math.log2(1 + rank[j]))
                apart = abs(rank[i] - rank[j])
                delta = abs(1 / math.log2(1 + apart) - 1 / math.log2(2 + apart))
                weight = (rho + 10 * delta) * (gains[i] - gains[j]) / ideal * w[i]
                total += weight * sigmoid_loss(s[i] - s[j]) / math.log(2)
    return total


PLAIN = {
    "ranknet": plain_ranknet,
    "bce": plain_bce,
    "mse": plain_mse,
    "margin-mse": plain_margin,
    "listwise": plain_listwise,
    "kl": plain_kl,
    "lambda": plain_lambda,
}


def by_query(name: str, found: list[Query]) -> tuple[object, object]:
    scores = torch.tensor([x for s, _, _ in found for x in s], dtype=torch.float64, requires_grad=True)
    grades = torch.tensor([x for _, g, _ in found for x in g], dtype=torch.float64)
    weights = torch.tensor([x for _, _, w in found for x in w], dtype=torch.float64)
    lists = by_counts(scores, grades, [len(s) for s, _, _ in found], weights)
    return objective(name, Nothing()).by_query(lists), scores


def test_every_objective_has_a_plain_version() -> None:
    assert set(PLAIN) == set(OBJECTIVES)
    assert set(OBJECTIVES) >= RELATIVE


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
@settings(max_examples=50)
@given(queries())
def test_it_is_the_plain_version(name: str, found: list[Query]) -> None:
    losses, _ = by_query(name, found)
    expected = [PLAIN[name](s, g, w) for s, g, w in found]
    assert losses.tolist() == pytest.approx(expected, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
@settings(max_examples=15)
@given(queries())
def test_the_gradient_is_that_of_finite_differences(name: str, found: list[Query]) -> None:
    """But for ranks: where a step would exchange two passages, the weights of `lambda` are not constants."""
    flat = [x for s, _, _ in found for x in s]
    if name == "lambda" and any(abs(a - b) < 1e-3 for n, a in enumerate(flat) for b in flat[:n]):
        return
    losses, scores = by_query(name, found)
    losses.sum().backward()
    step = 1e-6
    for place, value in enumerate(flat):
        slopes = []
        for moved in (value + step, value - step):
            changed = list(flat)
            changed[place] = moved
            at = iter(changed)
            slopes.append(
                by_query(name, [([next(at) for _ in s], g, w) for s, g, w in found])[0].sum().item()
            )
        slope = (slopes[0] - slopes[1]) / (2 * step)
        assert scores.grad[place].item() == pytest.approx(slope, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
@settings(max_examples=40)
@given(queries(), st.integers(0, 3))
def test_a_query_is_judged_as_it_would_be_alone(name: str, found: list[Query], other: int) -> None:
    """Padding: a longer query beside it changes neither a query's loss nor its gradient, bit for bit."""
    longer = ([float(x) for x in range(9)], [float(x % 3) for x in range(9)], [1.0] * 9)
    losses, scores = by_query(name, [*found, longer])
    losses.sum().backward()
    alone, own = by_query(name, found)
    alone.sum().backward()
    assert losses.tolist()[:-1] == alone.tolist()
    assert scores.grad.tolist()[:-9] == (own.grad.tolist() if own.grad is not None else [])


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_scores_of_any_size_and_queries_without_passages_are_finite(name: str) -> None:
    large = 1e30
    found: list[Query] = [([], [], []), ([large, -large], [0.0, 1.0], [1.0, 1.0]), ([7.0], [1.0], [1.0])]
    losses, scores = by_query(name, found)
    losses.sum().backward()
    assert torch.isfinite(losses).all()
    assert torch.isfinite(scores.grad).all()


@pytest.mark.parametrize("name", sorted(RELATIVE))
@settings(max_examples=30)
@given(queries())
def test_a_constant_that_is_added_to_a_querys_scores_changes_nothing(name: str, found: list[Query]) -> None:
    losses, _ = by_query(name, found)
    moved, _ = by_query(name, [([x + 4.0 for x in s], g, w) for s, g, w in found])
    assert moved.tolist() == pytest.approx(losses.tolist(), rel=1e-5, abs=1e-5)


@settings(max_examples=50)
@given(st.lists(st.integers(0, 3), max_size=9))
def test_groups_in_any_order_are_the_same_as_counts(groups: list[int]) -> None:
    values = torch.arange(len(groups)).double()
    lists = by_groups(values, values, torch.tensor(groups, dtype=torch.int64))
    expected = [[n for n, own in enumerate(groups) if own == group] for group in sorted(set(groups))]
    assert [[n for n in row if n >= 0] for row in lists.rows.tolist()] == expected


@pytest.mark.parametrize("name", ["kl", "margin-mse", "mse"])
def test_a_student_that_is_its_teacher_has_nothing_to_learn(name: str) -> None:
    losses, scores = by_query(name, [([1.5, -2.0, 0.25], [1.5, -2.0, 0.25], [1.0, 1.0, 1.0])])
    losses.sum().backward()
    assert losses.item() == pytest.approx(0.0, abs=1e-12)
    assert scores.grad.abs().max().item() == pytest.approx(0.0, abs=1e-12)
