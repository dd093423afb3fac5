"""Training from end to end, with a tiny model."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
for needed in ("sentence_transformers", "accelerate", "datasets", "peft"):
    pytest.importorskip(needed, reason=f"training needs {needed}")

from reranker.data.example import Example, TrainingData  # noqa: E402
from reranker.errors import InvalidTrainingSettings, TrainingDataError  # noqa: E402
from reranker.training import OBJECTIVES, Progressed, TrainingSettings, mix, ndcg, train  # noqa: E402
from reranker.training.objectives import RELATIVE  # noqa: E402
from reranker.training.run import prepared  # noqa: E402

Words = Callable[..., TrainingData]
Small = Callable[..., TrainingSettings]


def with_priors(data: TrainingData, seed: int = 0) -> TrainingData:
    chance = np.random.default_rng(seed)

    def first_stage(one: Example) -> Example:
        return replace(one, prior=tuple(grade + chance.normal() for grade in one.grades))

    return TrainingData.of([first_stage(one) for one in data.train], [first_stage(one) for one in data.dev])


def test_it_learns_and_reports_it(small: Small, words: Words, tmp_path: Path) -> None:
    told: list[Progressed] = []
    data = words(64, 16)
    settings = small(method="full", epochs=12, learning_rate=3e-3, evaluate_every=40)
    outcome = train(settings, data, tmp_path / "run", progress=told.append)

    whole = outcome.changes["all"]
    assert whole.after > whole.before + 0.2
    assert whole.p < 0.05
    assert outcome.steps == 12 * 16
    folder = tmp_path / "run"
    assert outcome.model == folder / "model"
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    losses = [line for line in lines if "loss" in line]
    measurements = [line for line in lines if "ndcg@10" in line]
    assert set(losses[0]) == {
        "step",
        "epoch",
        "loss",
        "learning_rate",
        "gradient",
        "pairs_per_second",
        "seconds",
    }
    assert (
        np.mean([line["loss"] for line in losses[-5:]]) < np.mean([line["loss"] for line in losses[:5]]) / 2
    )
    assert [line["step"] for line in measurements] == [40, 80, 120, 160, 192]
    assert [(one.step, one.ndcg) for one in told if one.ndcg is not None] == [
        (line["step"], line["ndcg@10"]) for line in measurements
    ]
    assert whole.after == pytest.approx(max(line["ndcg@10"] for line in measurements))
    assert json.loads((folder / "config.json").read_text(encoding="utf-8")) == settings.to_json()
    described = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    assert described["fingerprint"] == data.fingerprint
    assert described["train"]["sources"]["words"]["queries"] == 64
    assert described["dev"]["passages"] == sum(len(one.passages) for one in data.dev)
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["before_and_after"]["all"]["after"] == pytest.approx(whole.after, abs=1e-6)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert f"{whole.after:.4f}" in page
    assert f"{whole.after:.4f}" in (outcome.model / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_every_objective_trains(name: str, small: Small, words: Words, tmp_path: Path) -> None:
    data = with_priors(words(8, 2))
    scale = 2.0 if name in RELATIVE else 0.0
    outcome = train(small(objective=name, prior_scale=scale), data, tmp_path / "run")
    assert outcome.steps == 2
    assert (outcome.model / "adapter_model.safetensors").is_file()


def test_with_a_prior_and_a_head_of_zeros_training_begins_at_the_first_stages_order(
    small: Small, words: Words, tmp_path: Path
) -> None:
    data = with_priors(words(8, 12))
    outcome = train(small(prior_scale=6.0, zero_head=True, learning_rate=1e-12), data, tmp_path / "run")
    first = np.mean([ndcg(one.grades, one.prior or ()) for one in data.dev])
    assert outcome.changes["all"].before == pytest.approx(first)
    assert outcome.over_prior["all"].before == pytest.approx(first)
    assert outcome.over_prior["all"].after == pytest.approx(outcome.changes["all"].after)


def test_the_same_seed_gives_the_same_weights_and_another_does_not(
    small: Small, words: Words, tmp_path: Path, weights: Any
) -> None:
    data = words(12, 2)
    runs = [train(small(seed=seed), data, tmp_path / str(n)) for n, seed in enumerate((3, 3, 4))]
    one, two, other = (weights(run.model) for run in runs)
    assert one.keys() == two.keys()
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert any(not np.array_equal(one[name], other[name]) for name in one)


def test_accumulated_batches_are_one_larger_batch(
    small: Small, words: Words, tmp_path: Path, weights: Any
) -> None:
    """Without dropout. The last batches are smaller ones, and their queries weigh what the others do."""
    data = words(11, 0)
    settings = small(method="full", dropout=0.0, batch_queries=4, learning_rate=1e-3, clip=0.0, epochs=2)
    one = weights(train(settings, data, tmp_path / "one").model)
    whole = replace(settings, batch_queries=2, accumulate=2, tokens_per_pass=64)
    two = weights(train(whole, data, tmp_path / "two").model)
    for name, value in one.items():
        # The biases of keys, and of a head whose scores are only compared, have no effect: their gradients are noise.
        if not any(part in name for part in ("trained", "key.bias", "classifier.bias")):
            np.testing.assert_allclose(two[name], value, atol=2e-5, err_msg=name)


def test_frozen_layers_stay_as_they_are(
    small: Small, words: Words, tmp_path: Path, weights: Any, tiny_body: Path
) -> None:
    settings = small(method="frozen", frozen_layers=1)
    saved = weights(train(settings, words(8, 0), tmp_path / "run").model)
    before = weights(tiny_body)
    same = {
        name for name, value in before.items() if np.array_equal(saved[name.replace(" ", " bert.", 1)], value)
    }
    lower = {name for name in before if "embeddings" in name or ".layer.0." in name}
    upper = {name for name in before if ".layer.1." in name and "key.bias" not in name}
    assert lower <= same
    assert not upper & same
    assert not {name for name in before if "pooler" in name} & same


def test_more_frozen_layers_than_there_are_are_refused(small: Small) -> None:
    with pytest.raises(InvalidTrainingSettings, match="at most 2"):
        prepared(small(method="frozen", frozen_layers=3), "cpu")


def test_early_stopping_ends_a_run_that_gets_no_better(small: Small, words: Words, tmp_path: Path) -> None:
    settings = small(epochs=50, learning_rate=1e-12, evaluate_every=2, patience=2)
    outcome = train(settings, words(8, 4), tmp_path / "run")
    assert outcome.stopped_early
    assert (outcome.steps, outcome.kept_step) == (6, 2)


def test_replayed_data_are_measured_by_themselves(small: Small, words: Words, tmp_path: Path) -> None:
    data = mix(words(8, 3, seed=1, source="new words"), words(20, 4, seed=2, source="old words"), share=0.5)
    outcome = train(small(), data, tmp_path / "run")
    counts = {name: change.queries for name, change in outcome.changes.items()}
    assert counts == {"all": 7, "new": 3, "old": 4, "new words": 3, "replay: old words": 4}


def test_nothing_to_learn_from_is_said_before_anything_is_written(
    small: Small, words: Words, tmp_path: Path
) -> None:
    with pytest.raises(TrainingDataError, match="found 0 examples"):
        train(small(), words(0, 3), tmp_path / "run")
    with pytest.raises(TrainingDataError, match="has no prior"):
        train(small(prior_scale=1.0), words(3, 3), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_loss_that_is_no_number_is_said(
    small: Small, words: Words, tmp_path: Path, tiny_body: Path
) -> None:
    transformers = pytest.importorskip("transformers")
    model = transformers.BertModel.from_pretrained(tiny_body)
    with torch.no_grad():
        model.embeddings.LayerNorm.weight.fill_(float("nan"))
    broken = tmp_path / "broken"
    transformers.AutoTokenizer.from_pretrained(tiny_body).save_pretrained(broken)
    model.save_pretrained(broken)
    with pytest.raises(InvalidTrainingSettings, match="no finite number at step 1"):
        train(small(base=str(broken)), words(8, 0), tmp_path / "run")


def test_a_device_that_is_not_there_is_refused(small: Small, words: Words, tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(InvalidTrainingSettings, match="finds no GPU"):
        train(small(device="cuda"), words(2, 0), tmp_path / "run")
    with pytest.raises(InvalidTrainingSettings, match="on a CPU"):
        train(small(precision="fp16"), words(2, 0), tmp_path / "run")


def test_bf16_trains(small: Small, words: Words, tmp_path: Path) -> None:
    outcome = train(small(precision="bf16"), words(8, 2), tmp_path / "run")
    assert 0.0 <= outcome.changes["all"].after <= 1.0
