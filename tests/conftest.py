"""What every test starts from: no network, no caches of the user's, no chance, and the data sets if they are there."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from elasticsearch_server import Cluster, NoServer, can_be_had, drop
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
    name
    for name in os.environ
    if name.startswith(
        ("QUIRE_INDEXING_", "QUIRE_READING_", "QUIRE_SEARCH_", "QUIRE_ELASTICSEARCH_", "QUIRE_SERVICE_")
    )
]:
    del os.environ[name]
os.environ.pop("QUIRE_CONFIG", None)


def pytest_configure(config: pytest.Config) -> None:
    """Make marks known, for `-m`."""
    config.addinivalue_line("markers", "elasticsearch: asks a real server")
    config.addinivalue_line("markers", "faults: kills and pauses nodes of an Elasticsearch of three")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Packed bytes hold the time they were packed at, and the name of a test is the same in every process."""
    return argname if isinstance(val, bytes) and not val.isascii() else None


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


@pytest.fixture(scope="session")
def elasticsearch_url() -> Iterator[str]:
    """Where a real Elasticsearch answers; skips, saying so, where there is none and none can be started."""
    given = os.environ.get("QUIRE_TEST_ELASTICSEARCH_URL")
    if given:
        yield given.rstrip("/")
        return
    server = _started(1)
    yield server.url
    server.stop()


@pytest.fixture(scope="module")
def elasticsearch_cluster() -> Iterator[Cluster]:
    """Three nodes of our own, to be killed and paused; skips, saying so, where they cannot be started.

    They notice sooner than usual that one of them hangs.
    """
    words = []
    for check in ("follower_check", "leader_check"):
        for name, value in (("interval", "500ms"), ("timeout", "4s"), ("retry_count", "2")):
            words += ["--set", f"cluster.fault_detection.{check}.{name}={value}"]
    cluster = _started(3, *words)
    yield cluster
    cluster.stop()


def _started(nodes: int, *words: str) -> Cluster:
    try:
        return Cluster(nodes, words=words)
    except NoServer as missing:
        pytest.skip(str(missing))


@pytest.fixture
def elasticsearch_address(elasticsearch_url: str) -> Iterator[Callable[[], str]]:
    """Gives addresses of indexes that are not there yet; drops them after the test."""
    prefix = f"quire-test-{uuid.uuid4().hex[:12]}"
    given: list[str] = []

    def fresh() -> str:
        given.append(f"{prefix}-{len(given)}")
        scheme, place = elasticsearch_url.split("://")
        return f"elasticsearch{'' if scheme == 'http' else '+https'}://{place}/{given[-1]}"

    yield fresh
    drop(elasticsearch_url, prefix)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where the whole check runs, a test of Elasticsearch is skipped for want of a server alone."""
    report = yield
    asked = {"elasticsearch_url", "elasticsearch_cluster"} & set(getattr(item, "fixturenames", ()))
    asked |= {mark.name for mark in item.iter_markers("elasticsearch")}
    if asked and report.skipped and os.environ.get("QUIRE_TEST_ELASTICSEARCH_REQUIRED"):
        own = any(mark.kwargs.get("own") for mark in item.iter_markers("elasticsearch"))
        if not can_be_had(own=own or "elasticsearch_cluster" in asked):
            return report
        report.outcome = "failed"
        report.longrepr = f"skipped, though a server can be had here: {report.longrepr}"
    return report
