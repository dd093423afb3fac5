"""Whether a writer that left a note of itself is still alive, as far as one machine can tell about another."""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path

_ours: set[str] = set()


@cache
def machine() -> str:
    """Return what tells this machine, its start, and the container we are in, from others."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        boot = space = ""
    return f"{socket.gethostname()} {boot} {space}"


def worker() -> str:
    """Return the name of this process: its host and its number."""
    return f"{socket.gethostname()} {os.getpid()}"


def hold(note: str) -> None:
    """Say that a note of this process is about something that is at work in it."""
    _ours.add(note)


def release(note: str) -> None:
    """Say that what a note of this process is about has come to its end."""
    _ours.discard(note)


def is_gone(note: str, its_worker: str, its_machine: str) -> bool:
    """Return whether the writer of a note is certainly dead: a process of this machine that is no more.

    Args:
        note: What the note is called.
        its_worker: Its `worker()`.
        its_machine: Its `machine()`.
    """
    process = its_worker.rpartition(" ")[2]
    if its_machine != machine() or " " not in its_machine.strip() or not process.isdigit():
        return False
    if int(process) == os.getpid():
        return note not in _ours
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
