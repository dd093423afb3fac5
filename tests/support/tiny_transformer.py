"""A transformer of chance weights that is small enough to be trained in a second."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest


def write_tiny_transformer(folder: Path, words: Iterable[str]) -> Path:
    """Write an encoder's folder: two layers of width 32, with these words as its vocabulary.

    Skips the test where torch or transformers is not installed.
    """
    torch = pytest.importorskip("torch", reason="training needs torch")
    transformers = pytest.importorskip("transformers", reason="training needs transformers")
    folder.mkdir(parents=True)
    pieces = [
        *"abcdefghijklmnopqrstuvwxyz0123456789",
        *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz0123456789"),
    ]
    vocabulary = dict.fromkeys(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *pieces, *"›.?-_"])
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    tokenizer = transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt"), do_lower_case=True)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=256,
        initializer_range=0.2,
    )
    transformers.BertModel(config).save_pretrained(folder)
    return folder
