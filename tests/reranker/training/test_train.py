"""Training from end to end, with a tiny model."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
for needed in ("sentence_transformers", "accelerate", "datasets", "peft"):
    pytest.importorskip(needed, reason=f"training needs {needed}")

from safetensors.numpy import load_file  # noqa: E402

from reranker.data.example import TrainingData  # noqa: E402
from reranker.errors import (  # noqa: E402
    InvalidTrainingSettings,
    RerankerModelError,
    TrainingDataError,
    TrainingInterrupted,
)
from reranker.training import TrainingSettings, train  # noqa: E402
from reranker.training.progress import Progressed  # noqa: E402

Words = Callable[..., TrainingData]
SMALL: dict[str, Any] = {
    "max_tokens": 40, "rank": 4, "alpha": 8, "batch_queries": 4, "learning_rate": 5e-3, "log_every": 2, "device": "cpu",
}


def small(body: Path, **changes: Any) -> TrainingSettings:
    return TrainingSettings(**(SMALL | {"base": str(body)} | changes))


def weights(model: Path) -> dict[str, np.ndarray]:
    return {f"{path.name} {key}": value for path in sorted(model.rglob("*.safetensors")) for key, value in load_file(path).items()}


def test_it_learns(tiny_body: Path, words: Words, tmp_path: Path) -> None:
    told: list[Progressed] = []
    outcome = train(small(tiny_body, epochs=8), words(48, 12), tmp_path / "run", progress=told.append)
    whole = outcome.changes["all"]
    print(outcome, told[-1])
    assert whole.after > whole.before
