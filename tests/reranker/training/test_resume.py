"""A run that was stopped goes on as if it had not been."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
for needed in ("sentence_transformers", "accelerate", "datasets", "peft"):
    pytest.importorskip(needed, reason=f"training needs {needed}")

from reranker.data.example import TrainingData  # noqa: E402
from reranker.errors import (  # noqa: E402
    InvalidTrainingSettings,
    RerankerModelError,
    TrainingDataError,
    TrainingInterrupted,
)
from reranker.training import Progressed, TrainingSettings, train  # noqa: E402

Words = Callable[..., TrainingData]
Small = Callable[..., TrainingSettings]


def interrupted_at(step: int) -> Callable[[Progressed], None]:
    """Press Ctrl-C when a step is logged."""

    def press(progressed: Progressed) -> None:
        if progressed.step == step and progressed.loss is not None:
            os.kill(os.getpid(), signal.SIGINT)

    return press


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"method": "lora"}, 2),
        ({"method": "full", "accumulate": 2}, 5),
        ({"method": "frozen", "frozen_layers": 1, "passages_per_query": 2, "patience": 9}, 6),
    ],
    ids=[
        "LoRA, in the first epoch",
        "all weights, at the end of an epoch",
        "upper layers, in the second epoch",
    ],
)
def test_an_interrupted_run_ends_with_the_weights_of_one_that_was_not(
    changes: dict[str, Any], at: int, small: Small, words: Words, tmp_path: Path, weights: Any
) -> None:
    """Dropout is on, so states of chance have to be taken up too."""
    data = words(19, 4)
    settings = small(**changes, epochs=3, log_every=1, evaluate_every=4, dropout=0.1)
    whole = train(settings, data, tmp_path / "whole")
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(TrainingInterrupted, match="quire train --resume runs/a") as stopped:
        train(
            settings,
            data,
            tmp_path / "parts",
            progress=interrupted_at(at),
            command=["quire", "train", "--resume", "runs/a"],
        )
    assert signal.getsignal(signal.SIGINT) is before
    assert f"at step {at + 1} of {whole.steps}" in str(stopped.value)
    assert not (tmp_path / "parts" / "model").exists()

    parts = train(settings, data, tmp_path / "parts", resume=True)
    one, two = weights(whole.model), weights(parts.model)
    assert one.keys() == two.keys()
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert parts.changes == whole.changes
    assert (parts.steps, parts.kept_step) == (whole.steps, whole.kept_step)
    timeless = [
        [
            {
                key: value
                for key, value in json.loads(line).items()
                if key not in ("seconds", "pairs_per_second")
            }
            for line in (tmp_path / run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        ]
        for run in ("whole", "parts")
    ]
    assert timeless[0] == timeless[1]


def test_the_message_says_how_to_go_on(small: Small, words: Words, tmp_path: Path) -> None:
    with pytest.raises(TrainingInterrupted, match="resume=True") as stopped:
        train(small(log_every=1, epochs=2), words(12, 0), tmp_path / "run", progress=interrupted_at(1))
    assert str(tmp_path / "run") in str(stopped.value)


def test_a_run_cannot_begin_twice_nor_go_on_as_another(small: Small, words: Words, tmp_path: Path) -> None:
    data, settings, run = words(8, 0), small(), tmp_path / "run"
    with pytest.raises(InvalidTrainingSettings, match="no run to go on with"):
        train(settings, data, run, resume=True)
    train(settings, data, run)
    with pytest.raises(InvalidTrainingSettings, match="holds a run already"):
        train(settings, data, run)
    with pytest.raises(InvalidTrainingSettings, match=r"seed = 9 in the place of 0"):
        train(replace(settings, seed=9), data, run, resume=True)
    with pytest.raises(TrainingDataError, match="other data"):
        train(settings, words(8, 0, seed=5), run, resume=True)


def test_a_checkpoint_that_is_damaged_or_of_another_model_is_said(
    small: Small, words: Words, tmp_path: Path
) -> None:
    data, settings, run = words(8, 0), small(), tmp_path / "run"
    outcome = train(settings, data, run)
    file = run / "checkpoints" / f"checkpoint-{outcome.steps}" / "trained.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RerankerModelError, match="cannot be read"):
        train(settings, data, run, resume=True)
    other = train(small(rank=2), data, tmp_path / "other")
    file.write_bytes((other.folder / "checkpoints" / f"checkpoint-{other.steps}" / file.name).read_bytes())
    with pytest.raises(RerankerModelError, match="another model"):
        train(settings, data, run, resume=True)
