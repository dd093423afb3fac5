"""The model in the package: there, small, and doing what its card says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import reranker
from reranker import load_reranker
from reranker.load import DEFAULT_RERANKER

FOLDER = Path(reranker.__file__).parent / "models" / DEFAULT_RERANKER
QUERY = "why do bridges oscillate"
PASSAGES = [
    "Wind made the suspension bridge swing until it broke.",
    "Two cups of flour and a pinch of salt.",
    "Vortices shed by the deck drove the oscillation of the bridge.",
]


def test_the_adapter_is_in_the_installed_package_with_its_card_and_is_small() -> None:
    assert {path.name for path in FOLDER.iterdir()} >= {
        "adapter_config.json",
        "adapter_model.safetensors",
        "quire.json",
        "README.md",
    }
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 6_000_000


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_it_loads_offline_and_puts_what_answers_above_what_does_not(precision: str) -> None:
    scores = load_reranker(precision=precision).score(QUERY, PASSAGES)
    assert scores.dtype == np.float32
    assert scores.shape == (3,)
    assert scores[1] == min(scores)


def test_it_knows_which_scripts_it_reads() -> None:
    model = load_reranker()
    assert model.reads(QUERY) == 1.0
    assert model.reads("桥梁为什么会振动") < 0.5
