"""Settings of training say what was found and what was expected, before anything is begun."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reranker.errors import InvalidTrainingSettings
from reranker.training import TrainingSettings


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"learning_rate": 2.0}, "learning_rate must be from 1e-12 to 1; found 2.0"),
        ({"learning_rate": "fast"}, "learning_rate must be a finite number; found 'fast'"),
        ({"learning_rate": float("nan")}, "finite"),
        ({"batch_queries": 0}, "batch_queries must be from 1"),
        ({"batch_queries": 2.5}, "batch_queries must be a whole number; found 2.5"),
        ({"seed": True}, "seed must be a whole number"),
        ({"zero_head": 1}, "zero_head must be true or false"),
        ({"objective": "magic"}, "objective must be one of ranknet, lambda.*found 'magic'"),
        ({"method": "half"}, "method must be one of lora, full, frozen; found 'half'"),
        ({"base": " "}, "base must name a model"),
        ({"layers": [2, 1]}, "layers must be rising whole numbers"),
        ({"layers": "all"}, "layers must be"),
        ({"objective": "mse", "prior_scale": 1.0}, "prior_scale must be 0 with the objective mse"),
        ({"objective": "bce", "grade_aware": True}, "grade_aware is a choice of the objective ranknet"),
        ({"epochs": 0}, "more than 0"),
        ({"lerning_rate": 1}, "no setting 'lerning_rate' of training; did you mean learning_rate"),
        ({"xyz": 1}, "no setting 'xyz' of training; there are: accumulate"),
    ],
)
def test_what_cannot_be_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidTrainingSettings, match=message):
        TrainingSettings.from_mapping(values)


def test_they_can_be_written_in_toml() -> None:
    text = 'method = "full"\nepochs = 2\nlearning_rate = 5e-5\nlayers = [0, 2]\nzero_head = true'
    found = TrainingSettings.from_mapping(tomllib.loads(text))
    assert found == TrainingSettings(
        method="full", epochs=2.0, learning_rate=5e-5, layers=(0, 2), zero_head=True
    )


@settings(max_examples=50)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "rank": st.integers(1, 100),
            "alpha": st.integers(1, 100),
            "epochs": st.floats(0.1, 50),
            "layers": st.sets(st.integers(0, 11)).map(sorted),
            "method": st.sampled_from(["lora", "full", "frozen"]),
            "seed": st.integers(0, 2**31 - 1),
            "dropout": st.floats(0, 0.9),
        },
    )
)
def test_what_is_written_is_read_again(values: dict[str, Any]) -> None:
    made = TrainingSettings.from_mapping(values)
    assert TrainingSettings.from_mapping(made.to_json()) == made


def test_nothing_heavy_is_imported_until_it_is_used(root: Path) -> None:
    code = (
        "import sys, reranker.training as t; t.TrainingSettings(); t.mix; t.ndcg; t.OBJECTIVES;"
        "print([m for m in ('torch', 'transformers', 'sentence_transformers', 'peft', 'matplotlib', 'onnxruntime')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_missing_is_named_with_its_install_line(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import reranker.training\n"
        "from reranker.errors import MissingDependency\n"
        "import importlib.util as u; real = u.find_spec\n"
        "import reranker.training.libraries as l\n"
        "l.find_spec = lambda name: None if name == 'torch' else real(name)\n"
        "try: reranker.training.train\n"
        "except MissingDependency as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert "torch" in done.stdout
    assert "pip install 'quire-search[train]'" in done.stdout
