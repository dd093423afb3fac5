"""Linters of other files than Python's, which come with the group `dev`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def run_linter(name: str, *words: str) -> None:
    """Run a linter that must find nothing; skips, saying so, where it is not installed.

    Raises:
        AssertionError: it found something; the message is its own.
    """
    beside = Path(sys.executable).parent
    program = shutil.which(name, path=os.pathsep.join([str(beside), os.environ.get("PATH", "")]))
    if program is None:
        pytest.skip(f"no {name} here: it comes with the dependency group `dev`")
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{name} found:\n{done.stdout}{done.stderr}"
