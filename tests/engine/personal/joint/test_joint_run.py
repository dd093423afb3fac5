"""A run from end to end: it learns, is the same when it was stopped, and saves what Quire runs without torch."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

for needed in ("torch", "sentence_transformers", "accelerate", "datasets", "peft"):
    pytest.importorskip(needed, reason=f"training needs {needed}")

from engine.personal.joint import JointData, JointSettings, train  # noqa: E402
from engine.personal.joint.model import build  # noqa: E402
from engine.personal.joint.outcome import MRR, NDCG, NONE, OTHER, OWN  # noqa: E402
from indexer.encoder import load_encoder  # noqa: E402
from reranker.errors import (  # noqa: E402
    InvalidTrainingSettings,
    RerankerModelError,
    TrainingDataError,
    TrainingInterrupted,
)
from reranker.training.progress import Progressed  # noqa: E402

Small = Callable[..., JointSettings]
Lists = Callable[..., JointData]


def tensors(folder: Path) -> dict[str, Any]:
    """Return all tensors of a model's folder."""
    from safetensors.numpy import load_file

    return {
        f"{p.name} {k}": v for p in sorted(folder.rglob("*.safetensors")) for k, v in load_file(p).items()
    }


def interrupted_at(step: int) -> Callable[[Progressed], None]:
    """Press Ctrl-C when a step is logged."""

    def press(progressed: Progressed) -> None:
        if progressed.step == step and progressed.loss is not None:
            os.kill(os.getpid(), signal.SIGINT)

    return press


def test_it_learns_what_readers_like_and_says_so(small: Small, lists: Lists, tmp_path: Path) -> None:
    settings = small(method="full", epochs=6, anchor=0.05, learning_rate=2e-3)
    outcome = train(settings, lists(40, 4, 16), tmp_path / "run")
    assert outcome.verdict == "better"
    assert set(outcome.changes) == {NDCG, MRR}
    own, other = outcome.changes[NDCG][OWN], outcome.changes[NDCG][OTHER]
    assert own.queries == 16
    assert own.after > own.before + 0.05
    assert own.after > other.after  # what is learnt is whose history it is
    assert outcome.kept < 0.999
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["verdict"] == "better"
    assert report["changes"][NDCG][NONE]["readers"] == 16
    assert outcome.said in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert outcome.said in (outcome.model / "README.md").read_text(encoding="utf-8")


def test_what_cannot_be_learnt_is_not_called_better(small: Small, lists: Lists, tmp_path: Path) -> None:
    """Clicks by chance: whatever the run does to the vectors, the report claims nothing."""
    data = lists(12, 2, 12)
    chance = np.random.default_rng(0)
    parts = {
        name: tuple(
            replace(one, grades=tuple(chance.permutation(one.grades).tolist())) for one in getattr(data, name)
        )
        for name in ("train", "dev", "test")
    }
    outcome = train(small(epochs=3), JointData(data.texts, **parts), tmp_path / "run")
    assert outcome.verdict in ("undecided", "worse")
    assert "better" not in outcome.said or "nothing says that it is better" in outcome.said


def test_without_readers_to_measure_on_nothing_is_claimed(small: Small, lists: Lists, tmp_path: Path) -> None:
    outcome = train(small(max_steps=2, epochs=0), lists(4, 0, 0), tmp_path / "run")
    assert outcome.verdict == "unmeasured"
    assert "nothing is known" in outcome.said
    assert outcome.kept_step == outcome.steps == 2


