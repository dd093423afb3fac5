"""An adapter folder: what fine-tuning changed of a base model, merged into it without torch.

    adapter_config.json        peft's own: r, lora_alpha, use_rslora, rank_pattern, alpha_pattern, ...
    adapter_model.safetensors  lora_A and lora_B of each changed matrix, and in full what peft's modules_to_save
                               names: the head (`classifier`), and the pooler where it was trained
    quire.json                 {"format": 1,
                                "base": "all-MiniLM-L6-v2",      as `indexer.encoder.locate` finds it
                                "base_digest": "53aa...",        sha256 of the base's weights file, hexadecimal
                                "max_tokens": 256,               of a window, special tokens included
                                "pooling": "match",              or "pooler"; see below
                                "scale": 1.0,                    the score is this times the logit; 1 if left out
                                "layers": [0, 2, 5]}             the base's layers in use; all if left out

Pooling is what the head makes a score of: with `match` the states of the query's and of the passage's tokens, compared
(`reranker.match`; the tensors of the head are `classifier.match.weight` and so on); with `pooler` the first token's, by
BERT's own head, a dense layer and tanh, then the classifier.

A matrix W of the base becomes W + s·B·A with s = alpha / r, or alpha / sqrt(r) (LoRA, Hu et al. 2021, section 4.1;
rsLoRA, Kalajdzievski 2023). Names are those of transformers, with or without what peft and the classification model
put before them.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.encoder.weights import Safetensors
from indexer.encoding import Vectors
from indexer.errors import ModelError
from reranker.errors import RerankerModelError

FORMAT = 1
POOLINGS = ("match", "pooler")
CONFIG, WEIGHTS, SETTINGS = "adapter_config.json", "adapter_model.safetensors", "quire.json"

_BLOCK, _SMALL = 8, 1 << 18  # OpenBLAS: interface/gemm.c, one thread up to 4 x 65,536 multiplications
_AGAIN = "fetch or train it again"
_BEFORE = re.compile(r"^(base_model\.|model\.|bert\.|roberta\.|distilbert\.|mpnet\.)+")
_WRAPPED = re.compile(r"\.(base_layer|modules_to_save\.\w+|original_module)\b")
_LORA = re.compile(r"^(?P<module>.+)\.lora_(?P<which>[AB])(\.\w+)?\.weight$")
_LAYER = re.compile(r"^((?:encoder\.layer|transformer\.layer)\.)(\d+)\.")


@dataclass(frozen=True, slots=True)
class AdapterSettings:
    """What `quire.json` of an adapter folder says."""

    base: str
    base_digest: str
    max_tokens: int
    pooling: str
    scale: float
    layers: tuple[int, ...] | None


def read_settings(folder: Path) -> AdapterSettings:
    """Return what an adapter folder says of itself.

    Raises:
        RerankerModelError: a value is missing, impossible, or of a later format.
    """
    path = folder / SETTINGS
    values = _read(path)
    if values.get("format") != FORMAT:
        raise RerankerModelError(
            f"{path}: is of format {values.get('format')!r}, and this release reads {FORMAT}: install the release that "
            "it was made with, or train it again"
        )
    layers = values.get("layers")
    scale = values.get("scale", 1.0)
    found = {key: values.get(key) for key in ("base", "base_digest", "max_tokens", "pooling")}
    wrong = [key for key in ("base", "base_digest") if not (isinstance(found[key], str) and found[key])]
    wrong += [] if _whole(found["max_tokens"]) and found["max_tokens"] else ["max_tokens"]
    wrong += [] if found["pooling"] in POOLINGS else ["pooling"]
    wrong += [] if isinstance(scale, int | float) and math.isfinite(scale) and scale > 0 else ["scale"]
    fits = layers is None or (isinstance(layers, list) and layers and all(map(_whole, layers)))
    wrong += [] if fits else ["layers"]
    if wrong:
        shown = ", ".join(f"{key}: {values.get(key)!r}" for key in wrong)
        raise RerankerModelError(
            f"{path}: expected base and base_digest (text), max_tokens (a number over 0), pooling (one of "
            f"{', '.join(POOLINGS)}), scale (over 0) and layers (numbers, or left out); found {shown}; {_AGAIN}"
        )
    return AdapterSettings(
        str(found["base"]),
        str(found["base_digest"]),
        int(found["max_tokens"] or 0),
        str(found["pooling"]),
        float(scale),
        None if layers is None else tuple(layers),
    )


def digest_of(paths: Sequence[Path]) -> str:
    """Return the sha256 of weights files, hexadecimal; several are taken as if they were one.

    Raises:
        RerankerModelError: one cannot be read.
    """
    digest = hashlib.sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                while block := file.read(1 << 22):
                    digest.update(block)
        except OSError as error:
            raise RerankerModelError(f"{path}: the weights cannot be read ({error}); {_AGAIN}") from error
    return digest.hexdigest()


class MergedWeights:
    """The base's tensors with an adapter's changes, under the names that a bare body has.

    Args:
        base: The base's tensors.
        folder: The adapter's folder.
        layers: The base's layers in use, in order; None for all.

    Raises:
        RerankerModelError: the folder's files are missing or damaged, or a change is of a kind that is not known.
    """

    def __init__(self, base: Safetensors, folder: Path, layers: Sequence[int] | None = None) -> None:
        self._folder = folder
        self._config = _lora_config(folder / CONFIG)
        self._base = base
        self._layers = layers
        self._base_names = {_bare(name): name for name in base}
        self._own = _adapter_tensors(folder / WEIGHTS)
        self._saved: dict[str, str] = {}
        self._pairs: dict[str, dict[str, str]] = {}
        for name in self._own:
            match = _LORA.match(_bare(name))
            if match:
                self._pairs.setdefault(f"{match['module']}.weight", {})[match["which"]] = name
            elif "lora_" in name:
                raise RerankerModelError(
                    f"{folder / WEIGHTS}: holds {name}, a kind of change that is not known here: train with LoRA of "
                    "linear layers"
                )
            else:
                self._saved[_bare(name)] = name
        for name, pair in self._pairs.items():
            if set(pair) != {"A", "B"}:
                raise RerankerModelError(
                    f"{folder / WEIGHTS}: of {name} only lora_{min(pair)} is there; {_AGAIN}"
                )
            if self._place(name) not in self._base_names:
                raise RerankerModelError(
                    f"{folder / WEIGHTS}: changes {name}, which the base has not: they are of different models"
                )

    def __contains__(self, name: object) -> bool:
        return name in self._saved or (isinstance(name, str) and self._place(name) in self._base_names)

    def tensor(self, name: str, shape: Sequence[int]) -> Vectors:
        """Return a tensor as float32, having checked its shape."""
        if name in self._saved:
            return self._own.tensor(self._saved[name], shape)
        whole = self._base.tensor(self._base_name(name), shape)
        if name not in self._pairs:
            return whole
        merged = self._change(name, shape)
        merged += whole
        return merged

    def rows(self, name: str, rows: NDArray[np.int64]) -> Vectors:
        """Return the rows of a matrix as float32, shape (*rows.shape, columns)."""
        if name in self._saved:
            return self._own.rows(self._saved[name], rows)
        if name in self._pairs:
            return self.tensor(name, self.table(name))[rows]
        return self._base.rows(self._base_name(name), rows)

    def table(self, name: str) -> tuple[int, int]:
        """Return the rows and columns of a matrix."""
        if name in self._saved:
            return self._own.table(self._saved[name])
        return self._base.table(self._base_name(name))

    def _change(self, name: str, shape: Sequence[int]) -> Vectors:
        a, b = self._pairs[name]["A"], self._pairs[name]["B"]
        rank = self._own.table(a)[0]
        module = name.removesuffix(".weight")
        alpha = _by_pattern(self._config.get("alpha_pattern"), module, self._config["lora_alpha"])
        scale = alpha / (math.sqrt(rank) if self._config.get("use_rslora") else rank)
        rows, columns = shape
        scaled = np.float32(scale) * self._own.tensor(b, (rows, rank))
        return _product(scaled, self._own.tensor(a, (rank, columns)))

    def _base_name(self, name: str) -> str:
        place = self._place(name)
        if place not in self._base_names:
            raise ModelError(f"{self._folder}: neither the adapter nor its base holds a tensor {name}")
        return self._base_names[place]

    def _place(self, name: str) -> str:
        """Return the name that a layer's tensor has in the base, where not all its layers are in use."""
        match = _LAYER.match(name) if self._layers is not None else None
        if match is None or self._layers is None or int(match[2]) >= len(self._layers):
            return name
        return f"{match[1]}{self._layers[int(match[2])]}.{name[match.end() :]}"


