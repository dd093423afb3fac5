"""Builds the ONNX graph of an encoder or a cross-encoder, straight from its weights.

The graph takes the word embeddings of a batch of padded texts and gives one pooled vector a text, or the score
that a head makes of its states. It uses ONNX Runtime's fused operators (attention with its biases, exact GELU with
its bias); its weights stay where they are and are handed to the session by name. Building takes milliseconds,
so a graph is never stored.
"""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from indexer.encoder.architectures import Shape
from indexer.encoder.onnx_wire import FLOAT, INT8, INT32, INT64, Graph
from indexer.encoder.quantise import per_channel
from indexer.encoder.weights import Weights
from indexer.encoding import Vectors

Pooling: TypeAlias = Literal["mean", "cls", "max"]
Given: TypeAlias = dict[str, NDArray[np.generic]]

_ORT = "com.microsoft"


class Head(Protocol):
    """Nodes that make one score of a text's states."""

    @property
    def first_only(self) -> bool:
        """Whether it looks at the first token alone."""
        ...

    def add(self, builder: Builder, states: str) -> str:
        """Add the nodes, and return the name of the scores, float32 (batch, 1).

        Args:
            builder: Of the graph.
            states: After the last layer, float32 (batch, length, width); with `first_only` perhaps (batch, 1, width).
        """
        ...


