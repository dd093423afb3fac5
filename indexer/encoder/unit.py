"""Vectors at length 1, whatever ran the model."""

from __future__ import annotations

import numpy as np

from indexer.encoding import Vectors
from indexer.errors import ModelError


def unit(vectors: Vectors, name: str) -> Vectors:
    """Return `vectors` at length 1, float32, shape (n, dim).

    Raises:
        ModelError: one is not finite or of no length, which only damaged weights bring about.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or not (lengths > 0).all():
        raise ModelError(
            f"{name}: gave a vector that is not finite: its weights are damaged, fetch the model again"
        )
    return np.asarray(vectors / lengths, dtype=np.float32)
