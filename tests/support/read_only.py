"""Run a command as in a container: on a file system that cannot be written to, but for one folder, without rights."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

# In a mount namespace of its own: the root turns read-only, and the scratch folder is new and in memory.
_SCRIPT = """
set -e
mount -t tmpfs -o mode=1777 scratch "$1"
mount -o remount,bind,ro /
shift
exec "$@"
"""
_WITHOUT_RIGHTS = ("setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all")
_OTHER = 10001


def run_read_only(
    words: Sequence[str], scratch: Path, environment: Mapping[str, str], timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run a command; where the machine does not allow this, on the file system as it is.

    Args:
        words: The command.
        scratch: An empty folder, the only one that can be written to.
        environment: All of its environment.
        timeout: Seconds.
    """
    return subprocess.run(
        [*_prefix(str(scratch)), *words],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        cwd=scratch,
    )


def start_read_only(
    words: Sequence[str], scratch: Path, environment: Mapping[str, str]
) -> subprocess.Popen[str]:
    """Start a command as `run_read_only` runs one."""
    return subprocess.Popen(
        [*_prefix(str(scratch)), *words],
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        cwd=scratch,
    )


def owner() -> str:
    """Return who runs the command, as `chown` takes it: another user, where root may become one that has Python."""
    return f"{_OTHER}:{_OTHER}" if _as_another() else f"{os.geteuid()}:{os.getegid()}"


def can_be_read_only() -> bool:
    """Whether this machine lets file systems be made read-only for one process."""
    return bool(_unsharing())


@cache
def _unsharing() -> tuple[str, ...]:
    if not shutil.which("unshare") or not shutil.which("setpriv"):
        return ()
    how = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--mount")
    tried = subprocess.run([*how, "mount", "-o", "remount,bind,ro", "/"], capture_output=True, check=False)
    return how if tried.returncode == 0 else ()


@cache
def _as_another() -> tuple[str, ...]:
    words = (f"--reuid={_OTHER}", f"--regid={_OTHER}", "--clear-groups")
    if os.geteuid() != 0 or not _unsharing():
        return ()
    script = 'exec "$0" -c "import encodings"'
    tried = subprocess.run(
        [*_WITHOUT_RIGHTS, *words, "sh", "-c", script, sys.executable],
        capture_output=True,
        check=False,
        cwd="/",
    )
    return words if tried.returncode == 0 else ()


def _prefix(scratch: str) -> list[str]:
    how = _unsharing()
    if not how:
        return []
    return [*how, "sh", "-c", _SCRIPT, "sh", scratch, *_WITHOUT_RIGHTS, *_as_another()]