class Builder:
    """One graph under construction; `given` collects the tensors that the session is to be handed."""

    def __init__(self, shape: Shape, weights: Weights, int8: bool) -> None:
        self.graph = Graph()
        self.given: Given = {}
        self.shape = shape
        self.weights = weights
        self.int8 = int8

    def give(self, name: str, array: NDArray[np.generic]) -> str:
        """Add a tensor that the session is to be handed."""
        kind = INT8 if array.dtype == np.int8 else FLOAT
        self.given[name] = array
        return self.graph.external(name, kind, array.shape)

    def read(self, name: str, *shape: int) -> Vectors:
        """Return a tensor of the body."""
        return self.weights.tensor(self.shape.prefix + name, shape)

    def first(self, x: str, output: str) -> str:
        """Add the first token's vectors, shape (batch, 1, width)."""
        return self.graph.node("Gather", [x, "start"], output, {"axis": 1})

    def give_read(self, name: str, *shape: int) -> str:
        """Add a tensor of the body."""
        return self.give(name, self.read(name, *shape))

    def ints(self, name: str, *values: int) -> str:
        """Add a constant of whole numbers, shape (values,)."""
        return self.graph.constant(name, INT64, [len(values)], np.array(values, "<i8").tobytes())

    def number(self, name: str, value: float) -> str:
        """Add a constant number, shape ()."""
        return self.graph.constant(name, FLOAT, [], np.float32(value).tobytes())

    def linear(self, x: str, name: str, rows: int, columns: int) -> str:
        """Add x · Wᵀ, without the bias: the operator that follows adds it. `name.weight` is (rows, columns)."""
        weight = self.read(f"{name}.weight", rows, columns)
        if not self.int8:
            weight_name = self.give(f"{name}.weight", weight)
            return self.graph.node("FusedMatMul", [x, weight_name], f"{name}.out", {"transB": 1}, _ORT)
        values, scales = per_channel(weight)
        inputs = [x, self.give(f"{name}.weight", values), self.give(f"{name}.scale", scales)]
        return self.graph.node("DynamicQuantizeMatMul", inputs, f"{name}.out", None, _ORT)

    def norm(self, summed: str, residual: str, norm: str, bias: str, output: str) -> str:
        """Add layer_norm(summed + bias + residual).

        In three nodes: ONNX Runtime's SkipLayerNormalization, which is all in one, takes twice as long.
        """
        width = self.shape.width
        whole = self.graph.node("Add", [summed, self.give_read(bias, width)], f"{output}.biased")
        whole = self.graph.node("Add", [whole, residual], f"{output}.sum")
        inputs = [whole, *(self.give_read(f"{norm}.{end}", width) for end in ("weight", "bias"))]
        attributes = {"axis": -1, "epsilon": self.shape.epsilon}
        return self.graph.node("LayerNormalization", inputs, output, attributes)

    def activation(self, x: str, bias: str) -> str:
        """Add what stands between a layer's two linear ones, with the first one's bias."""
        bias_name = self.give_read(bias, self.shape.inner)
        if self.shape.activation == "gelu":
            return self.graph.node("BiasGelu", [x, bias_name], f"{bias}.gelu", None, _ORT)
        x = self.graph.node("Add", [x, bias_name], f"{bias}.sum")
        if self.shape.activation == "relu":
            return self.graph.node("Relu", [x], f"{bias}.relu")
        return self.graph.node("Gelu", [x], f"{bias}.gelu", {"approximate": "tanh"})

    def embeddings(self, words: str, types: bool) -> str:
        """Add places and types to the words, and norm them."""
        shape, names = self.shape, self.shape.names
        table = self.read(f"{names.positions}.weight", shape.positions, shape.width)[shape.first_position :]
        kinds = f"{shape.prefix}{names.types}.weight"
        if types:
            chosen = self.graph.input("types", INT64, ["batch", "length"])
            known = self.give("types.table", self.read(f"{names.types}.weight", *self.weights.table(kinds)))
            words = self.graph.node(
                "Add", [words, self.graph.node("Gather", [known, chosen], "typed")], "said"
            )
        elif names.types:
            table = table + self.weights.rows(kinds, np.array([0]))
        dims = self.graph.node("Shape", [words], "dims")
        length = self.graph.node("Gather", [dims, self.ints("second", 1)], "length")
        span = [self.give("positions", table), self.ints("start", 0), length, self.ints("axis", 0)]
        placed = self.graph.node("Add", [words, self.graph.node("Slice", span, "placed")], "embedded")
        inputs = [placed, *(self.give_read(f"{names.norm}.{end}", shape.width) for end in ("weight", "bias"))]
        attributes = {"axis": -1, "epsilon": shape.epsilon}
        return self.graph.node("LayerNormalization", inputs, "embeddings", attributes)

    def relative(self) -> str:
        """Add MPNet's bias by relative position, shape (1, heads, length, length)."""
        buckets = self.graph.input("buckets", INT64, ["length", "length"])
        name = f"{self.shape.names.relative}.weight"
        table = self.give_read(name, self.shape.buckets, self.shape.heads)
        bias = self.graph.node("Gather", [table, buckets], "relative.rows")
        bias = self.graph.node("Transpose", [bias], "relative.heads", {"perm": (2, 0, 1)})
        return self.graph.node("Unsqueeze", [bias, "axis"], "relative")

    def layer(self, x: str, number: int, mask: str, relative: str, first_only: bool) -> str:
        """Add a layer. With `first_only` it gives the first token's vector alone: no other's is looked at."""
        shape, names = self.shape, self.shape.names
        at = names.layer.format(number)
        width = shape.width
        seen, x = x, self.first(x, f"{at}first") if first_only else x
        heads = [self.linear(x, at + names.query, width, width)]
        heads += [self.linear(seen, at + part, width, width) for part in (names.key, names.value)]
        biases = [self.read(f"{at}{part}.bias", width) for part in (names.query, names.key, names.value)]
        bias = self.give(f"{at}attention.bias", np.concatenate(biases))
        inputs = [*heads, bias, mask, *([relative] if relative else [])]
        attended = self.graph.node(
            "MultiHeadAttention", inputs, f"{at}attended", {"num_heads": shape.heads}, _ORT
        )
        attended = self.linear(attended, at + names.attended, width, width)
        x = self.norm(attended, x, at + names.attention_norm, f"{at}{names.attended}.bias", f"{at}middle")
        inner = self.activation(
            self.linear(x, at + names.inner, shape.inner, width), f"{at}{names.inner}.bias"
        )
        outer = self.linear(inner, at + names.outer, width, shape.inner)
        return self.norm(outer, x, at + names.output_norm, f"{at}{names.outer}.bias", f"{at}output")

    def start(self, x: str) -> str:
        """Add the first token's vectors, shape (batch, width)."""
        at = self.graph.constant("first", INT64, [], b"\0" * 8)
        return self.graph.node("Gather", [x, at], "pooled", {"axis": 1})

    def pool(self, x: str, mask: str, pooling: Pooling) -> None:
        """Add `pooled`, one vector a text."""
        if pooling == "cls":
            self.start(x)
            return
        node = self.graph.node
        keep = node("Unsqueeze", [node("Cast", [mask], "mask.float", {"to": FLOAT}), "ax2"], "keep")
        self.ints("ax2", 2)
        self.ints("ax1", 1)
        if pooling == "mean":
            total = node("ReduceSum", [node("Mul", [x, keep], "kept"), "ax1"], "total", {"keepdims": 0})
            count = node("ReduceSum", [keep, "ax1"], "count", {"keepdims": 0})
            node("Div", [total, count], "pooled")
        else:
            one, far = self.number("one", 1), self.number("far", 1e9)
            away = node("Mul", [node("Sub", [keep, one], "minus"), far], "away")
            node("ReduceMax", [node("Add", [x, away], "kept"), "ax1"], "pooled", {"keepdims": 0})

    def plain(self, x: str, name: str, rows: int, columns: int) -> str:
        """Add x · Wᵀ + b in full precision, by names in full, shape (batch, rows)."""
        weight = self.give(f"{name}.plain", self.weights.tensor(f"{name}.weight", (rows, columns)))
        bias = self.give(f"{name}.plain_bias", self.weights.tensor(f"{name}.bias", (rows,)))
        return self.graph.node("Gemm", [x, weight, bias], f"{name}.plain_out", {"transB": 1})


