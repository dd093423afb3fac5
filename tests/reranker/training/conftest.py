"""A tiny transformer with chance weights, and data that it can learn: enough to train in a second."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reranker.data.example import Example, TrainingData
from reranker.pairs import PassageText

THINGS = "river stone bridge cloud fire glass iron maple north orbit paper quartz".split()
FILLER = "the of a and in to with by from over under near".split()


@pytest.fixture(scope="session")
def tiny_body(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an encoder: two layers of width 32, and a vocabulary of words."""
    pytest.importorskip("torch", reason="training needs torch")
    transformers = pytest.importorskip("transformers", reason="training needs transformers")
    torch = __import__("torch")
    folder = tmp_path_factory.mktemp("tiny") / "tiny-body"
    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *THINGS, *FILLER, *"›.?abcdefgh"]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    tokenizer = transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt"), do_lower_case=True)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=64, initializer_range=0.2,
    )
    transformers.BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def words() -> Callable[..., TrainingData]:
    """Makes queries of one word each: the passages that have it are better."""

    def make(train: int = 24, dev: int = 6, *, seed: int = 0, source: str = "words", **extra: Any) -> TrainingData:
        chance = random.Random(seed)
        examples = [_example(chance, number, f"{source}-{seed}", source, **extra) for number in range(train + dev)]
        return TrainingData.of(examples[:train], examples[train:])

    return make


def _example(chance: random.Random, number: int, name: str, source: str, **extra: Any) -> Example:
    thing = chance.choice(THINGS)
    others = [word for word in THINGS if word != thing]
    grades = [1.0, *([0.0] * chance.randint(1, 4))]
    chance.shuffle(grades)
    passages = []
    for grade in grades:
        text = chance.sample(FILLER, chance.randint(2, 8)) + [thing if grade else chance.choice(others)]
        chance.shuffle(text)
        passages.append(PassageText(" ".join(text), title=chance.choice(FILLER)))
    return Example(f"{name}-{number}", thing, tuple(passages), tuple(grades), source=source, **extra)
