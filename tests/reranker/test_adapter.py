"""An adapter merged without torch: against the sums written out, against peft, and with every kind of damage."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.encoder.architectures import shape_of
from indexer.encoder.onnx_graph import OnnxGraph
from indexer.encoder.weights import Safetensors
from indexer.errors import ModelError
from reranker import RerankerModelError, load_reranker
from reranker.adapter import MergedWeights, _product, digest_of
from reranker.heads import head_of

Make = Callable[..., Path]
PREFIX = "base_model.model.bert."


def expected_tensors(tiny: Any, tensors: dict[str, np.ndarray], scale: float) -> dict[str, np.ndarray]:
    """The base's tensors with every change added, in float64."""
    merged = {name: tensor.astype(float) for name, tensor in tiny.body_tensors().items()}
    for name, a in tensors.items():
        if name.endswith("lora_A.weight"):
            b = tensors[name.replace("lora_A", "lora_B")].astype(float)
            merged[name.removeprefix(PREFIX).replace("lora_A.", "")] += scale * b @ a.astype(float)
    return merged


def merged_tensors(tiny: Any, folder: Path, layers: tuple[int, ...] | None = None) -> dict[str, np.ndarray]:
    base = Safetensors([folder.parent / "base" / "model.safetensors"])
    weights = MergedWeights(base, folder, layers)
    return {name: weights.tensor(name, tensor.shape) for name, tensor in tiny.body_tensors().items()}


@pytest.mark.parametrize(("config", "scale"), [({}, 6 / 4), ({"use_rslora": True}, 6 / math.sqrt(4))])
def test_each_matrix_is_the_base_s_and_its_change(
    adapter: Make, tiny: Any, config: dict[str, Any], scale: float
) -> None:
    folder = adapter(config=config)
    found = merged_tensors(tiny, folder)
    for name, tensor in expected_tensors(tiny, tiny.lora_tensors(), scale).items():
        assert np.abs(found[name] - tensor).max() < 1e-5, name


def test_rank_and_alpha_of_single_matrices(adapter: Make, tiny: Any) -> None:
    pattern = {"rank_pattern": {"value": 2}, "alpha_pattern": {r"layer\.1\.attention\.self\.value": 10}}
    tensors = tiny.lora_tensors()
    small = tiny.lora_tensors(seed=9, rank=2)
    tensors |= {name: tensor for name, tensor in small.items() if ".value." in name}
    found = merged_tensors(tiny, adapter(tensors | tiny.saved_head(), pattern))
    plain = expected_tensors(tiny, {}, 0)
    for layer, kind, scale in ((0, "query", 6 / 4), (0, "value", 6 / 2), (1, "value", 10 / 2)):
        name = f"encoder.layer.{layer}.attention.self.{kind}."
        a, b = (tensors[f"{PREFIX}{name}lora_{end}.weight"].astype(float) for end in "AB")
        assert np.abs(found[f"{name}weight"] - plain[f"{name}weight"] - scale * b @ a).max() < 1e-5


def test_names_are_read_with_and_without_what_stands_before_them(adapter: Make, tiny: Any) -> None:
    expected = merged_tensors(tiny, adapter())
    for before in ("", "bert.", "model.", "base_model.model.model.bert."):
        tensors = {before + name.removeprefix(PREFIX): t for name, t in tiny.lora_tensors().items()}
        tensors["classifier.modules_to_save.default.weight"] = np.ones((1, 16), np.float32)
        folder = adapter(tensors)
        found = merged_tensors(tiny, folder)
        assert all(np.array_equal(found[name], expected[name]) for name in expected), before
        weights = MergedWeights(Safetensors([folder.parent / "base" / "model.safetensors"]), folder)
        assert weights.tensor("classifier.weight", (1, 16)).tolist() == [[1.0] * 16]


def test_saved_tensors_take_the_place_of_the_base_s(adapter: Make, tiny: Any) -> None:
    table = np.full((len(tiny.WORDS), 16), 7, np.float32)
    tensors = tiny.lora_tensors() | tiny.saved_head()
    tensors[f"{PREFIX}embeddings.word_embeddings.weight"] = table
    folder = adapter(tensors)
    weights = MergedWeights(Safetensors([folder.parent / "base" / "model.safetensors"]), folder)
    name = "embeddings.word_embeddings.weight"
    assert weights.tensor(name, table.shape).tolist() == table.tolist()
    assert weights.rows(name, np.array([[1, 2]])).tolist() == table[[1, 2]][None].tolist()
    assert weights.table(name) == table.shape
    changed = "encoder.layer.0.output.dense.weight"
    rows = weights.rows(changed, np.array([3, 1]))
    assert rows.tolist() == weights.tensor(changed, (16, 32))[[3, 1]].tolist()
    assert "classifier.weight" in weights
    assert changed in weights
    assert "pooler.dense.weight" in weights
    assert "nothing" not in weights
    with pytest.raises(ModelError, match="neither the adapter nor its base holds a tensor nothing"):
        weights.tensor("nothing", (1,))