def build(
    shape: Shape,
    weights: Weights,
    end: Pooling | Head,
    int8: bool = False,
    *,
    types: bool = False,
    tokens: bool = False,
) -> tuple[bytes, Given]:
    """Return a graph and the tensors that its session must be given.

    Inputs: `words` float32 (batch, length, width), the rows of the word table; `mask` int32 (batch,
    length), 1 for a token and 0 for padding; for MPNet `buckets` int64 (length, length); where asked for,
    `types` int64 (batch, length); and those of a head. Output: `pooled` float32 (batch, width), or with a head
    `scores` float32 (batch, 1); where asked for, after it the last layer's states, float32 (batch, length, width).

    Args:
        shape: The network.
        weights: Its tensors.
        end: How a text's token vectors become one, or the head that makes a score of them.
        int8: Whether to quantise the layers' matrices, one scale for each output channel.
        types: Whether each token's type is given; otherwise all are of the first.
        tokens: Whether to give the states of all tokens, too. What needs the first token only then looks at the
            others in the last layer as well, which costs a little.

    Raises:
        ModelError: a tensor is missing or has another shape than config.json says.
    """
    builder = Builder(shape, weights, int8)
    words = builder.graph.input("words", FLOAT, ["batch", "length", shape.width])
    mask = builder.graph.input("mask", INT32, ["batch", "length"])
    x = builder.embeddings(words, types and bool(shape.names.types))
    relative = builder.relative() if shape.buckets else ""
    first_only = (end == "cls" if isinstance(end, str) else end.first_only) and not (relative or tokens)
    for number in range(shape.layers):
        x = builder.layer(x, number, mask, relative, first_only and number == shape.layers - 1)
    if isinstance(end, str):
        builder.pool(x, mask, end)
        builder.graph.output("pooled", FLOAT, ["batch", shape.width])
    else:
        builder.graph.node("Identity", [end.add(builder, x)], "scores")
        builder.graph.output("scores", FLOAT, ["batch", 1])
    if tokens:
        builder.graph.output(x, FLOAT, ["batch", "length", shape.width])
    return builder.graph.to_bytes(), builder.given
