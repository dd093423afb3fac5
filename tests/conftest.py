"""What every test starts from: no network, no caches of the user's, no chance, and the data sets if they are there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from reranker.overlap import OverlapScorer

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile(
    "quire",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("quire")

# Before any module reads them: encoders look at these when they are loaded.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
for name in [
    name for name in os.environ if name.startswith(("QUIRE_INDEXING_", "QUIRE_READING_", "QUIRE_SEARCH_"))
]:
    del os.environ[name]
os.environ.pop("QUIRE_CONFIG", None)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["QUIRE_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session", autouse=True)
def _no_default_reranker() -> Iterator[None]:
    """The default cross-encoder costs a second a search, and tests of everything else have no use for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.reranking._default", OverlapScorer)
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def datasets() -> Path:
    """The folder of test collections; skips, saying so, where it is absent."""
    folder = Path(os.environ.get("QUIRE_DATASETS") or ROOT.parent / "shared" / "datasets")
    if not folder.is_dir():
        pytest.skip(f"no data sets: {folder} is not a folder (name one in QUIRE_DATASETS)")
    return folder
