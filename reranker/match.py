"""The head that compares what a window says of the query with what it says of the passage.

With h the states of a window's tokens after the last layer, n = h / |h|, Q the places of the query's tokens and P
those of the passage's with its context, without specials:

    score = s0 · Σ a_i · max over j in P of n_i · n_j    MaxSim (ColBERT: Khattab and Zaharia 2020, section 3.2), over
                  i in Q                                 states that have seen both texts; a = softmax of u · h_i over Q
          + s1 · cos(mean of h over Q, mean of h over P)
          + v · h_0 + c

Of a window without query or without passage the first two are 0. Over the body of a sentence encoder this head scores
sensibly before it is trained, for there the states of two texts that mean the same are alike.

Its tensors: `match.weight` (1, 2) for s0 and s1, `token.weight` (1, width) for u, `cls.weight` (1, width) and
`cls.bias` (1,) for v and c.
"""

from __future__ import annotations

from dataclasses import dataclass

from indexer.encoder.graph import Builder
from indexer.encoder.onnx_wire import FLOAT

SCALES = (10.0, 5.0)
"""s0 and s1 before training; all else begins at 0."""

PARTS = ("query_mask", "passage_mask")
"""What it takes beside the states: 1 where a token is the query's, shape (windows, places) with as many places as the
query that ends last needs; 1 where one is the passage's, (windows, length). `reranker.layout.parts_of` makes them."""

_OUTSIDE = 4.0  # more than two cosines can differ
_NEVER = 1e9  # to the power of e less than that is 0


@dataclass(frozen=True, slots=True)
class MatchHead:
    """The nodes of this head, in a graph with two inputs more: `PARTS`, float32.

    Args:
        name: What stands before the names of its tensors.
    """

    name: str = "classifier"

    @property
    def first_only(self) -> bool:
        """Whether it looks at the first token alone: it does not."""
        return False

    def add(self, builder: Builder, states: str) -> str:
        """Add its nodes, in full precision."""
        node, width = builder.graph.node, builder.shape.width
        shapes = zip(PARTS, ("places", "length"), strict=True)
        query, passage = (builder.graph.input(name, FLOAT, ["batch", places]) for name, places in shapes)
        ax0, ax1, ax2 = (builder.ints(f"match.axis{axis}", axis) for axis in range(3))
        end = node("Gather", [node("Shape", [query], "match.shape"), ax1], "match.end")
        unit = _unit(builder, states, "match.unit")
        asking = node("Slice", [states, ax0, end, ax1], "match.asking")
        asking_unit = node("Slice", [unit, ax0, end, ax1], "match.asking_unit")

        near = node("FusedMatMul", [asking_unit, unit], "match.near", {"transB": 1}, "com.microsoft")
        outside = node("Unsqueeze", [_away(builder, passage, _OUTSIDE), ax1], "match.outside")
        best = node(
            "ReduceMax", [node("Add", [near, outside], "match.inside"), ax2], "match.best", {"keepdims": 0}
        )
        token = builder.give(
            "match.token", builder.weights.tensor(f"{self.name}.token.weight", (1, width)).T.copy()
        )
        weight = node("Squeeze", [node("MatMul", [asking, token], "match.weights"), ax2], "match.weight")
        weight = node("Add", [weight, _away(builder, query, _NEVER)], "match.weight_asked")
        share = node("Softmax", [weight], "match.share", {"axis": -1})
        late = node("ReduceSum", [node("Mul", [best, share], "match.each"), ax1], "match.late")
        for name, part in (("query", query), ("passage", passage)):
            there = node("ReduceMax", [part, ax1], f"match.has_{name}")
            late = node("Mul", [late, there], f"match.late_{name}")

        means = []
        for name, part, rows in (("query", query, asking), ("passage", passage, states)):
            row = node("Unsqueeze", [part, ax1], f"match.row_{name}")
            means.append(
                _unit(builder, node("MatMul", [row, rows], f"match.sum_{name}"), f"match.mean_{name}")
            )
        alike = node("ReduceSum", [node("Mul", means, "match.both"), ax2], "match.alike", {"keepdims": 0})

        features = node("Concat", [late, alike], "match.features", {"axis": 1})
        scales = builder.give("match.scales", builder.weights.tensor(f"{self.name}.match.weight", (1, 2)))
        compared = node("Gemm", [features, scales], "match.compared", {"transB": 1})
        whole = builder.plain(builder.start(states), f"{self.name}.cls", 1, width)
        return node("Add", [compared, whole], "match.score")


def _unit(builder: Builder, x: str, output: str) -> str:
    """Add x / |x| along the last axis; of zeros, zeros."""
    node = builder.graph.node
    length = node("ReduceL2", [x, builder.ints(f"{output}.axis", -1)], f"{output}.length")
    over = node("Max", [length, builder.number(f"{output}.least", 1e-12)], f"{output}.over")
    return node("Div", [x, over], output)


def _away(builder: Builder, flags: str, far: float) -> str:
    """Add -far where a flag is 0, and 0 where it is 1."""
    less = builder.graph.node("Sub", [flags, builder.number(f"{flags}.one", 1)], f"{flags}.less")
    return builder.graph.node("Mul", [less, builder.number(f"{flags}.far", far)], f"{flags}.away")
