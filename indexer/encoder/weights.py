"""A model's numbers, read from safetensors files without loading them: memory maps and a JSON header."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import prod
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.encoding import Vectors
from indexer.errors import ModelError

_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
_AGAIN = "fetch the model again, or give the path of a whole copy"
_MAX_HEADER = 100_000_000
_SAMPLE, _SAMPLES = 1 << 16, 32


class Weights(Protocol):
    """Named tensors."""

    def __contains__(self, name: object) -> bool:
        """Tell whether there is a tensor of this name."""
        ...

    def tensor(self, name: str, shape: Sequence[int]) -> Vectors:
        """Return a tensor as float32, having checked its shape. A view of the file where that can be."""
        ...

    def rows(self, name: str, rows: NDArray[np.int64]) -> Vectors:
        """Return the rows of a matrix as float32, shape (*rows.shape, columns)."""
        ...

    def table(self, name: str) -> tuple[int, int]:
        """Return the rows and columns of a matrix."""
        ...


@dataclass(frozen=True, slots=True)
class _Entry:
    path: Path
    dtype: str
    shape: tuple[int, ...]
    data: NDArray[Any]


class Safetensors:
    """The tensors of one or more safetensors files (format: https://huggingface.co/docs/safetensors).

    Args:
        paths: The files; shards of one model are given together.

    Raises:
        ModelError: a file cannot be read, or is not a whole safetensors file.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = tuple(paths)
        self._entries: dict[str, _Entry] = {}
        for path in self._paths:
            self._entries.update(_entries(path))

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def tensor(self, name: str, shape: Sequence[int]) -> Vectors:
        """Return a tensor as float32, having checked its shape. A view of the file where that can be."""
        entry = self._entry(name)
        if entry.shape != tuple(shape):
            raise ModelError(
                f"{entry.path}: tensor {name} has shape {list(entry.shape)}; the model's config.json asks "
                f"for {list(shape)}: weights and config.json are of different models"
            )
        return _float32(entry.data.reshape(entry.shape), entry.dtype)

    def rows(self, name: str, rows: NDArray[np.int64]) -> Vectors:
        """Return the rows of a matrix as float32, shape (*rows.shape, columns)."""
        entry = self._entry(name)
        return _float32(entry.data.reshape(entry.shape)[rows], entry.dtype)

    def table(self, name: str) -> tuple[int, int]:
        """Return the rows and columns of a matrix."""
        shape = self._entry(name).shape
        if len(shape) != 2:
            raise ModelError(f"{self._paths[0]}: {name} has shape {list(shape)}, expected a matrix; {_AGAIN}")
        return shape[0], shape[1]

    def _entry(self, name: str) -> _Entry:
        if name not in self._entries:
            raise ModelError(f"{self._paths[0]}: there is no tensor {name}; {_AGAIN}")
        return self._entries[name]


def sample_digest(paths: Sequence[Path]) -> bytes:
    """Return a hash of safetensors files: sizes, headers, every small tensor, and 2 MiB sampled from the rest.

    A whole hash would cost every start a tenth of a second. What it would see and this does not is a change
    to large matrices that touches none of the 32 samples.

    Raises:
        ModelError: a file cannot be read, or is not a whole safetensors file.
    """
    digest = blake2b(digest_size=16)
    for path in paths:
        try:
            size = path.stat().st_size
            digest.update(size.to_bytes(8, "big"))
            with path.open("rb") as file:
                header = min(int.from_bytes(file.read(8), "little"), size)
                digest.update(file.read(header))
                for place in range(_SAMPLES):
                    file.seek(8 + header + max(0, size - 8 - header) * place // _SAMPLES)
                    digest.update(file.read(_SAMPLE))
            for _, entry in _entries(path):
                if entry.data.nbytes <= _SAMPLE:  # biases and norms, which some training changes alone
                    digest.update(entry.data.tobytes())
        except OSError as error:
            raise ModelError(f"{path}: the weights cannot be read ({error}); {_AGAIN}") from error
    return digest.digest()


def _entries(path: Path) -> Iterator[tuple[str, _Entry]]:
    try:
        data = np.memmap(path, dtype=np.uint8, mode="r")
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: the weights cannot be read ({error}); {_AGAIN}") from error
    length = int.from_bytes(data[:8].tobytes(), "little")
    if len(data) < 8 or length > min(len(data) - 8, _MAX_HEADER):
        raise ModelError(f"{path}: {len(data)} bytes that do not begin as safetensors do; {_AGAIN}")
    try:
        header = json.loads(data[8 : 8 + length].tobytes())
        tensors = [(name, entry) for name, entry in header.items() if name != "__metadata__"]
        spans = [(name, e["dtype"], tuple(e["shape"]), *e["data_offsets"]) for name, e in tensors]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: the header of the weights is damaged ({error}); {_AGAIN}") from error
    for name, dtype, shape, start, end in spans:
        if not 0 <= start <= end <= len(data) - 8 - length:
            raise ModelError(
                f"{path}: tensor {name} lies at bytes {start} to {end} of {len(data) - 8 - length}: the file "
                f"is cut short; {_AGAIN}"
            )
        if dtype not in _DTYPES:  # position_ids and the like: integers that no graph here asks for
            continue
        if end - start != prod(shape) * np.dtype(_DTYPES[dtype]).itemsize:
            raise ModelError(
                f"{path}: tensor {name} of shape {list(shape)} has {end - start} bytes; {_AGAIN}"
            )
        raw = data[8 + length + start : 8 + length + end]
        yield name, _Entry(path, dtype, shape, raw.view(_DTYPES[dtype]))


def _float32(array: NDArray[Any], dtype: str) -> Vectors:
    if dtype == "BF16":
        return (array.astype(np.uint32) << 16).view(np.float32)
    if not array.flags.aligned:
        array = array.copy()
    return np.asarray(array, dtype=np.float32)
