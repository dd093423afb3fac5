"""Jobs over a small index of the test's own, with real processes that read and index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.service.jobs import Jobs
from engine.service.settings import ServiceSettings
from indexer.document import Document
from indexer.encoder import HashingEncoder
from indexer.index import Index


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An index of three documents."""
    with Index.create(tmp_path / "index", encoder=HashingEncoder(32)) as index, index.writer() as writer:
        for name in ("one", "two", "three"):
            writer.add(Document(name, f"the harbour of {name}"))
    return tmp_path / "index"


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    """A folder that jobs may read."""
    folder = tmp_path / "roots"
    folder.mkdir()
    return folder


@pytest.fixture
def make_jobs(tmp_path: Path, place: Path, roots: Path) -> Iterator[Callable[..., Jobs]]:
    """Make the jobs of services over one index; values are those of `ServiceSettings`."""
    made: list[Jobs] = []

    def make(start: bool = True, **values: Any) -> Jobs:
        settings = ServiceSettings(**({"roots": (str(roots),), "parse_seconds": 20} | values))
        jobs = Jobs.open(tmp_path / "state", place, settings, indexing="hashing_indexing")
        made.append(jobs)
        if start:
            jobs.start()
        return jobs

    yield make
    for jobs in made:
        jobs.close()


@pytest.fixture
def jobs(make_jobs: Callable[..., Jobs]) -> Jobs:
    """Jobs that are being done."""
    return make_jobs()
