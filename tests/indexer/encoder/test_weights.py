import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from indexer.encoder.weights import Safetensors, sample_digest
from indexer.errors import ModelError

Write = Callable[[Path, dict[str, np.ndarray]], None]


@pytest.fixture
def whole(tmp_path: Path, rewrite_tensors: Write) -> Path:
    path = tmp_path / "model.safetensors"
    rewrite_tensors(path, {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(4, np.float32)})
    return path


def test_tensors_come_back(whole: Path) -> None:
    tensors = Safetensors([whole])
    assert tensors.tensor("a", (2, 3)).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert tensors.rows("a", np.array([[1, 1, 0]])).tolist() == [[[3, 4, 5], [3, 4, 5], [0, 1, 2]]]
    assert tensors.table("a") == (2, 3)
    assert "b" in tensors
    assert "c" not in tensors


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_the_library_writes_what_is_read(tmp_path: Path, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    save_file = pytest.importorskip("safetensors.torch").save_file
    values = torch.randn(5, 3, generator=torch.Generator().manual_seed(3)).to(getattr(torch, dtype))
    save_file({"x": values, "ids": torch.arange(3)}, tmp_path / "m.safetensors")
    tensors = Safetensors([tmp_path / "m.safetensors"])
    assert np.array_equal(tensors.tensor("x", (5, 3)), values.float().numpy())
    assert "ids" not in tensors


def test_shards_are_one_model(tmp_path: Path, whole: Path, rewrite_tensors: Write) -> None:
    second = tmp_path / "second.safetensors"
    rewrite_tensors(second, {"c": np.zeros(2, np.float32)})
    assert set(Safetensors([whole, second])) == {"a", "b", "c"}


def test_each_kind_of_damage_is_named(tmp_path: Path, whole: Path) -> None:
    data = whole.read_bytes()
    header = int.from_bytes(data[:8], "little")
    cases = {
        b"": "cannot be read",
        data[:5]: "do not begin",
        b"\xff" * 8 + data[8:]: "do not begin",
        data[:8] + b"x" + data[9:]: "header of the weights is damaged",
        data[:-1]: "cut short",
        data[:8] + json.dumps({"a": {"dtype": "F32"}}).encode().ljust(header) + data[8 + header :]: "damaged",
        data[:8] + json.dumps([1]).encode().ljust(header) + data[8 + header :]: "damaged",
        data.replace(b'"shape": [4]', b'"shape": [5]'): "has 16 bytes",
    }
    for damaged, message in cases.items():
        whole.write_bytes(damaged)
        with pytest.raises(ModelError, match=message):
            Safetensors([whole])
    with pytest.raises(ModelError, match="cannot be read"):
        Safetensors([tmp_path / "absent.safetensors"])


def test_a_wrong_shape_and_a_missing_tensor_are_named(whole: Path) -> None:
    tensors = Safetensors([whole])
    with pytest.raises(ModelError, match=r"tensor a has shape \[2, 3\].*\[3, 2\]"):
        tensors.tensor("a", (3, 2))
    with pytest.raises(ModelError, match="no tensor c"):
        tensors.tensor("c", (1,))
    with pytest.raises(ModelError, match="expected a matrix"):
        tensors.table("b")


def test_the_digest_sees_a_change_of_any_tensor(whole: Path, rewrite_tensors: Write) -> None:
    digests = {sample_digest([whole])}
    for change in ({"a": np.ones((2, 3), np.float32)}, {"b": np.zeros(4, np.float32)}):
        rewrite_tensors(
            whole, {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(4, np.float32)} | change
        )
        digests.add(sample_digest([whole]))
    assert len(digests) == 3


def test_the_digest_sees_a_bias_that_lies_between_its_samples(tmp_path: Path, rewrite_tensors: Write) -> None:
    digests = set()
    for bias in (0.0, 1.0):
        path = tmp_path / f"{bias}.safetensors"
        matrices = {name: np.zeros((1024, 4096), np.float32) for name in ("a", "c")}
        tensors = {"a": matrices["a"], "b": np.full(64, bias, np.float32), "c": matrices["c"]}
        rewrite_tensors(path, {"d": np.zeros(300_000, np.float32)} | tensors)
        digests.add(sample_digest([path]))
    assert len(digests) == 2
