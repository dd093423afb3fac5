"""Tiny collections on disk, and an encoder that needs no model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_collection import write_collection

from eval.experiment.definition import CollectionSource, Experiment
from eval.experiment.pipeline import Pipeline
from eval.experiment.pipelines.quire import Quire
from eval.experiment.result import ExperimentResult
from eval.experiment.runner import run_experiment
from indexer.encoder import HashingEncoder


@pytest.fixture(autouse=True)
def _no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"hashing-16": 16}
    monkeypatch.setattr(
        "indexer.encoder.load_encoder",
        lambda name, **_: HashingEncoder(sizes.get(name, 32)),
        raising=False,
    )


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """A collection's folder."""
    return write_collection(tmp_path / "small")


Run = Callable[..., ExperimentResult]


@pytest.fixture
def run(tmp_path: Path, collection: Path) -> Run:
    """Run pipelines on the collection, in the folder `out`."""

    def experiment(
        pipelines: dict[str, Pipeline] | None = None, source: dict[str, Any] | None = None, **more: Any
    ) -> ExperimentResult:
        options = {name: more.pop(name) for name in ("only", "force", "progress", "cache") if name in more}
        collections = more.pop("collections", {"small": CollectionSource("small", **(source or {}))})
        asked = Experiment(
            **{
                "name": "small",
                "collections": collections,
                "pipelines": pipelines or {"hybrid": Quire()},
                "measures": ("nDCG@10", "R@20"),
                "k": 20,
                "folder": tmp_path,
            }
            | more
        )
        return run_experiment(asked, tmp_path / "out", **options)

    return experiment
