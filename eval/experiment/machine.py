"""Where an experiment was run: processor, cores, memory; Python and the libraries that decide speed and results."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from eval.experiment.fingerprint import LIBRARIES, library_versions

_CPUINFO = Path("/proc/cpuinfo")


def machine() -> str:
    """Return processor, cores, memory and system in a line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    noun = "core" if cores == 1 else "cores"
    return f"{_processor()}, {cores} {noun}, {memory:.0f} GiB, {platform.system()}"


def _processor() -> str:
    if _CPUINFO.is_file():
        for line in _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Return the versions of Quire, of Python and of the libraries that matter here."""
    return {
        **library_versions(("quire-search",)),
        "python": platform.python_version(),
        **library_versions((*LIBRARIES, "ir-measures", "scipy")),
    }
