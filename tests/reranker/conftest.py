"""Small random cross-encoders and adapters, written to disk the way that transformers and peft write them."""

import hashlib
import json
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = ["[UNK]", "[PAD]", "[CLS]", "[SEP]", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
WORDS += ["the", "cat", "sat", "on", "mat", "river", "winter", ".", "›"]
SIZES: dict[str, Any] = {
    "vocab_size": len(WORDS),
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 32,
    "max_position_embeddings": 96,
    "pad_token_id": 1,  # as in RoBERTa's family, where positions are counted from it
}
WIDTH, INNER = 16, 32
Tensors = dict[str, np.ndarray]


def write_safetensors(path: Path, tensors: Tensors) -> None:
    kinds = {"float32": "F32", "float16": "F16"}
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, array in tensors.items():
        span = [at, at + array.nbytes]
        header[name] = {"dtype": kinds[str(array.dtype)], "shape": list(array.shape), "data_offsets": span}
        at += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(a.tobytes() for a in tensors.values()))


def small_tokenizer() -> Tokenizer:
    made = Tokenizer(models.WordPiece({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    made.enable_truncation(8)  # as real ones come: a reranker must undo it
    made.enable_padding(length=8, pad_id=1)
    return made


def write_tokenizer(root: Path, max_tokens: int = 48) -> None:
    small_tokenizer().save(str(root / "tokenizer.json"))
    config = {"tokenizer_class": "BertTokenizer", "unk_token": "[UNK]", "pad_token": "[PAD]"}
    config |= {"cls_token": "[CLS]", "sep_token": "[SEP]", "model_max_length": max_tokens}
    (root / "tokenizer_config.json").write_text(json.dumps(config))


def body_tensors(seed: int = 0, prefix: str = "") -> Tensors:
    rng = np.random.default_rng(seed)

    def normal(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.3, shape).astype(np.float32)

    tensors = {
        "embeddings.word_embeddings.weight": normal(len(WORDS), WIDTH),
        "embeddings.position_embeddings.weight": normal(SIZES["max_position_embeddings"], WIDTH),
        "embeddings.token_type_embeddings.weight": normal(2, WIDTH),
        "embeddings.LayerNorm.weight": 1 + normal(WIDTH),
        "embeddings.LayerNorm.bias": normal(WIDTH),
        "pooler.dense.weight": normal(WIDTH, WIDTH),
        "pooler.dense.bias": normal(WIDTH),
    }
    for layer in range(SIZES["num_hidden_layers"]):
        at = f"encoder.layer.{layer}."
        for name, rows, columns in LINEAR:
            tensors[f"{at}{name}.weight"] = normal(rows, columns)
            tensors[f"{at}{name}.bias"] = normal(rows)
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            tensors[f"{at}{name}.weight"] = 1 + normal(WIDTH)
            tensors[f"{at}{name}.bias"] = normal(WIDTH)
    return {prefix + name: tensor for name, tensor in tensors.items()}


LINEAR = (
    ("attention.self.query", WIDTH, WIDTH),
    ("attention.self.key", WIDTH, WIDTH),
    ("attention.self.value", WIDTH, WIDTH),
    ("attention.output.dense", WIDTH, WIDTH),
    ("intermediate.dense", INNER, WIDTH),
    ("output.dense", WIDTH, INNER),
)


def head_tensors(seed: int = 1) -> Tensors:
    rng = np.random.default_rng(seed)
    weight = rng.normal(0, 1, (1, WIDTH)).astype(np.float32)
    return {"classifier.weight": weight, "classifier.bias": rng.normal(0, 1, 1).astype(np.float32)}


def match_tensors(seed: int = 1) -> Tensors:
    """The tensors of a head that compares."""
    rng = np.random.default_rng(seed)
    shapes = {"match.weight": (1, 2), "token.weight": (1, WIDTH), "cls.weight": (1, WIDTH), "cls.bias": (1,)}
    return {
        f"classifier.{name}": rng.normal(0, 1, shape).astype(np.float32) for name, shape in shapes.items()
    }


def plain_states(config: dict[str, Any], at: Tensors, ids: list[int], second: int) -> np.ndarray:
    """The states of one window after a BERT's last layer, in float64 and without any regard to speed."""
    erf = np.vectorize(math.erf)

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + config["layer_norm_eps"])
        return scaled * at[f"{name}.weight"] + at[f"{name}.bias"]

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        return x @ at[f"{name}.weight"].T + at[f"{name}.bias"]

    types = [int(place >= second) for place in range(len(ids))]
    x = at["embeddings.word_embeddings.weight"][ids] + at["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + at["embeddings.token_type_embeddings.weight"][types], "embeddings.LayerNorm")
    for layer in range(config["num_hidden_layers"]):
        p = f"encoder.layer.{layer}."
        q, k, v = (
            np.stack(np.split(linear(x, f"{p}attention.self.{n}"), config["num_attention_heads"], axis=1))
            for n in ("query", "key", "value")
        )
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = np.concatenate(list(weights / weights.sum(-1, keepdims=True) @ v), axis=1)
        x = norm(linear(mixed, f"{p}attention.output.dense") + x, f"{p}attention.output.LayerNorm")
        inner = linear(x, f"{p}intermediate.dense")
        inner = inner * 0.5 * (1 + erf(inner / math.sqrt(2)))
        x = norm(linear(inner, f"{p}output.dense") + x, f"{p}output.LayerNorm")
    return x


def plain_match(at: Tensors, states: np.ndarray, query: tuple[int, int], passage: tuple[int, int]) -> float:
    """The score of one window by the head that compares, written out term by term in float64."""
    weight, token, cls, bias = (np.asarray(at[f"classifier.{name}"], float) for name in MATCH)
    h = np.asarray(states, float)
    late = alike = 0.0
    if query[0] < query[1] and passage[0] < passage[1]:
        total = 0.0
        for i in range(*query):
            share = math.exp(token[0] @ h[i])
            cosines = [h[i] @ h[j] / math.sqrt((h[i] @ h[i]) * (h[j] @ h[j])) for j in range(*passage)]
            total += share
            late += share * max(cosines)
        late /= total
        a, b = h[slice(*query)].mean(0), h[slice(*passage)].mean(0)
        alike = a @ b / math.sqrt((a @ a) * (b @ b))
    return float(weight[0, 0] * late + weight[0, 1] * alike + cls[0] @ h[0] + bias[0])


MATCH = ("match.weight", "token.weight", "cls.weight", "cls.bias")


def write_config(root: Path, architecture: str, **changes: Any) -> None:
    config = {"model_type": "bert", "architectures": [architecture], "type_vocab_size": 2, **SIZES}
    config |= {"hidden_act": "gelu", "layer_norm_eps": 1e-12, "id2label": {"0": "LABEL_0"}, **changes}
    (root / "config.json").write_text(json.dumps(config))


def write_cross_encoder(root: Path, max_tokens: int = 48, **changes: Any) -> Path:
    """Write a tiny BERT for sequence classification with random weights."""
    root.mkdir(parents=True, exist_ok=True)
    write_config(root, "BertForSequenceClassification", **changes)
    write_tokenizer(root, max_tokens)
    write_safetensors(root / "model.safetensors", body_tensors(prefix="bert.") | head_tensors())
    return root


def lora_tensors(seed: int = 2, rank: int = 4, dtype: str = "float16") -> Tensors:
    rng = np.random.default_rng(seed)
    tensors: Tensors = {}
    layers = range(SIZES["num_hidden_layers"])
    changed = [(f"encoder.layer.{layer}.{name}", *shape) for layer in layers for name, *shape in LINEAR]
    for name, rows, columns in [*changed, ("pooler.dense", WIDTH, WIDTH)]:
        at = f"base_model.model.bert.{name}."
        tensors[f"{at}lora_A.weight"] = rng.normal(0, 0.3, (rank, columns)).astype(dtype)
        tensors[f"{at}lora_B.weight"] = rng.normal(0, 0.3, (rows, rank)).astype(dtype)
    return tensors


def saved_head() -> Tensors:
    return {f"base_model.model.{name}": tensor for name, tensor in head_tensors().items()}


def match_adapter() -> Tensors:
    """What an adapter with a head that compares holds."""
    lora = {name: tensor for name, tensor in lora_tensors().items() if "pooler" not in name}
    return lora | {f"base_model.model.{name}": tensor for name, tensor in match_tensors().items()}


def write_adapter(root: Path, tensors: Tensors | None = None, config: Any = None, **settings: Any) -> Path:
    """Write a tiny BERT as a base, `root/base`, and an adapter for it, `root/adapter`; return the latter."""
    base, folder = root / "base", root / "adapter"
    for path in (base, folder):
        path.mkdir(parents=True, exist_ok=True)
    write_config(base, "BertModel")
    write_tokenizer(base)
    write_safetensors(base / "model.safetensors", body_tensors())
    lora = {"peft_type": "LORA", "r": 4, "lora_alpha": 6, "task_type": "SEQ_CLS"}
    lora |= {"target_modules": ["query", "key", "value", "dense"], "modules_to_save": ["classifier"]}
    lora |= {"base_model_name_or_path": str(base)} | (config or {})
    (folder / "adapter_config.json").write_text(json.dumps(lora))
    write_safetensors(folder / "adapter_model.safetensors", tensors or lora_tensors() | saved_head())
    digest = hashlib.sha256((base / "model.safetensors").read_bytes()).hexdigest()
    told = {"format": 1, "base": str(base), "base_digest": digest, "max_tokens": 48, "pooling": "pooler"}
    (folder / "quire.json").write_text(json.dumps(told | settings))
    return folder


@pytest.fixture
def cross_encoder(tmp_path: Path) -> Callable[..., Path]:
    """Write a tiny cross-encoder and return its folder."""
    return lambda **changes: write_cross_encoder(tmp_path / "tiny", **changes)


@pytest.fixture
def adapter(tmp_path: Path) -> Callable[..., Path]:
    """Write a tiny base and an adapter for it, and return the adapter's folder."""
    return lambda *args, **changes: write_adapter(tmp_path, *args, **changes)


@pytest.fixture
def tiny() -> Any:
    """This module: the parts that the two above are made of."""
    import sys

    return sys.modules[__name__]
