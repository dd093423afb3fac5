"""The loss and its gradient, against a plain version that goes pair by pair and encodes text by text."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

for needed in ("torch", "sentence_transformers", "accelerate", "datasets", "peft"):
    pytest.importorskip(needed, reason=f"training needs {needed}")
torch = pytest.importorskip("torch")

from engine.personal.joint import JointData, JointExample, JointSettings  # noqa: E402
from engine.personal.joint.loss import BETAS, Before, JointLoss, likings  # noqa: E402
from engine.personal.joint.model import JointBody, JointEncoder, build  # noqa: E402
from engine.personal.joint.rows import COLUMNS, JointRows  # noqa: E402

Small = Callable[..., JointSettings]
Lists = Callable[..., JointData]


def columns(rows: list[dict[str, Any]]) -> tuple[list[Any], list[Any]]:
    """Return a batch as the trainer hands it to a loss."""
    inputs = [[row[name] for row in rows] for name in COLUMNS[:-1]]
    return inputs, [torch.tensor(row["label"]) for row in rows]


def plain_loss(
    model: JointEncoder, texts: tuple[str, ...], rows: list[dict[str, Any]], settings: JointSettings, old: Any
) -> Any:
    """Say the formula again, one list and one pair at a time."""
    beta = torch.log1p(torch.exp(model.history_weight.raw))
    total = torch.zeros((), dtype=torch.float64)
    held: dict[str, Any] = {}
    asked = []
    for row in rows:
        query = model.queries([row["query"]])[0]
        asked.append(1 - query @ old.queries([row["query"]])[0])
        vectors = {n: model.passages([texts[n]])[0] for n in (*row["history"], *row["shown"])}
        held |= {texts[n]: 1 - vector @ old.passages([texts[n]])[0] for n, vector in vectors.items()}
        if row["history"]:
            mean = sum(share * vectors[n] for n, share in zip(row["history"], row["shares"], strict=True))
            reader = mean / mean.norm()
        else:
            reader = torch.zeros_like(query)
        scores = [
            settings.sharpness * (query @ vectors[n] + beta * (reader @ vectors[n])).double()
            for n in row["shown"]
        ]
        pairs = [
            row["weights"][a] * torch.log1p(torch.exp(scores[b] - scores[a]))
            for a in range(len(scores))
            for b in range(len(scores))
            if row["label"][a] > row["label"][b]
        ]
        total = total + sum(pairs) / len(pairs) / settings.batch_queries
    moved = torch.stack([*held.values(), *asked]).double().mean()
    return total + settings.anchor * moved * len(rows) / settings.batch_queries


def moved_body(settings: JointSettings) -> JointBody:
    """A model that has already moved from where it began, so that no term of its gradient is zero."""
    body = build(settings, "cpu")
    torch.manual_seed(5)
    with torch.no_grad():
        for parameter in body.encoder.parameters():
            if parameter.requires_grad:
                parameter.add_(0.02 * torch.randn_like(parameter))
    return body


@pytest.mark.parametrize("method", ["full", "lora"])
def test_loss_and_gradient_are_those_of_the_plain_version(method: str, small: Small, lists: Lists) -> None:
    settings = small(
        method=method, dropout=0.0, max_tokens=0, anchor=3.0, batch_queries=8, tokens_per_pass=64
    )
    data = lists(8)
    rows = [JointRows(data.train, settings)[0, number] for number in range(5)]
    assert any(not row["history"] for row in rows)
    assert any(row["history"] for row in rows)
    start = build(settings, "cpu").encoder.eval()
    before = Before(start, data.texts, data.train, 0)
    body = moved_body(settings)
    model = body.encoder.eval()

    loss = JointLoss(model, data.texts, settings, before)
    found = loss(*columns(rows))
    found.backward()
    gradients = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    wanted = plain_loss(model, data.texts, rows, settings, start)
    wanted.backward()

    assert float(found.detach()) == pytest.approx(float(wanted.detach()), rel=1e-5)
    assert "history_weight.raw" in gradients
    compared = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    assert gradients.keys() == compared.keys()
    for name, gradient in compared.items():
        scale = max(float(gradient.abs().max()), 1e-3)
        assert torch.allclose(gradients[name], gradient, atol=2e-4 * scale, rtol=1e-3), name
    assert loss.pairs == sum(len(row["shown"]) for row in rows)


def test_the_gradient_by_the_weight_of_histories_is_that_of_differences(small: Small, lists: Lists) -> None:
    settings = small(method="full", dropout=0.0)
    data = lists(6)
    rows = [JointRows(data.train, settings)[0, number] for number in range(6)]
    model = moved_body(settings).encoder.eval()
    loss = JointLoss(model, data.texts, settings, Before(model, data.texts, data.train, settings.max_tokens))
    loss(*columns(rows)).backward()
    raw, step = model.history_weight.raw, 1e-2
    gradient, at, values = float(raw.grad), float(raw.detach()), []
    for moved in (at + step, at - step):
        with torch.no_grad():
            raw.fill_(moved)
            values.append(float(loss(*columns(rows))))
    assert gradient == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-2)


def test_without_histories_their_weight_changes_nothing(small: Small, lists: Lists) -> None:
    settings = small(dropout=0.0)
    data = lists(4)
    rows = [JointRows(data.train, settings)[0, number] | {"history": [], "shares": []} for number in range(4)]
    model = moved_body(settings).encoder.eval()
    loss = JointLoss(model, data.texts, settings, Before(model, data.texts, data.train, settings.max_tokens))
    values = []
    for weight in (0.1, 3.0):
        model.history_weight.set(weight)
        found = loss(*columns(rows))
        values.append(float(found.detach()))
    found.backward()
    assert values[0] == values[1]
    assert float(model.history_weight.raw.grad) == 0.0


def test_a_reader_is_the_weighted_mean_at_unit_length_and_nothing_without_a_past() -> None:
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    found = likings(vectors, torch.tensor([3.0, 4.0, 2.0]), torch.tensor([0, 0, 2]), 3)
    assert torch.allclose(found, torch.tensor([[0.6, 0.8], [0.0, 0.0], [0.6, 0.8]]))


def test_the_weight_before_training_is_the_best_of_those_tried(small: Small, lists: Lists) -> None:
    settings = small(dropout=0.0)
    data = lists(10)
    model = build(settings, "cpu").encoder.eval()
    before = Before(model, data.texts, data.train, 0)
    chosen = before.best_weight(data.train, settings.sharpness)

    def loss_of(beta: float) -> float:
        total = 0.0
        for one in data.train:
            query = before.queries_of([one.query])[0]
            mean = sum((s * before.texts[n] for n, s in zip(one.history, one.shares, strict=True)), 0 * query)
            reader = mean / max(float(mean.norm()), 1e-6)
            scores = [
                float(settings.sharpness * (query + beta * reader) @ before.texts[n]) for n in one.shown
            ]
            pairs = [
                one.weights[a] * math.log1p(math.exp(scores[b] - scores[a]))
                for a in range(len(scores))
                for b in range(len(scores))
                if one.grades[a] > one.grades[b]
            ]
            total += sum(pairs) / len(pairs)
        return total

    assert chosen in BETAS
    assert loss_of(chosen) == pytest.approx(min(map(loss_of, BETAS)), rel=1e-6)
    alone = [JointExample(0, "q", (), (), one.shown, one.grades, one.weights) for one in data.train]
    assert Before(model, data.texts, alone, 0).best_weight(alone, 20.0) == 0.0
