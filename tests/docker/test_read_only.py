"""The file system on which the containers' commands are run outside of one really is read-only."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from read_only import can_be_read_only, run_read_only

WRITE = "import pathlib, sys; pathlib.Path(sys.argv[1], 'x').write_text('x')"


@pytest.mark.parametrize("inside", [True, False])
def test_one_folder_can_be_written_to(tmp_path: Path, inside: bool) -> None:
    if not can_be_read_only():
        pytest.skip("this machine lets nobody make a file system read-only: commands run on it as it is")
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    scratch, other = tmp_path / "scratch", tmp_path / "other"
    for folder in (scratch, other):
        folder.mkdir()
        folder.chmod(0o777)
    target = scratch if inside else other
    done = run_read_only([sys.executable, "-c", WRITE, str(target)], scratch, {"PATH": "/usr/bin:/bin"})
    assert (done.returncode == 0) == inside, done.stderr
    assert inside or "Read-only file system" in done.stderr
    assert not list(other.iterdir())
