"""Tiny collections on disk, and an encoder that needs no model."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eval.experiment.definition import CollectionSource, Experiment
from eval.experiment.pipeline import Pipeline
from eval.experiment.pipelines.quire import Quire
from eval.experiment.result import ExperimentResult
from eval.experiment.runner import run_experiment
from indexer.encoder import HashingEncoder
from small_corpus import WORDS, make_document

DOCUMENTS, TOPICS = 30, 12


@pytest.fixture(autouse=True)
def _no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"hashing-16": 16}
    monkeypatch.setattr(
        "indexer.encoder.load_encoder",
        lambda name, **_: HashingEncoder(sizes.get(name, 32)),
        raising=False,
    )


def write_collection(folder: Path, seed: int = 0, documents: int = DOCUMENTS, topics: int = TOPICS) -> Path:
    """Write a BEIR folder of random words; the same at every call with the same arguments."""
    choose = random.Random(seed)
    folder.mkdir(parents=True)
    ids = []
    with (folder / "corpus.jsonl").open("w", encoding="utf-8") as file:
        for number in range(documents):
            document = make_document(number, words=choose.randint(20, 90), seed=seed)
            ids.append(document.doc_id)
            record = {"_id": document.doc_id, "title": document.title, "text": document.text}
            file.write(json.dumps(record) + "\n")
    with (folder / "queries.jsonl").open("w", encoding="utf-8") as file:
        for number in range(topics):
            record = {"_id": f"q{number}", "text": " ".join(choose.sample(WORDS, choose.randint(1, 4)))}
            file.write(json.dumps(record) + "\n")
    lines = ["query-id\tcorpus-id\tscore"]
    for number in range(topics):
        for doc_id in choose.sample(ids, 5):
            lines.append(f"q{number}\t{doc_id}\t{choose.randint(0, 2)}")
    (folder / "qrels.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


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
