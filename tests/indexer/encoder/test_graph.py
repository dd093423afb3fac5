"""The graph against a plain BERT in numpy, against transformers, and against the onnx package's own reader."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from indexer.encoder.architectures import shape_of
from indexer.encoder.graph import build
from indexer.encoder.load import load_encoder
from indexer.encoder.onnx_encoder import OnnxEncoder
from indexer.encoder.recipe import Recipe, read_recipe
from indexer.encoder.tokens import Tokens, read_tokenizer
from indexer.encoder.weights import Safetensors

TEXTS = ["the cat sat on the mat.", "", "winter", "q" * 60, "the river the cat zebra " * 5, "猫 😀", "  \n "]


def plain_bert(root: Path, ids: list[int], pooling: str) -> np.ndarray:
    """One text through a BERT, written out in float64 without any regard to speed."""
    config = json.loads((root / "config.json").read_text())
    tensors = Safetensors([root / "model.safetensors"])
    at = {
        name: np.asarray(tensors.rows(name, np.arange(tensors._entries[name].shape[0])), float)
        for name in tensors
    }
    erf = np.vectorize(math.erf)

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + config["layer_norm_eps"])
        return scaled * at[f"{name}.weight"] + at[f"{name}.bias"]

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        return x @ at[f"{name}.weight"].T + at[f"{name}.bias"]

    x = at["embeddings.word_embeddings.weight"][ids] + at["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + at["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    heads = config["num_attention_heads"]
    for layer in range(config["num_hidden_layers"]):
        p = f"encoder.layer.{layer}."
        q, k, v = (
            np.stack(np.split(linear(x, f"{p}attention.self.{n}"), heads, axis=1))
            for n in ("query", "key", "value")
        )
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = np.concatenate(list(weights / weights.sum(-1, keepdims=True) @ v), axis=1)
        x = norm(linear(mixed, f"{p}attention.output.dense") + x, f"{p}attention.output.LayerNorm")
        inner = linear(x, f"{p}intermediate.dense")
        inner = inner * 0.5 * (1 + erf(inner / math.sqrt(2)))
        x = norm(linear(inner, f"{p}output.dense") + x, f"{p}output.LayerNorm")
    pooled = {"mean_tokens": x.mean(0), "cls_token": x[0], "max_tokens": x.max(0)}[pooling]
    return pooled / np.linalg.norm(pooled)


@pytest.mark.parametrize("pooling", ["mean_tokens", "cls_token", "max_tokens"])
def test_vectors_are_those_of_a_plain_bert(make_model: Callable[..., Path], pooling: str) -> None:
    root = make_model(pooling=pooling)
    tokens = Tokens(read_tokenizer(root / "tokenizer.json"), 24)
    expected = np.stack([plain_bert(root, ids, pooling) for ids in tokens.ids(TEXTS)])
    encoder = load_encoder(str(root), device="cpu")
    assert np.abs(encoder.encode_passages(TEXTS) - expected).max() < 1e-5
    assert np.abs(encoder.encode_query(TEXTS[0]) - expected[0]).max() < 1e-5


def test_int8_stays_close(make_model: Callable[..., Path]) -> None:
    root = make_model()
    whole, quantised = (load_encoder(str(root), device="cpu", precision=p) for p in ("fp32", "int8"))
    cosines = (whole.encode_passages(TEXTS) * quantised.encode_passages(TEXTS)).sum(axis=1)
    assert cosines.min() > 0.99
    assert cosines.max() < 1.0000001
    assert quantised.fingerprint == f"{whole.fingerprint}+int8"


def test_the_onnx_package_reads_the_graph_and_finds_nothing_amiss(make_model: Callable[..., Path]) -> None:
    onnx = pytest.importorskip("onnx")
    root = make_model()
    weights = Safetensors([root / "model.safetensors"])
    for int8 in (False, True):
        recipe = read_recipe(root, "tiny")
        data, given = build(shape_of(recipe.config, weights), weights, recipe.pooling, int8)
        model = onnx.load_model_from_string(data)
        assert [item.name for item in model.graph.input] == ["words", "mask"]
        external = {t.name: t for t in model.graph.initializer if t.data_location == t.EXTERNAL}
        assert {name: tuple(t.dims) for name, t in external.items()} == {n: a.shape for n, a in given.items()}
        for tensor in model.graph.initializer:  # the checker would look for a file of the external ones
            if tensor.name in given:
                fresh = onnx.numpy_helper.from_array(np.ascontiguousarray(given[tensor.name]), tensor.name)
                tensor.CopyFrom(fresh)
        onnx.checker.check_model(model)


FAMILIES = {
    "BertConfig": {},
    "RobertaConfig": {"pad_token_id": 0},
    "XLMRobertaConfig": {"pad_token_id": 0},
    "MPNetConfig": {"pad_token_id": 0},
    "DistilBertConfig": {"dim": 16, "hidden_dim": 32, "n_layers": 2, "n_heads": 4},
}


@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "relu"])
@pytest.mark.parametrize("family", FAMILIES)
def test_vectors_are_those_of_transformers(
    make_model: Callable[..., Path], family: str, activation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    transformers = pytest.importorskip("transformers")
    root = make_model()
    tokens = Tokens(read_tokenizer(root / "tokenizer.json"), 24)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    numbers = {**(FAMILIES[family] or {}), "vocab_size": tokens.vocabulary, "max_position_embeddings": 40}
    sizes = {} if family == "DistilBertConfig" else sizes
    key = "activation" if family == "DistilBertConfig" else "hidden_act"
    torch.manual_seed(1)
    config = getattr(transformers, family)(**sizes, **numbers, **{key: activation})
    model = transformers.AutoModel.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # the default spread is so small that errors would not show
            parameter.normal_(0, 0.3)
    model.save_pretrained(root)
    weights = Safetensors([root / "model.safetensors"])
    recipe = Recipe(root, json.loads((root / "config.json").read_text()), max_tokens=24)
    encoder = OnnxEncoder("tiny", "tiny:0", recipe, tokens, weights)
    for text, ids, vector in zip(TEXTS, tokens.ids(TEXTS), encoder.encode_passages(TEXTS), strict=True):
        with torch.no_grad():
            feeds = {
                "input_ids": torch.tensor([ids]),
                "attention_mask": torch.ones(1, len(ids), dtype=torch.long),
            }
            if "MPNet" in family or "oberta" in family.lower():
                feeds["position_ids"] = torch.arange(1, len(ids) + 1)[None]
            pooled = model(**feeds).last_hidden_state[0].mean(0).double().numpy()
        assert vector @ pooled / np.linalg.norm(pooled) > 0.99999, text