def _product(left: Vectors, right: Vectors) -> Vectors:
    """Return `left @ right` from products so small that BLAS puts no second thread to them.

    Its threads wait for each other by spinning: on a machine that is busy a merge took 0.8 s, and so takes 0.03 s.
    """
    (rows, rank), columns = left.shape, right.shape[1]
    out = np.empty((rows, columns), np.float32)
    block = math.gcd(rows, _BLOCK)
    width = max(1, _SMALL // (rank * block))
    for start in range(0, columns, width):
        at = slice(start, start + width)
        np.matmul(left.reshape(-1, block, rank), right[:, at], out=out.reshape(-1, block, columns)[:, :, at])
    return out


def _adapter_tensors(path: Path) -> Safetensors:
    try:
        return Safetensors([path])
    except ModelError as error:
        raise RerankerModelError(f"{error}") from error


def _lora_config(path: Path) -> Mapping[str, Any]:
    config = _read(path)
    kind = config.get("peft_type")
    if kind != "LORA" or config.get("use_dora") or config.get("fan_in_fan_out"):
        what = "DoRA" if config.get("use_dora") else repr(kind)
        raise RerankerModelError(
            f"{path}: is an adapter of kind {what}, expected plain LoRA of linear layers"
        )
    alpha = config.get("lora_alpha")
    if not isinstance(alpha, int | float) or not math.isfinite(alpha):
        raise RerankerModelError(f"{path}: lora_alpha is {alpha!r}, expected a number; {_AGAIN}")
    return config


def _by_pattern(patterns: object, module: str, default: float) -> float:
    """Return the value of the first pattern that matches the end of a module's name, as peft reads them."""
    for pattern, value in patterns.items() if isinstance(patterns, dict) else ():
        if re.match(rf"(.*\.)?({pattern})$", module):
            return float(value)
    return float(default)


def _bare(name: str) -> str:
    return _BEFORE.sub("", _WRAPPED.sub("", name))


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _read(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RerankerModelError(f"{path}: cannot be read ({error.strerror}); {_AGAIN}") from error
    except ValueError as error:
        raise RerankerModelError(f"{path}: is not JSON ({error}); {_AGAIN}") from error
    if not isinstance(value, dict):
        raise RerankerModelError(f"{path}: expected a JSON object, found {type(value).__name__}; {_AGAIN}")
    return value
