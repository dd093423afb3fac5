"""Loads a reranker by name: finds it, and chooses what runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias, get_args

from reranker.errors import InvalidRerankerSettings, RerankerModelError
from reranker.scorer import PairScorer

Precision: TypeAlias = Literal["auto", "fp32", "int8", "bf16"]
Device: TypeAlias = Literal["auto", "cpu", "cuda"]

DEFAULT_RERANKER = "default"

_PRECISIONS = get_args(Precision)
_DEVICES = get_args(Device)
_MODELS = Path(__file__).parent / "models"


def load_reranker(
    name: str = DEFAULT_RERANKER,
    *,
    precision: Precision = "auto",
    device: Device = "auto",
    threads: int = 0,
    cache: int = 100_000,
) -> PairScorer:
    """Find a cross-encoder and load it.

    Args:
        name: `default`, for the one that comes with Quire; the path of a folder; or a name that is sought as an
            encoder's is, in an installed package, in the hub's cache and on the hub.
        precision: `fp32`, `int8`, `bf16`, or `auto`.
        device: `cpu`, `cuda`, or `auto`: a GPU where there is one that torch can use.
        threads: Processors to use; 0 for all that this process may use.
        cache: How many scores to remember; 0 for none.

    Raises:
        InvalidRerankerSettings: an argument is not one of those above.
        RerankerModelError: the model is not there, or cannot be read or run.
    """
    if precision not in _PRECISIONS or device not in _DEVICES or threads < 0 or cache < 0:
        raise InvalidRerankerSettings(
            f"precision is one of {', '.join(_PRECISIONS)}, device one of {', '.join(_DEVICES)}, threads and cache 0 "
            f"or more; found {precision!r}, {device!r}, {threads!r}, {cache!r}"
        )
    raise RerankerModelError(f"no reranker {name!r}: {_MODELS / name} is not there")
