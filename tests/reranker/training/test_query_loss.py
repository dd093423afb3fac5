"""The loss through a model: what a batch is cut into, and what is padded, changes no gradient."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
for needed in ("sentence_transformers", "accelerate", "datasets", "peft"):
    pytest.importorskip(needed, reason=f"training needs {needed}")

from reranker.data.example import TrainingData  # noqa: E402
from reranker.pairs import PassageText  # noqa: E402
from reranker.training import TrainingSettings  # noqa: E402
from reranker.training.objectives import objective  # noqa: E402
from reranker.training.reader import MOST_WINDOWS, PairReader  # noqa: E402
from reranker.training.run import prepared  # noqa: E402
from reranker.training.scoring import score_examples, score_pairs  # noqa: E402

Words = Callable[..., TrainingData]
Small = Callable[..., TrainingSettings]


def batch(data: TrainingData) -> tuple[list[Any], list[Any]]:
    columns = [[one.query for one in data.train], [one.passages for one in data.train]]
    return columns, [torch.tensor(one.grades) for one in data.train]


def gradients(body: Any, loss: Any, columns: list[Any], labels: list[Any]) -> tuple[float, dict[str, Any]]:
    body.encoder.zero_grad()
    value = loss(columns, labels)
    value.backward()
    return value.item(), {n: p.grad.clone() for n, p in body.encoder.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("tokens", [1, 37, 200, 0])
def test_how_much_goes_through_the_model_at_once_changes_no_gradient(
    tokens: int, small: Small, words: Words
) -> None:
    body = prepared(small(method="full", dropout=0.0), "cpu")
    columns, labels = batch(words(5, 0))
    whole = objective("ranknet", body.encoder, reader=body.reader)
    parts = objective("ranknet", body.encoder, reader=body.reader, tokens_per_pass=tokens)
    loss, expected = gradients(body, whole, columns, labels)
    again, found = gradients(body, parts, columns, labels)
    assert again == pytest.approx(loss, rel=1e-5)
    assert expected.keys() == found.keys()
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-3, atol=1e-6)


def test_a_long_passage_in_the_batch_changes_no_other_querys_gradient(small: Small, words: Words) -> None:
    body = prepared(small(method="full", dropout=0.0), "cpu")
    columns, labels = batch(words(3, 0))
    loss = objective("ranknet", body.encoder, queries_per_batch=3)
    _, alone = gradients(body, loss, columns, labels)
    longer = [[*columns[0], "river"], [*columns[1], ["gold " * 30, "the " * 30]]]
    _, beside = gradients(body, loss, longer, [*labels, torch.tensor([1.0, 1.0])])
    for name in alone:
        torch.testing.assert_close(beside[name], alone[name], rtol=1e-3, atol=1e-6)


def test_the_librarys_own_reading_and_ours_agree_on_what_fits(small: Small, words: Words) -> None:
    body = prepared(small(pooling="pooler"), "cpu")
    body.encoder.eval()
    pairs = [(one.query, passage) for one in words(6, 0).train for passage in one.passages]
    with torch.inference_mode():
        ours = score_pairs(body.encoder, pairs, body.reader, tokens_per_pass=50)
        library = score_pairs(body.encoder, pairs, None)
    torch.testing.assert_close(ours, library, rtol=1e-4, atol=1e-5)


def test_a_passage_over_the_window_counts_by_its_best_part(small: Small) -> None:
    body = prepared(small(), "cpu")
    body.encoder.eval()
    long = PassageText(" ".join(["river", "stone", "the", "fire"] * 25))
    windows, owners = body.reader.windows([("gold", long), ("gold", "the")])
    assert owners.count(0) > 1
    with torch.inference_mode():
        each = body.encoder(body.reader.tensors([w for w, o in zip(windows, owners, strict=True) if o == 0]))[
            "scores"
        ]
        found = score_pairs(body.encoder, [("gold", long), ("gold", "the")], body.reader)
    assert found[0].item() == pytest.approx(each.max().item(), abs=1e-5)


def test_an_endless_passage_is_read_in_so_many_windows(tiny_body: Path) -> None:
    reader = PairReader(tiny_body / "tokenizer.json", 40)
    windows, _ = reader.windows([("gold", "the " * 100_000)])
    assert len(windows) == MOST_WINDOWS
    assert max(len(window.ids) for window in windows) == 40


def test_measuring_leaves_the_model_in_its_state_and_chance_alone(small: Small, words: Words) -> None:
    body = prepared(small(), "cpu")
    body.encoder.train()
    state = torch.get_rng_state()
    one = score_examples(body.encoder, words(0, 4).dev, body.reader)
    two = score_examples(body.encoder, words(0, 4).dev, body.reader, tokens_per_pass=30)
    assert body.encoder.training
    assert torch.equal(torch.get_rng_state(), state)
    for first, second in zip(one, two, strict=True):
        assert first == pytest.approx(second, abs=1e-5)


def test_without_passages_there_is_a_zero_that_is_connected(small: Small) -> None:
    body = prepared(small(), "cpu")
    loss = objective("ranknet", body.encoder, reader=body.reader)([["gold"], [[]]], [torch.tensor([])])
    loss.backward()
    assert loss.item() == 0.0


def test_columns_that_do_not_fit_are_refused(small: Small) -> None:
    body = prepared(small(), "cpu")
    loss = objective("ranknet", body.encoder, reader=body.reader, prior_scale=1.0)
    with pytest.raises(ValueError, match="grades"):
        loss([["gold"], [["the", "a"]]], [torch.tensor([1.0])])
    with pytest.raises(ValueError, match="prior"):
        loss([["gold"], [["the", "a"]], [None], [[1.0]]], [torch.tensor([1.0, 0.0])])


@pytest.mark.parametrize("name", ["ranknet", "listwise", "lambda", "kl", "margin-mse"])
def test_the_loss_is_of_the_sum_with_the_prior(name: str, small: Small) -> None:
    body = prepared(small(zero_head=True), "cpu")
    loss = objective(name, body.encoder, reader=body.reader, prior_scale=3.0)
    columns = [["gold"], [["the", "a", "river"]], None, [[0.5, 0.0, 1.0]]]
    with_prior = loss(columns, [torch.tensor([2.0, 1.0, 0.0])])
    from reranker.training.objectives.lists import by_counts

    summed = by_counts(torch.tensor([1.5, 0.0, 3.0]), torch.tensor([2.0, 1.0, 0.0]), [3])
    assert with_prior.item() == pytest.approx(loss.by_query(summed).sum().item(), abs=1e-6)


def test_it_is_a_loss_for_the_librarys_own_trainer(small: Small, words: Words, tmp_path: Path) -> None:
    """With the library's own data, its own reading of them, and nothing of ours but the loss."""
    from datasets import Dataset
    from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments

    body = prepared(small(method="full"), "cpu")
    data = words(8, 0).train
    rows = Dataset.from_dict(
        {
            "query": [one.query for one in data],
            "passages": [[passage.full for passage in one.passages] for one in data],
            "label": [list(one.grades) for one in data],
        }
    )
    arguments = CrossEncoderTrainingArguments(
        output_dir=str(tmp_path),
        max_steps=3,
        per_device_train_batch_size=4,
        use_cpu=True,
        report_to="none",
        disable_tqdm=True,
        save_strategy="no",
        logging_strategy="no",
        warmup_steps=0,
        learning_rate=1e-3,
    )
    before = body.head.weight.detach().clone()
    loss = objective("ranknet", body.encoder)
    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
    outcome = CrossEncoderTrainer(model=body.encoder, args=arguments, train_dataset=rows, loss=loss).train()
    assert outcome.global_step == 3
    assert 0.3 < outcome.training_loss < 3.0
    assert not torch.equal(body.head.weight, before)
    assert loss.get_config_dict()["grade_aware"] is False
