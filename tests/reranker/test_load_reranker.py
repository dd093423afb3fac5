"""Which reranker a name stands for, and what is said where there is none."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reranker import InvalidRerankerSettings, MissingDependency, RerankerModelError, load, load_reranker
from reranker.load import reranker_fingerprint

Make = Callable[..., Path]


@pytest.mark.parametrize(
    "wrong",
    [{"precision": "fp8"}, {"device": "tpu"}, {"threads": -1}, {"cache": -1}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_wrong_argument_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRerankerSettings, match=str(next(iter(wrong.values())))):
        load_reranker("x", **wrong)


def test_int8_is_for_the_processor() -> None:
    with pytest.raises(InvalidRerankerSettings, match="int8 runs on the processor"):
        load_reranker("x", precision="int8", device="cuda")


def test_the_default_is_in_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, adapter: Make
) -> None:
    monkeypatch.setattr(load, "_MODELS", tmp_path / "models")
    with pytest.raises(RerankerModelError, match=r"the default reranker should be in .*, which is not there"):
        load_reranker()
    folder = adapter()
    (tmp_path / "models").mkdir()
    folder.rename(tmp_path / "models" / "default")
    scorer = load_reranker(device="cpu")
    assert scorer.name == "default"
    assert scorer.fingerprint.startswith("default:")


def test_a_fingerprint_needs_no_model_in_memory(
    cross_encoder: Make, adapter: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "_has_gpu", lambda: False)
    for folder in (cross_encoder(), adapter()):
        found = load_reranker(str(folder)).fingerprint
        with monkeypatch.context() as context:
            context.setattr(load, "_onnx", lambda *_, **__: pytest.fail("the network was built"))
            assert reranker_fingerprint(str(folder)) == found
        weights = next(folder.glob("*.safetensors"))
        data = weights.read_bytes()
        weights.write_bytes(data[:-4] + bytes(byte ^ 0x3C for byte in data[-4:]))
        assert reranker_fingerprint(str(folder)) != found


def test_no_fingerprint_without_a_model(adapter: Make, tmp_path: Path) -> None:
    with pytest.raises(RerankerModelError, match="no model 'no/such-model'"):
        reranker_fingerprint("no/such-model")
    folder = adapter()
    settings = json.loads((folder / "quire.json").read_text())
    digest = next(name for name in settings if "digest" in name or "sha" in name or "hash" in name)
    (folder / "quire.json").write_text(json.dumps(settings | {digest: "0" * len(settings[digest])}))
    with pytest.raises(RerankerModelError):
        reranker_fingerprint(str(folder))


def test_a_name_that_is_nowhere_says_where_it_was_sought() -> None:
    with pytest.raises(RerankerModelError, match=r"no model 'no/such-model'. Looked at: .*hub"):
        load_reranker("no/such-model", device="cpu")


def test_other_models_than_rerankers_are_refused(cross_encoder: Make) -> None:
    for changes, said in (
        ({"id2label": {"0": "a", "1": "b"}}, "gives 2 numbers for a pair, expected 1"),
        ({"id2label": None}, "gives 2 numbers"),
        ({"architectures": ["BertModel"]}, "is a BertModel, expected one for sequence classification"),
        ({"architectures": None}, "is a model of no stated kind"),
    ):
        with pytest.raises(RerankerModelError, match=said):
            load_reranker(str(cross_encoder(**changes)), device="cpu")


def test_a_model_without_a_head_or_a_file_is_named(cross_encoder: Make, tiny: Any) -> None:
    root = cross_encoder()
    tiny.write_safetensors(root / "model.safetensors", tiny.body_tensors(prefix="bert."))
    with pytest.raises(RerankerModelError, match="has no classifier"):
        load_reranker(str(root), device="cpu")
    (root / "model.safetensors").unlink()
    with pytest.raises(RerankerModelError, match=r"has no model.safetensors"):
        load_reranker(str(root), device="cpu")
    root = cross_encoder()
    (root / "tokenizer.json").unlink()
    with pytest.raises(RerankerModelError, match=r"has no tokenizer.json"):
        load_reranker(str(root), device="cpu")
    root = cross_encoder()
    (root / "tokenizer_config.json").write_text("{")
    with pytest.raises(RerankerModelError, match="is not JSON"):
        load_reranker(str(root), device="cpu")


def test_a_head_without_a_pooler_is_the_classifier_alone(cross_encoder: Make, tiny: Any) -> None:
    root = cross_encoder()
    tensors = tiny.body_tensors(prefix="bert.") | tiny.head_tensors()
    del tensors["bert.pooler.dense.weight"], tensors["bert.pooler.dense.bias"]
    tiny.write_safetensors(root / "model.safetensors", tensors)
    plain = load_reranker(str(root), device="cpu").score("cat", ["mat"])
    assert plain != load_reranker(str(cross_encoder()), device="cpu").score("cat", ["mat"])


def test_a_window_is_no_longer_than_the_positions_that_there_are(cross_encoder: Make) -> None:
    assert load_reranker(str(cross_encoder(max_tokens=500)), device="cpu").max_tokens == 96


def test_a_fingerprint_is_of_what_changes_the_scores(cross_encoder: Make, tiny: Any) -> None:
    root = cross_encoder()
    first = load_reranker(str(root), device="cpu").fingerprint
    assert first == load_reranker(str(root), device="cpu", threads=1, cache=0).fingerprint
    assert first.startswith("tiny:")
    tiny.write_safetensors(
        root / "model.safetensors", tiny.body_tensors(prefix="bert.") | tiny.head_tensors(seed=7)
    )
    second = load_reranker(str(root), device="cpu").fingerprint
    tiny.write_tokenizer(root, max_tokens=40)
    third = load_reranker(str(root), device="cpu").fingerprint
    assert len({first, second, third}) == 3


def test_without_torch_it_says_what_to_install(cross_encoder: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "find_spec", lambda name: None)
    root = str(cross_encoder())
    load_reranker(root)  # a GPU is not even looked for
    for arguments, why in (({"precision": "bf16"}, "asked for in bf16"), ({"device": "cuda"}, "on a GPU")):
        with pytest.raises(MissingDependency, match=f"{why}.*torch and transformers.*quire-search\\[gpu\\]"):
            load_reranker(root, **arguments)  # type: ignore[arg-type]
    electra = str(cross_encoder(model_type="electra"))
    with pytest.raises(MissingDependency, match="its architecture is 'electra'"):
        load_reranker(electra)
    with pytest.raises(RerankerModelError, match="cannot be run in int8: its architecture is 'electra'"):
        load_reranker(electra, precision="int8")


CODE = """
import sys, reranker
loaded = [name for name in ("onnxruntime", "numpy", "torch", "tokenizers") if name in sys.modules]
scorer = reranker.load_reranker(sys.argv[1], device="cpu")
score = scorer.score("cat", ["on the mat"])[0]
print(loaded, "torch" in sys.modules, "transformers" in sys.modules, float(score))
"""


def test_a_process_that_scores_on_a_processor_never_loads_torch(adapter: Make, root: Path) -> None:
    folder = adapter()
    run = subprocess.run(
        [sys.executable, "-c", CODE, str(folder)], capture_output=True, text=True, cwd=root, check=True
    )
    expected = load_reranker(str(folder), device="cpu").score("cat", ["on the mat"])[0]
    assert run.stdout.split()[:3] == ["[]", "False", "False"]
    assert float(run.stdout.split()[3]) == pytest.approx(float(expected), abs=1e-6)
    assert run.stderr == ""


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_whatever_is_written_has_a_score(cross_encoder: Make, precision: Any) -> None:
    scorer = load_reranker(str(cross_encoder()), device="cpu", precision=precision)
    passages = ["", " ", "\x00", "\ud800", "a" * 300, "猫" * 100, "\u200b", "cat " * 500, "\n\n"]
    for query in ("", "cat", "\ud800\x00", "winter " * 100):
        scores = scorer.score(query, passages)
        assert np.isfinite(scores).all()
        assert scores.shape == (9,)
        assert scores.dtype == np.float32
    assert scorer.score("cat", []).shape == (0,)
    assert json.dumps(scorer.score("cat", ["mat"]).tolist())
