"""What a service is made of its configuration."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.configuration import load
from engine.errors import InvalidSearchSettings, NoSuchIndex, SearchError
from engine.service.service import Service
from indexer.encoder import HashingEncoder
from indexer.index import Index


@pytest.mark.parametrize(
    ("seconds", "budget", "expected"), [(30, None, 15_000), (30, 20_000, 15_000), (30, 400, 400), (1, 0, 0)]
)
def test_reranking_ends_while_somebody_waits(
    tmp_path: Path, index: Index, seconds: int, budget: int | None, expected: int
) -> None:
    shutil.copytree(index.path, tmp_path / "index")
    options: dict[str, tuple[str, object]] = {
        "service.request_seconds": ("", seconds),
        "search.budget_ms": ("", budget),
    }
    configuration = load(environ={"HOME": str(tmp_path)}, options=options, folder=tmp_path)
    with Service.open(tmp_path / "index", configuration=configuration, encoder=HashingEncoder(32)) as service:
        assert service.engines.of("default").settings.budget_ms == expected
        assert service.engines.of("other").settings.budget_ms == expected
        assert service.state == tmp_path / "index" / "service"


def test_what_cannot_be_opened(tmp_path: Path, index: Index) -> None:
    with pytest.raises(NoSuchIndex):
        Service.open(tmp_path / "nowhere", configuration=load(environ={}, folder=tmp_path))
    with pytest.raises(SearchError, match="no place of an index"):
        Service.open("gopher://books", configuration=load(environ={}, folder=tmp_path))
    shutil.copytree(index.path, tmp_path / "index")
    for name, value, fault in (
        ("trusted_proxies", ("nobody",), InvalidSearchSettings),
        ("state", str(tmp_path / "index" / "manifest.json"), SearchError),
    ):
        configuration = load(environ={}, options={f"service.{name}": ("", value)}, folder=tmp_path)
        with pytest.raises(fault):
            Service.open(tmp_path / "index", configuration=configuration, encoder=HashingEncoder(32))
