"""A tiny encoder of chance weights, and lists of readers that it can learn: enough to train in a second."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny_transformer import write_tiny_transformer

from engine.personal.joint import JointData, JointExample, JointSettings
from small_corpus import WORDS


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """More would wait for each other longer than they work."""
    torch = pytest.importorskip("torch", reason="training needs torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_transformer(tmp_path_factory.mktemp("joint") / "tiny", WORDS)


@pytest.fixture
def small(base: Path) -> Callable[..., JointSettings]:
    """Makes settings for the tiny model."""

    def make(**changes: Any) -> JointSettings:
        values: dict[str, Any] = {
            "base": str(base),
            "rank": 4,
            "alpha": 8,
            "learning_rate": 5e-3,
            "log_every": 1,
            "device": "cpu",
            "threads": 1,
        }
        return JointSettings(**(values | changes))

    return make


@pytest.fixture(scope="session")
def lists() -> Callable[..., JointData]:
    """Makes lists of readers who each like the documents that hold a word of their own, whatever they asked."""

    def make(
        train: int = 24, dev: int = 6, test: int = 10, *, seed: int = 0, documents: int = 60
    ) -> JointData:
        chance = random.Random(seed)
        texts = tuple(" ".join(chance.sample(WORDS, 4)) for _ in range(documents))
        parts: list[tuple[JointExample, ...]] = []
        reader = 0
        for readers in (train, dev, test):
            made = [_example(chance, texts, reader + number // 2) for number in range(2 * readers)]
            reader += readers
            parts.append(tuple(made))
        return JointData(texts, *parts)

    return make


def _example(chance: random.Random, texts: tuple[str, ...], reader: int) -> JointExample:
    liked = WORDS[reader % 5]
    good = [n for n, text in enumerate(texts) if liked in text.split()]
    bad = [n for n in range(len(texts)) if n not in good]
    chance.shuffle(good)
    shown = [*good[:2], *chance.sample(bad, 6)]
    chance.shuffle(shown)
    history = [n for n in good[2:] if n not in shown][: chance.randint(0, 4)]
    return JointExample(
        reader=reader,
        query=chance.choice(WORDS),
        history=tuple(history),
        shares=tuple(chance.choice([0.5, 1.0, 2.0]) for _ in history),
        shown=tuple(shown),
        grades=tuple(float(n in good) for n in shown),
        weights=tuple(chance.choice([1.0, 3.0]) for _ in shown),
    )
