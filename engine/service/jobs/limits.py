"""What a process that reads files of strangers may use: memory, time, disk, and nothing besides."""

from __future__ import annotations

import errno
import os
import resource
import signal
import sys
from dataclasses import dataclass

from engine.service.settings import ServiceSettings

MEBIBYTE = 1 << 20
_FILES = 64
_PAGE = resource.getpagesize()
_DEATH_SIGNAL, _NO_NEW_PRIVILEGES = 1, 38  # of prctl(2)
_NEW_USERS, _NEW_NETWORK = 0x10000000, 0x40000000  # of unshare(2)
_FORBIDDEN = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "os.kill",
    "pty.",
)
"""Audit events, by how they begin, that no reader of documents has a use for."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass(frozen=True, slots=True)
class Limits:
    """What the reading of one file may use.

    Args:
        seconds: Of processor time.
        wall_seconds: Of time, after which the process is ended from outside.
        megabytes: Of memory, beyond what the process has before it opens a file; and of text that comes out of it.
        total_megabytes: Of text that all files of a job may give.
    """

    seconds: int
    wall_seconds: float
    megabytes: int
    total_megabytes: int

    @classmethod
    def of(cls, settings: ServiceSettings) -> Limits:
        """Return the limits that are configured."""
        return cls(
            settings.parse_seconds,
            10.0 + 5.0 * settings.parse_seconds,  # niced, beside searches, it may get a fifth of a processor
            settings.parse_mb,
            10 * settings.parse_mb,
        )


class Sandbox:
    """Holds this process to its limits, from when it is made until the end.

    Args:
        limits: The limits.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        _leave_network()
        _lower(resource.RLIMIT_CORE, 0)
        _lower(resource.RLIMIT_NOFILE, _FILES)
        _lower(resource.RLIMIT_NPROC, 0)
        self._own = memory()
        _lower(resource.RLIMIT_AS, self._own + limits.megabytes * MEBIBYTE)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        sys.addaudithook(_refuse)

    def renew(self, written: int) -> None:
        """Give the next file its own time, and its own room on the disk.

        Args:
            written: Bytes that the output has already.
        """
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = int(used.ru_utime + used.ru_stime) + 1 + self._limits.seconds
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        room = min(self._limits.megabytes * MEBIBYTE, self._limits.total_megabytes * MEBIBYTE - written)
        resource.setrlimit(
            resource.RLIMIT_FSIZE, (written + max(room, 0), resource.getrlimit(resource.RLIMIT_FSIZE)[1])
        )

    @property
    def worn(self) -> bool:
        """Whether files read before have left so much behind that a new process should go on."""
        return memory() - self._own > self._limits.megabytes * MEBIBYTE // 2


def memory() -> int:
    """Return how many bytes of address space this process has."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * _PAGE


def _lower(which: int, value: int) -> None:
    """Lower a limit for good; one that is lower already stays."""
    hard = resource.getrlimit(which)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))


def die_with(parent: int) -> None:
    """Have the kernel end this process when its parent ends; end at once if it has.

    Args:
        parent: The process that started this one.
    """
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _leave_network() -> None:
    """Leave for a network of its own, without any interface, where the kernel lets this user do so."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if libc.unshare(_NEW_NETWORK) and os.geteuid():
        libc.unshare(_NEW_USERS | _NEW_NETWORK)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open":
        flags = arguments[2]
        if not isinstance(flags, int) or not flags & _WRITING:
            return
    elif not event.startswith(_FORBIDDEN):
        return
    raise PermissionError(errno.EPERM, f"the process that reads documents may not do this: {event}")
