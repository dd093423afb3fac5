"""An index of a small corpus."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer.index import Index
from small_corpus import CountingEncoder, make_document


@pytest.fixture
def encoder() -> CountingEncoder:
    return CountingEncoder()


@pytest.fixture
def filled(tmp_path: Path, encoder: CountingEncoder) -> Callable[[int], Index]:
    """A function that makes an index of so many documents."""

    def fill(count: int) -> Index:
        index = Index.create(tmp_path / "index", encoder=encoder)
        with index.writer() as writer:
            for number in range(count):
                writer.add(make_document(number))
        return index

    return fill


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB of which 3 MB are taken by the file `ballast`."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(disk)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    try:
        (disk / "ballast").write_bytes(bytes(3_000_000))
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
