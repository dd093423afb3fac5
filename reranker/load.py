"""Loads a reranker by name: finds it, and chooses what runs it."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from indexer.encoder.load import fingerprint_of
from indexer.encoder.scripts import Scripts
from indexer.encoder.tokens import Tokens
from indexer.errors import ModelError
from reranker.cache import ScoreCache
from reranker.cross_encoder import CrossEncoder
from reranker.errors import InvalidRerankerSettings, MissingDependency, RerankerModelError
from reranker.network import Network
from reranker.scorer import PairScorer
from reranker.source import Source, open_source
from reranker.windows import Framing

_LOG = logging.getLogger(__name__)

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

    On a processor it runs on ONNX Runtime; on a GPU, in bf16, or where its architecture is one that Quire builds no
    graph for, on torch (`quire-search[gpu]`).

    Args:
        name: `default`, for the one that comes with Quire; the path of a folder, with a cross-encoder as
            sentence-transformers saves it or an adapter as `quire train` does; or a name that is sought as an
            encoder's is, in an installed package, in the hub's cache and on the hub.
        precision: `auto`, which is `fp32` on a processor and `bf16` on a GPU; either by name; or `int8`, about twice
            as fast on a processor with VNNI.
        device: `cpu`, `cuda`, or `auto`: a GPU where there is one that torch can use.
        threads: Processors for ONNX Runtime to use; 0 for all that this process may use. Torch has a setting of
            its own.
        cache: How many scores to remember; 0 for none.

    Raises:
        InvalidRerankerSettings: an argument is not one of those above, or two do not go together.
        RerankerModelError: the model is not there, or cannot be read or run.
        MissingDependency: it needs torch, and torch is not installed.
    """
    if precision not in _PRECISIONS or device not in _DEVICES or threads < 0 or cache < 0:
        raise InvalidRerankerSettings(
            f"precision is one of {', '.join(_PRECISIONS)}, device one of {', '.join(_DEVICES)}, threads and cache 0 "
            f"or more; found {precision!r}, {device!r}, {threads!r}, {cache!r}"
        )
    if precision == "int8" and device == "cuda":
        raise InvalidRerankerSettings(
            "int8 runs on the processor: ask for device='cpu', or for precision='bf16'"
        )
    try:
        return _load(name, precision, device, threads, cache)
    except ModelError as error:
        raise RerankerModelError(f"reranker {name}: {error}") from error


def reranker_fingerprint(name: str = DEFAULT_RERANKER) -> str:
    """Return the fingerprint of what `load_reranker(name)` gives, without loading it: in a tenth of a second or so.

    Raises:
        RerankerModelError: the model is not there, or its files do not belong together.
    """
    try:
        source = open_source(name, _folder(name))
        source.check()
        return _fingerprint(source, _run_as(source, "auto", "auto")[0])
    except ModelError as error:
        raise RerankerModelError(f"reranker {name}: {error}") from error


def _load(name: str, precision: Precision, device: Device, threads: int, cache: int) -> PairScorer:
    source = open_source(name, _folder(name))
    tokens = source.tokens()
    precision, on_gpu = _run_as(source, precision, device)
    if on_gpu or precision == "bf16" or source.problem:
        limit, network = _torch(source, precision, "cuda" if on_gpu else "cpu")
    else:
        limit, network = _onnx(source, tokens, int8=precision == "int8", threads=threads)
    source.check()
    fingerprint = _fingerprint(source, precision)
    return CrossEncoder(
        source.name,
        fingerprint,
        Framing(tokens, min(source.max_tokens or limit, limit)),
        Scripts(tokens),
        network,
        ScoreCache(cache, fingerprint),
        scale=source.scale,
    )


def _run_as(source: Source, precision: Precision, device: Device) -> tuple[Precision, bool]:
    """Return the precision that holds, and whether a GPU computes."""
    on_gpu = device == "cuda" or (device == "auto" and precision != "int8" and _has_gpu())
    if precision == "int8" and source.problem:
        raise RerankerModelError(
            f"{source.name} cannot be run in int8: {source.problem}; ask for precision='fp32'"
        )
    if precision == "auto":
        precision = "bf16" if on_gpu else "fp32"
    return precision, on_gpu


def _fingerprint(source: Source, precision: Precision) -> str:
    return fingerprint_of(source.name, source.parts, precision) + "+bf16" * (precision == "bf16")


def _folder(name: str) -> Path | None:
    """Return the folder that a name stands for, or None where it is to be sought as an encoder's name is."""
    if name == DEFAULT_RERANKER:
        folder = _MODELS / name
        if not folder.is_dir():
            raise RerankerModelError(
                f"the default reranker should be in {folder}, which is not there: install quire-search again, or give "
                "the path of another"
            )
        return folder
    path = Path(name).expanduser()
    return path if any((path / file).is_file() for file in ("quire.json", "adapter_config.json")) else None


def _onnx(source: Source, tokens: Tokens, *, int8: bool, threads: int) -> tuple[int, Network]:
    from indexer.encoder.architectures import shape_of
    from reranker.onnx_network import OnnxNetwork

    if source.weights is None:
        raise RerankerModelError(f"{source.name} cannot be run without torch: {source.problem}")
    shape = shape_of(source.recipe.config, source.weights)
    network = OnnxNetwork(
        source.name,
        shape,
        source.weights,
        source.head,
        tokens.vocabulary,
        types=source.types,
        int8=int8,
        threads=threads,
    )
    return shape.positions - shape.first_position, network


def _torch(source: Source, precision: Precision, device: str) -> tuple[int, Network]:
    missing = [name for name in ("torch", "transformers") if find_spec(name) is None]
    if missing:
        asked = "on a GPU" if device == "cuda" else "in bf16"
        why = source.problem or f"it was asked for {asked}"
        raise MissingDependency(f"running {source.name} ({why})", missing, "gpu")
    from reranker.torch_network import TorchNetwork

    _LOG.info("reranker %s runs on torch (%s, %s) %s", source.name, device, precision, source.problem)
    network = TorchNetwork(source, precision=precision, device=device)
    return network.places, network


def _has_gpu() -> bool:
    """Tell whether torch could use a GPU, without the seconds that importing it takes where it cannot."""
    if find_spec("torch") is None or not Path("/proc/driver/nvidia/version").exists():
        return False
    import torch

    return bool(torch.cuda.is_available())
