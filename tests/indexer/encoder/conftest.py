"""Small random models, written to disk the way that sentence-transformers writes them."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    *"abcdefghijklmnopqrstuvwxyz",
    *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz"),
]
WORDS += ["the", "cat", "sat", "on", "mat", "river", "winter", ":", "query", "passage", "."]
WIDTH, INNER, HEADS, LAYERS, POSITIONS = 16, 32, 4, 2, 40


def write_safetensors(path: Path, tensors: dict[str, np.ndarray]) -> None:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, array in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(a.tobytes() for a in tensors.values()))


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def tokenizer() -> Tokenizer:
    made = Tokenizer(models.WordPiece({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    made.enable_truncation(8)  # as real ones come: an encoder must undo it
    made.enable_padding(length=8)
    return made


def bert_tensors(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)

    def normal(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.3, shape).astype(np.float32)

    tensors = {
        "embeddings.word_embeddings.weight": normal(len(WORDS), WIDTH),
        "embeddings.position_embeddings.weight": normal(POSITIONS, WIDTH),
        "embeddings.token_type_embeddings.weight": normal(2, WIDTH),
        "embeddings.LayerNorm.weight": 1 + normal(WIDTH),
        "embeddings.LayerNorm.bias": normal(WIDTH),
    }
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}."
        for name, rows, columns in (
            ("attention.self.query", WIDTH, WIDTH),
            ("attention.self.key", WIDTH, WIDTH),
            ("attention.self.value", WIDTH, WIDTH),
            ("attention.output.dense", WIDTH, WIDTH),
            ("intermediate.dense", INNER, WIDTH),
            ("output.dense", WIDTH, INNER),
        ):
            tensors[f"{at}{name}.weight"] = normal(rows, columns)
            tensors[f"{at}{name}.bias"] = normal(rows)
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            tensors[f"{at}{name}.weight"] = 1 + normal(WIDTH)
            tensors[f"{at}{name}.bias"] = normal(WIDTH)
    return tensors


def write_model(root: Path, *, pooling: str = "mean_tokens", prompts: dict[str, str] | None = None) -> Path:
    """Write a tiny BERT with random weights and a vocabulary of letters and a few words."""
    root.mkdir(parents=True, exist_ok=True)
    write_json(
        root / "config.json",
        {
            "model_type": "bert",
            "architectures": ["BertModel"],
            "vocab_size": len(WORDS),
            "hidden_size": WIDTH,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS,
            "intermediate_size": INNER,
            "hidden_act": "gelu",
            "max_position_embeddings": POSITIONS,
            "type_vocab_size": 2,
            "layer_norm_eps": 1e-12,
            "pad_token_id": 0,
        },
    )
    prefix = "sentence_transformers.models."
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    write_json(
        root / "modules.json",
        [
            {"idx": n, "name": str(n), "path": path, "type": prefix + kind}
            for n, (path, kind) in enumerate(kinds)
        ],
    )
    write_json(
        root / "1_Pooling" / "config.json",
        {
            "word_embedding_dimension": WIDTH,
            **{
                f"pooling_mode_{mode}": mode == pooling for mode in ("cls_token", "mean_tokens", "max_tokens")
            },
        },
    )
    write_json(root / "sentence_bert_config.json", {"max_seq_length": 24, "do_lower_case": False})
    write_json(root / "config_sentence_transformers.json", {"prompts": prompts or {}})
    write_json(
        root / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]", "pad_token": "[PAD]"}
        | {"cls_token": "[CLS]", "sep_token": "[SEP]", "model_max_length": 64},
    )
    tokenizer().save(str(root / "tokenizer.json"))
    write_safetensors(root / "model.safetensors", bert_tensors())
    return root


@pytest.fixture
def make_model(tmp_path: Path) -> Callable[..., Path]:
    """Write a tiny model under a name of your choice and return its folder."""

    def make(name: str = "tiny", **choices: Any) -> Path:
        return write_model(tmp_path / name, **choices)

    return make


@pytest.fixture
def rewrite_tensors() -> Callable[[Path, dict[str, np.ndarray]], None]:
    """Write a safetensors file."""
    return write_safetensors