@pytest.mark.parametrize("method", ["lora", "full"])
def test_an_interrupted_run_ends_with_the_weights_of_one_that_was_not(
    method: str, small: Small, lists: Lists, tmp_path: Path
) -> None:
    """Dropout is on, so states of chance have to be taken up too."""
    data = lists(12, 3, 3)
    settings = small(method=method, epochs=3, evaluate_every=3, dropout=0.1)
    whole = train(settings, data, tmp_path / "whole")
    with pytest.raises(TrainingInterrupted, match="quire train-encoder --resume runs/a"):
        train(
            settings,
            data,
            tmp_path / "parts",
            progress=interrupted_at(4),
            command=["quire", "train-encoder", "--resume", "runs/a"],
        )
    assert not (tmp_path / "parts" / "model").exists()
    parts = train(settings, data, tmp_path / "parts", resume=True)
    one, two = tensors(whole.model), tensors(parts.model)
    assert one.keys() == two.keys()
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert (parts.weight, parts.changes, parts.kept) == (whole.weight, whole.changes, whole.kept)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_the_saved_encoder_gives_the_same_vectors_without_torch(
    method: str, small: Small, lists: Lists, base: Path, tmp_path: Path
) -> None:
    data = lists(8, 0, 0)
    outcome = train(small(method=method, epochs=2, anchor=0.0), data, tmp_path / "run")
    encoder = load_encoder(str(outcome.model), device="cpu")
    assert type(encoder).__name__ == "OnnxEncoder"
    found = encoder.encode_passages(data.texts)
    library = pytest.importorskip("sentence_transformers").SentenceTransformer(
        str(outcome.model), device="cpu"
    )
    wanted = library.encode(list(data.texts), normalize_embeddings=True, show_progress_bar=False)
    assert (found * wanted).sum(axis=1).min() > 0.9999
    body = build(small(method=method), "cpu")
    from reranker.training.trainer import load_trained

    load_trained(body.encoder, tmp_path / "run" / "checkpoints" / f"checkpoint-{outcome.steps}")
    learnt = body.encoder.frozen(data.texts).numpy()
    assert (found * learnt).sum(axis=1).min() > 0.9999
    queries = body.encoder.frozen(["harbour lantern"], queries=True).numpy()
    assert float(encoder.encode_query("harbour lantern") @ queries[0]) > 0.9999
    before = load_encoder(str(base), device="cpu").encode_passages(data.texts)
    assert (found * before).sum(axis=1).min() < 0.9999  # it did learn something
    names = {name for name in tensors(outcome.model) if "lora" in name or "base_layer" in name}
    assert not names
    code = (
        "import sys; from indexer.encoder import load_encoder; "
        f"load_encoder({str(outcome.model)!r}, device='cpu').encode_query('stone'); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_prompts_that_only_the_name_tells_stay_with_the_model(
    small: Small, lists: Lists, base: Path, tmp_path: Path
) -> None:
    named = tmp_path / "e5-small-v2"
    named.symlink_to(base)
    (tmp_path / "copy").mkdir()
    for path in base.iterdir():
        (tmp_path / "copy" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "copy").rename(tmp_path / "e5-base-v2")
    data = lists(3, 0, 0)
    settings = small(base=str(tmp_path / "e5-base-v2"), max_steps=1, epochs=0, learning_rate=1e-9)
    outcome = train(settings, data, tmp_path / "run")
    old, new = (
        load_encoder(str(tmp_path / "e5-base-v2"), device="cpu"),
        load_encoder(str(outcome.model), device="cpu"),
    )
    assert float(old.encode_query("stone") @ new.encode_query("stone")) > 0.9999
    assert float(old.encode_passages(["stone"])[0] @ new.encode_passages(["stone"])[0]) > 0.9999
    assert float(new.encode_query("stone") @ new.encode_passages(["stone"])[0]) < 0.9999


def test_the_anchor_holds_vectors_where_they_were(small: Small, lists: Lists, tmp_path: Path) -> None:
    data = lists(12, 0, 4)
    kept = [
        train(small(epochs=3, anchor=anchor, dropout=0.0), data, tmp_path / str(anchor)).kept
        for anchor in (0.0, 10.0, 1000.0)
    ]
    assert kept == sorted(kept)
    assert kept[2] > kept[0]


def test_what_cannot_be_run_is_refused(small: Small, lists: Lists, tmp_path: Path) -> None:
    data = lists(3, 0, 0)
    with pytest.raises(TrainingDataError, match="found 0 lists"):
        train(small(), JointData((), (), (), ()), tmp_path / "none")
    with pytest.raises(RerankerModelError, match="no model 'nowhere"):
        train(small(base="nowhere/at-all/x"), data, tmp_path / "nowhere")
    train(small(max_steps=1, epochs=0), data, tmp_path / "run")
    with pytest.raises(InvalidTrainingSettings, match="holds a run already"):
        train(small(), data, tmp_path / "run")
    with pytest.raises(InvalidTrainingSettings, match=r"anchor = 5.0 in the place of 2.0"):
        train(small(max_steps=1, epochs=0, anchor=5.0), data, tmp_path / "run", resume=True)
    with pytest.raises(TrainingDataError, match="other data"):
        train(small(max_steps=1, epochs=0), lists(3, 0, 0, seed=4), tmp_path / "run", resume=True)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"method": "frozen"}, "method must be one of lora, full"),
        ({"max_tokens": 4}, "max_tokens must be 0"),
        ({"documents": 1}, "documents must be from 2"),
        ({"anchor": -1.0}, "anchor must be from 0"),
        ({"base": ""}, "base must name an encoder"),
        ({"learning_rate": 2.0}, "learning_rate must be from"),
        ({"histroy": 3}, "did you mean history"),
    ],
)
def test_settings_that_cannot_be_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidTrainingSettings, match=message):
        JointSettings.from_mapping(values)
