"""Eight-bit weights: one scale for each output channel.

One scale for a whole matrix lets its largest row drown the others and ruins the vectors; a scale for each
row keeps them within half a step of that row's own range.
"""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.encoding import Vectors


def per_channel(weight: Vectors) -> tuple[NDArray[np.int8], Vectors]:
    """Return `weight` in 8 bits, transposed, and its scales.

    Args:
        weight: A linear layer's matrix, float32, shape (out, in).

    Returns:
        int8 of shape (in, out) and float32 of shape (out,): `values * scales` is about `weight.T`.
    """
    limit = _limit()
    scales = np.maximum(np.abs(weight).max(axis=1), np.float32(1e-12)) / np.float32(limit)
    values = np.rint(weight / scales[:, None]).astype(np.int8)
    return np.ascontiguousarray(values.T), scales.astype(np.float32)


@cache
def _limit() -> int:
    """Return the largest value to use: x86 processors without VNNI overflow 16 bits when summing 8-bit pairs."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return 127
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return 63
    return 127 if "vnni" in flags else 63