def test_some_of_the_base_s_layers_make_a_smaller_model(adapter: Make, tiny: Any) -> None:
    lora = {name: tensor for name, tensor in tiny.lora_tensors().items() if "layer.2." not in name}
    folder = adapter(lora | tiny.saved_head(), layers=[0, 2])
    base = tiny.body_tensors()
    weights = MergedWeights(Safetensors([folder.parent / "base" / "model.safetensors"]), folder, (0, 2))
    name = "attention.self.query.weight"
    a, b = (
        lora[f"{PREFIX}encoder.layer.1.attention.self.query.lora_{end}.weight"].astype(float) for end in "AB"
    )
    expected = base[f"encoder.layer.2.{name}"] + 1.5 * b @ a
    assert np.abs(weights.tensor(f"encoder.layer.1.{name}", (16, 16)) - expected).max() < 1e-5
    small = load_reranker(str(folder), device="cpu")
    whole = load_reranker(str(adapter()), device="cpu")
    assert small.fingerprint != whole.fingerprint
    assert small.score("cat", ["the mat"]) != whole.score("cat", ["the mat"])
    with pytest.raises(RerankerModelError, match=r"asks for layers \[0, 3\] of .*, which has 3"):
        load_reranker(str(adapter(layers=[0, 3])), device="cpu")


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 80), st.integers(1, 5))
def test_a_product_in_small_parts_is_the_product(rows: int, rank: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    left = rng.normal(size=(rows, rank)).astype(np.float32)
    right = rng.normal(size=(rank, columns)).astype(np.float32)
    assert np.allclose(_product(left, right), left @ right, atol=1e-4)


def test_a_wide_product_is_the_product_too() -> None:
    rng = np.random.default_rng(0)
    left = rng.normal(size=(24, 64)).astype(np.float32)
    right = rng.normal(size=(64, 1537)).astype(np.float32)
    assert np.allclose(_product(left, right), left @ right, atol=1e-3)


def test_the_digest_is_that_of_the_files_one_after_the_other(tmp_path: Path) -> None:
    import hashlib

    for name in "ab":
        (tmp_path / name).write_bytes(name.encode() * 10)
    expected = hashlib.sha256(b"a" * 10 + b"b" * 10).hexdigest()
    assert digest_of([tmp_path / "a", tmp_path / "b"]) == expected
    with pytest.raises(RerankerModelError, match="cannot be read"):
        digest_of([tmp_path / "c"])


def test_scores_are_those_of_the_merged_weights(adapter: Make, tiny: Any) -> None:
    folder = adapter(scale=2.0)
    found = load_reranker(str(folder), device="cpu").score("the cat", ["on the mat", "winter"])
    config = json.loads((folder.parent / "base" / "config.json").read_text())
    whole = expected_tensors(tiny, tiny.lora_tensors(), 1.5) | tiny.head_tensors()
    path = folder / "whole.safetensors"
    tiny.write_safetensors(path, {name: np.asarray(t, np.float32) for name, t in whole.items()})
    weights = Safetensors([path])
    head = head_of(weights, "", "whole")
    graph = OnnxGraph("t", shape_of(config, weights), weights, head, 10, types=True)
    tokenizer = tiny.small_tokenizer()
    tokenizer.no_truncation()
    tokenizer.no_padding()
    for text, score in zip(["on the mat", "winter"], found, strict=True):
        pair = tokenizer.encode("the cat", text)
        types = {"types": np.array([pair.type_ids], np.int64)}
        assert 2 * graph.run([pair.ids], types)[0, 0] == pytest.approx(score, abs=1e-4)


@pytest.mark.filterwarnings("ignore:.*:FutureWarning")  # peft's own use of transformers
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_peft_reads_the_same_folder_to_the_same_scores(adapter: Make, precision: str) -> None:
    torch = pytest.importorskip("torch")
    peft = pytest.importorskip("peft")
    transformers = pytest.importorskip("transformers")
    folder = adapter()
    base = folder.parent / "base"
    body = transformers.AutoModelForSequenceClassification.from_pretrained(base, num_labels=1)
    model = peft.PeftModel.from_pretrained(body, folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(base)
    passages = ["on the mat.", "", "winter cat " * 4]
    feeds = tokenizer(["the cat"] * 3, passages, return_tensors="pt", padding=True)
    with torch.no_grad():
        expected = model(**feeds).logits[:, 0].numpy()
    found = load_reranker(str(folder), device="cpu", precision=precision).score("the cat", passages)
    assert np.ptp(expected) > 0.01
    assert found == pytest.approx(expected, abs=1e-4 if precision == "fp32" else 0.15)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def rewrite(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "weights cut short": (lambda f: cut_short(f / "adapter_model.safetensors"), "cut short"),
    "weights gone": (lambda f: (f / "adapter_model.safetensors").unlink(), "cannot be read"),
    "config gone": (lambda f: (f / "adapter_config.json").unlink(), r"adapter_config.json: cannot be read"),
    "config no JSON": (lambda f: cut_short(f / "adapter_config.json"), "is not JSON"),
    "config a list": (lambda f: (f / "adapter_config.json").write_text("[]"), "expected a JSON object, found list"),
    "config no text": (lambda f: (f / "adapter_config.json").write_bytes(b"\xff"), "is not JSON"),
    "settings gone": (lambda f: (f / "quire.json").unlink(), "an adapter and no quire.json"),
    "settings no JSON": (lambda f: cut_short(f / "quire.json"), "is not JSON"),
    "a later format": (lambda f: rewrite(f / "quire.json", format=2), "is of format 2, and this release reads 1"),
    "no base": (lambda f: rewrite(f / "quire.json", base=None), "found base: None"),
    "odd pooling": (lambda f: rewrite(f / "quire.json", pooling="max"), "found pooling: 'max'"),
    "another head": (lambda f: rewrite(f / "quire.json", pooling="match"), "holds a tensor classifier.token.weight"),
    "no length": (lambda f: rewrite(f / "quire.json", max_tokens=0), "found max_tokens: 0"),
    "too short": (lambda f: rewrite(f / "quire.json", max_tokens=10), "reads 10 tokens at a time"),
    "odd scale": (lambda f: rewrite(f / "quire.json", scale=-1), "found scale: -1"),
    "odd layers": (lambda f: rewrite(f / "quire.json", layers=[]), r"found layers: \[\]"),
    "layers of text": (lambda f: rewrite(f / "quire.json", layers="all"), "found layers: 'all'"),
    "other base": (lambda f: rewrite(f / "quire.json", base_digest="00ff"), "sha256 00ff, and .* has [0-9a-f]{64}"),
    "base nowhere": (lambda f: rewrite(f / "quire.json", base="no-such-model"), "no model 'no-such-model'"),
    "base gone": (lambda f: (f.parent / "base" / "model.safetensors").unlink(), "has no model.safetensors"),
    "base cut short": (lambda f: cut_short(f.parent / "base" / "model.safetensors"), "cut short"),
    "base without tokenizer": (lambda f: (f.parent / "base" / "tokenizer.json").unlink(), "needs its tokenizer.json"),
    "another kind": (lambda f: rewrite(f / "adapter_config.json", peft_type="IA3"), "of kind 'IA3', expected plain"),
    "DoRA": (lambda f: rewrite(f / "adapter_config.json", use_dora=True), "of kind DoRA"),
    "no alpha": (lambda f: rewrite(f / "adapter_config.json", lora_alpha=None), "lora_alpha is None"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_told_apart_and_named(adapter: Make, damage: str) -> None:
    folder = adapter()
    do, said = DAMAGE[damage]
    do(folder)
    with pytest.raises(RerankerModelError, match=said):
        load_reranker(str(folder), device="cpu")


def test_tensors_that_do_not_fit_are_named(adapter: Make, tiny: Any) -> None:
    name = f"{PREFIX}encoder.layer.0.output.dense.lora_A.weight"
    lora, head = tiny.lora_tensors(), tiny.saved_head()
    odd = {
        "only lora_B is there": {key: tensor for key, tensor in lora.items() if key != name} | head,
        "has shape": lora | head | {name: np.ones((4, 31), np.float32)},
        "which the base has not": lora | head | {name.replace("layer.0", "layer.9"): lora[name]}
        | {name.replace("layer.0", "layer.9").replace("_A", "_B"): lora[name.replace("_A", "_B")]},
        "a kind of change that is not known here": lora | head
        | {f"{PREFIX}embeddings.word_embeddings.lora_embedding_A": np.ones((2, 2), np.float32)},
        "neither the adapter nor its base holds a tensor classifier": lora,
    }  # fmt: skip
    for said, tensors in odd.items():
        with pytest.raises(RerankerModelError, match=said):
            load_reranker(str(adapter(tensors)), device="cpu")


def test_weights_that_are_no_numbers_are_found_on_loading(adapter: Make, tiny: Any) -> None:
    tensors = tiny.lora_tensors() | tiny.saved_head()
    tensors["base_model.model.classifier.bias"] = np.array([np.nan], np.float32)
    with pytest.raises(RerankerModelError, match="gave a score that is no number"):
        load_reranker(str(adapter(tensors)), device="cpu")
