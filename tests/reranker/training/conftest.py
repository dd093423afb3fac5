"""A tiny transformer with chance weights, and data that it can learn: enough to train in a second."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reranker.data.example import Example, TrainingData
from reranker.pairs import PassageText

GOLD = "gold"
THINGS = "river stone bridge cloud fire glass iron maple north orbit paper quartz".split()
FILLER = "the of a and in to with by from over under near".split()


@pytest.fixture(scope="session")
def tiny_body(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an encoder: two layers of width 32, and a vocabulary of words."""
    torch = pytest.importorskip("torch", reason="training needs torch")
    transformers = pytest.importorskip("transformers", reason="training needs transformers")
    folder = tmp_path_factory.mktemp("tiny") / "tiny-body"
    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", GOLD, *THINGS, *FILLER, *"›.?abcdefgh"]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    tokenizer = transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt"), do_lower_case=True)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.2,
    )
    transformers.BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def words() -> Callable[..., TrainingData]:
    """Makes queries of one word each; passages about gold are better, whatever the query."""

    def make(
        train: int = 24, dev: int = 6, *, seed: int = 0, source: str = "words", **extra: Any
    ) -> TrainingData:
        chance = random.Random(seed)
        examples = [
            _example(chance, number, f"{source}-{seed}", source, **extra) for number in range(train + dev)
        ]
        return TrainingData.of(examples[:train], examples[train:])

    return make


@pytest.fixture
def small(tiny_body: Path) -> Callable[..., Any]:
    """Makes settings for the tiny model; one thread, for more would wait for each other longer than they work."""
    from reranker.training import TrainingSettings

    def make(**changes: Any) -> TrainingSettings:
        values = {
            "base": str(tiny_body),
            "max_tokens": 40,
            "rank": 4,
            "alpha": 8,
            "batch_queries": 4,
            "threads": 1,
            "learning_rate": 5e-3,
            "log_every": 2,
            "device": "cpu",
        }
        return TrainingSettings(**(values | changes))

    return make


@pytest.fixture(scope="session")
def weights() -> Callable[[Path], dict[str, Any]]:
    """Reads all the tensors of a folder, by file and name."""

    def read(folder: Path) -> dict[str, Any]:
        from safetensors.numpy import load_file

        files = sorted(folder.rglob("*.safetensors"))
        return {f"{path.name} {key}": value for path in files for key, value in load_file(path).items()}

    return read


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Keep torch to one thread; see `small`."""
    try:
        import torch
    except ModuleNotFoundError:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _example(chance: random.Random, number: int, name: str, source: str, **extra: Any) -> Example:
    thing = chance.choice(THINGS)
    grades = [1.0, *([0.0] * chance.randint(1, 4))]
    chance.shuffle(grades)
    passages = []
    for grade in grades:
        text = [*chance.sample(FILLER, chance.randint(2, 8)), GOLD if grade else chance.choice(THINGS)]
        chance.shuffle(text)
        passages.append(PassageText(" ".join(text), title=chance.choice(FILLER)))
    return Example(f"{name}-{number}", thing, tuple(passages), tuple(grades), source=source, **extra)
