"""What was trained is what is loaded: by Quire without torch, by peft, by the library, and by training itself."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
for needed in ("sentence_transformers", "accelerate", "datasets", "peft"):
    pytest.importorskip(needed, reason=f"training needs {needed}")

from reranker.data.example import TrainingData  # noqa: E402
from reranker.errors import InvalidTrainingSettings, RerankerModelError  # noqa: E402
from reranker.load import load_reranker  # noqa: E402
from reranker.training import TrainingSettings, train  # noqa: E402
from reranker.training.lora import round_to_half, save_adapter  # noqa: E402
from reranker.training.run import prepared  # noqa: E402
from reranker.training.scoring import score_examples  # noqa: E402

Words = Callable[..., TrainingData]
Small = Callable[..., TrainingSettings]
POOLINGS = ["match", "pooler"]


def scores_in_torch(settings: TrainingSettings, data: TrainingData) -> list[float]:
    body = prepared(settings, "cpu")
    return [float(score) for row in score_examples(body.encoder, data.dev, body.reader) for score in row]


def scores_of(model: Path, data: TrainingData) -> list[float]:
    scorer = load_reranker(str(model), precision="fp32", device="cpu", threads=1)
    return [float(score) for one in data.dev for score in scorer.score(one.query, one.passages)]


@pytest.mark.parametrize("pooling", POOLINGS)
def test_an_adapter_is_read_without_torch_and_in_torch_to_the_same_scores(
    pooling: str, small: Small, words: Words, tmp_path: Path
) -> None:
    data = words(12, 4)
    model = train(small(pooling=pooling, epochs=2), data, tmp_path / "run").model
    fresh = scores_in_torch(small(pooling=pooling), data)
    again = scores_in_torch(small(base=str(model)), data)
    assert again != pytest.approx(fresh, abs=1e-3)
    said = {"match": "query's tokens and of the passage's, compared", "pooler": "the first token's state"}
    assert said[pooling] in (model / "README.md").read_text(encoding="utf-8")
    assert scores_of(model, data) == pytest.approx(again, abs=1e-4)
    if pooling == "pooler":
        assert scores_in_torch(small(base=str(model), method="full"), data) == pytest.approx(again, abs=1e-4)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_an_adapter_saves_and_reloads_to_identical_scores(
    pooling: str, small: Small, words: Words, tmp_path: Path
) -> None:
    """What is measured last is what is saved: with a learning rate of next to nothing, a second run begins there."""
    data = words(12, 4)
    first = train(small(pooling=pooling, epochs=2), data, tmp_path / "first")
    scores = scores_in_torch(small(base=str(first.model)), data)
    second = train(
        small(base=str(first.model), learning_rate=1e-12, weight_decay=0), data, tmp_path / "second"
    )
    assert second.changes["all"].before == first.changes["all"].after
    assert scores_in_torch(small(base=str(second.model)), data) == scores


FAMILIES: dict[str, dict[str, Any]] = {
    "Roberta": {"type_vocab_size": 1},
    "MPNet": {"pad_token_id": 1},  # whatever the setting says, it counts positions from there
    "DistilBert": {"dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 2},
}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_head_that_compares_goes_on_any_body_that_has_a_graph(
    family: str, small: Small, words: Words, tiny_body: Path, tmp_path: Path
) -> None:
    import transformers

    base = tmp_path / "base"
    shutil.copytree(tiny_body, base)
    sizes = json.loads((tiny_body / "config.json").read_text(encoding="utf-8"))
    if family == "DistilBert":
        sizes = {key: sizes[key] for key in ("vocab_size", "max_position_embeddings", "initializer_range")}
    else:
        for key in ("model_type", "architectures", "dtype", "transformers_version"):
            sizes.pop(key, None)
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(**(sizes | FAMILIES[family]))
    getattr(transformers, f"{family}Model")(config).save_pretrained(base)
    settings = small(base=str(base), max_tokens=32)
    body = prepared(settings, "cpu")
    with torch.no_grad():
        for name, parameter in body.encoder.named_parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * (0.3 if "lora_B" in name else 0.05))
    round_to_half(body)
    data = words(0, 4)
    expected = [float(s) for row in score_examples(body.encoder, data.dev, body.reader) for s in row]
    save_adapter(body, settings, tmp_path / "adapter", "")
    assert np.ptp(expected) > 0.01
    assert scores_of(tmp_path / "adapter", data) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("method", ["full", "frozen"])
def test_a_whole_model_is_read_by_sentence_transformers_and_without_torch(
    method: str, small: Small, words: Words, tmp_path: Path
) -> None:
    from sentence_transformers import CrossEncoder

    data = words(12, 4)
    settings = small(method=method, frozen_layers=1, learning_rate=1e-3)
    model = train(settings, data, tmp_path / "run").model
    again = scores_in_torch(small(base=str(model), method="full"), data)
    library = CrossEncoder(str(model), device="cpu")
    pairs = [(one.query, passage.full) for one in data.dev for passage in one.passages]
    assert library.predict(pairs).tolist() == pytest.approx(again, abs=1e-5)
    assert scores_of(model, data) == pytest.approx(again, abs=1e-4)


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")  # of peft's own making
def test_peft_reads_the_folder(small: Small, words: Words, tmp_path: Path, tiny_body: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    data = words(12, 4)
    model = train(small(pooling="pooler", epochs=2), data, tmp_path / "run").model
    torch.manual_seed(99)
    base = AutoModelForSequenceClassification.from_pretrained(tiny_body, num_labels=1)
    peft = PeftModel.from_pretrained(base, model).eval()
    tokenizer = AutoTokenizer.from_pretrained(tiny_body)
    pairs = [(one.query, passage.full) for one in data.dev for passage in one.passages]
    with torch.inference_mode():
        batch = tokenizer([q for q, _ in pairs], [p for _, p in pairs], padding=True, return_tensors="pt")
        scores = peft(**batch).logits[:, 0].tolist()
    assert scores == pytest.approx(scores_in_torch(small(base=str(model)), data), abs=1e-5)


def test_the_folder_says_what_it_is_of(small: Small, words: Words, tmp_path: Path, tiny_body: Path) -> None:
    from hashlib import sha256

    model = train(small(layers=(1,)), words(8, 2), tmp_path / "run").model
    assert {path.name for path in model.iterdir()} == {
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "quire.json",
    }
    own = json.loads((model / "quire.json").read_text(encoding="utf-8"))
    digest = sha256((tiny_body / "model.safetensors").read_bytes()).hexdigest()
    assert own == {
        "format": 1,
        "base": str(tiny_body),
        "base_digest": digest,
        "max_tokens": 40,
        "pooling": "match",
        "scale": 1.0,
        "layers": [1],
    }


@pytest.mark.parametrize("method", ["lora", "full"])
def test_whoever_may_read_the_card_may_read_the_weights(
    method: str, small: Small, words: Words, tmp_path: Path
) -> None:
    model = train(small(method=method), words(4, 0), tmp_path / "run").model
    assert len({path.stat().st_mode for path in model.iterdir() if path.is_file()}) == 1


def test_a_model_of_some_layers_is_read_as_it_was_trained(small: Small, words: Words, tmp_path: Path) -> None:
    data = words(12, 4)
    adapter = train(small(layers=(1,), epochs=2), data, tmp_path / "adapter").model
    assert scores_of(adapter, data) == pytest.approx(
        scores_in_torch(small(base=str(adapter)), data), abs=1e-4
    )
    whole = train(small(layers=(1,), method="full"), data, tmp_path / "whole").model
    again = scores_in_torch(small(base=str(whole), method="full"), data)
    assert scores_of(whole, data) == pytest.approx(again, abs=1e-4)


def test_an_adapter_is_not_trained_further_with_another_rank_or_on_another_base(
    small: Small, words: Words, tmp_path: Path
) -> None:
    model = train(small(), words(8, 0), tmp_path / "run").model
    with pytest.raises(InvalidTrainingSettings, match="rank must be 4"):
        prepared(small(base=str(model), rank=8), "cpu")
    with pytest.raises(InvalidTrainingSettings, match="alpha must be 8"):
        prepared(small(base=str(model), alpha=9), "cpu")
    settings = json.loads((model / "quire.json").read_text(encoding="utf-8"))
    (model / "quire.json").write_text(json.dumps(settings | {"base_digest": "0" * 64}), encoding="utf-8")
    with pytest.raises(RerankerModelError, match="was trained on"):
        prepared(small(base=str(model)), "cpu")


@pytest.mark.parametrize("damage", ["missing", "cut", "not there"])
def test_a_base_that_cannot_be_read_is_said(
    damage: str, small: Small, tiny_body: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_body, copy)
    if damage == "missing":
        (copy / "tokenizer.json").unlink()
    elif damage == "cut":
        weights = copy / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:1000])
    else:
        shutil.rmtree(copy)
    with pytest.raises(RerankerModelError):
        prepared(small(base=str(copy)), "cpu")


def test_settings_that_do_not_fit_the_base_are_refused(small: Small) -> None:
    with pytest.raises(InvalidTrainingSettings, match="max_tokens must be at most 64"):
        prepared(small(max_tokens=65), "cpu")
    with pytest.raises(InvalidTrainingSettings, match="layers must be under 2"):
        prepared(small(layers=(0, 2)), "cpu")
    with pytest.raises(InvalidTrainingSettings, match="pooling must be pooler"):
        prepared(small(method="full", pooling="match"), "cpu")


def test_a_model_with_more_outputs_is_refused(small: Small, tiny_body: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    model: Any = BertForSequenceClassification(BertConfig.from_pretrained(tiny_body, num_labels=3))
    model.save_pretrained(tmp_path / "three")
    AutoTokenizer.from_pretrained(tiny_body).save_pretrained(tmp_path / "three")
    with pytest.raises(RerankerModelError, match="has 3 outputs"):
        prepared(small(base=str(tmp_path / "three")), "cpu")


def test_a_finished_reranker_is_trained_further_from_where_it_is(
    small: Small, words: Words, tmp_path: Path
) -> None:
    data = words(12, 6)
    first = train(small(method="full", learning_rate=1e-3, epochs=2, keep="last"), data, tmp_path / "first")
    second = train(small(base=str(first.model), learning_rate=1e-12), data, tmp_path / "second")
    assert second.changes["all"].before == pytest.approx(first.changes["all"].after)
    np.testing.assert_allclose(scores_of(second.model, data), scores_of(first.model, data), atol=1e-4)
