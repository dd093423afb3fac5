"""Writes ONNX graphs: the few messages of `onnx.proto` that a graph needs, in protobuf's wire format.

The `onnx` package would do the same, and costs 33 MB of disk and a tenth of a second at start. The field
numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto; a test reads what is written
here with that package and holds its checker to it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Attribute: TypeAlias = int | float | str | tuple[int, ...]
Dims: TypeAlias = Sequence[int | str]

FLOAT, UINT8, INT8, INT32, INT64 = 1, 2, 3, 6, 7


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _message(fields: Iterable[tuple[int, int | float | str | bytes]]) -> bytes:
    out = bytearray()
    for number, value in fields:
        if isinstance(value, int):
            out += _varint(number << 3) + _varint(value)
        elif isinstance(value, float):
            out += _varint(number << 3 | 5) + struct.pack("<f", value)
        else:
            data = value.encode() if isinstance(value, str) else value
            out += _varint(number << 3 | 2) + _varint(len(data)) + data
    return bytes(out)


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, int):
        return _message([(1, name), (3, value), (20, 2)])
    if isinstance(value, float):
        return _message([(1, name), (2, value), (20, 1)])
    if isinstance(value, str):
        return _message([(1, name), (4, value), (20, 3)])
    return _message([(1, name), *((8, item) for item in value), (20, 7)])


def _value_info(name: str, kind: int, dims: Dims) -> bytes:
    shape = _message((1, _message([(1 if isinstance(dim, int) else 2, dim)])) for dim in dims)
    return _message([(1, name), (2, _message([(1, _message([(1, kind), (2, shape)]))]))])


@dataclass
class Graph:
    """A graph under construction. Nodes are kept in the order in which they are added."""

    _nodes: list[bytes] = field(default_factory=list)
    _initialisers: list[bytes] = field(default_factory=list)
    _inputs: list[bytes] = field(default_factory=list)
    _outputs: list[bytes] = field(default_factory=list)

    def input(self, name: str, kind: int, dims: Dims) -> str:
        """Declare an input; a dimension is a number or a name. Returns `name`."""
        self._inputs.append(_value_info(name, kind, dims))
        return name

    def output(self, name: str, kind: int, dims: Dims) -> None:
        """Declare an output."""
        self._outputs.append(_value_info(name, kind, dims))

    def constant(self, name: str, kind: int, dims: Sequence[int], data: bytes) -> str:
        """Add a small tensor whose little-endian bytes travel in the graph. Returns `name`."""
        self._initialisers.append(_message([*((1, dim) for dim in dims), (2, kind), (8, name), (9, data)]))
        return name

    def external(self, name: str, kind: int, dims: Sequence[int]) -> str:
        """Add a tensor whose bytes are handed to the session by name. Returns `name`."""
        place = _message([(1, "location"), (2, "given to the session")])
        self._initialisers.append(
            _message([*((1, dim) for dim in dims), (2, kind), (8, name), (13, place), (14, 1)])
        )
        return name

    def node(
        self,
        operator: str,
        inputs: Sequence[str],
        output: str,
        attributes: Mapping[str, Attribute] | None = None,
        domain: str = "",
    ) -> str:
        """Add a node with one output. Returns `output`."""
        self._nodes.append(
            _message(
                [
                    *((1, name) for name in inputs),
                    (2, output),
                    (3, output),
                    (4, operator),
                    *((5, _attribute(name, value)) for name, value in (attributes or {}).items()),
                    (7, domain),
                ]
            )
        )
        return output

    def to_bytes(self, opset: int = 20) -> bytes:
        """Return the model as an `.onnx` file's bytes, with ONNX Runtime's own operators allowed."""
        graph = _message(
            [
                *((1, node) for node in self._nodes),
                (2, "encoder"),
                *((5, item) for item in self._initialisers),
                *((11, item) for item in self._inputs),
                *((12, item) for item in self._outputs),
            ]
        )
        versions = [_message([(1, domain), (2, n)]) for domain, n in (("", opset), ("com.microsoft", 1))]
        return _message([(1, 9), (2, "quire"), (7, graph), *((8, version) for version in versions)])
