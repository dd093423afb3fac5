"""Which head a cross-encoder has: what makes one number of a window's token states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from indexer.encoder.graph import Builder
from indexer.encoder.weights import Weights
from reranker.errors import RerankerModelError
from reranker.match import MatchHead


@dataclass(frozen=True, slots=True)
class LinearHead:
    """A linear layer on the first token's state, with another before it or without.

    Args:
        out: The last layer's name in the weights, in full; it has one row.
        dense: The name of the layer before it, or the empty string.
        activation: What stands between the two.
    """

    out: str = "classifier"
    dense: str = ""
    activation: Literal["tanh", "relu"] = "tanh"

    @property
    def first_only(self) -> bool:
        """Whether it looks at the first token alone: it does."""
        return True

    def add(self, builder: Builder, states: str) -> str:
        """Add its nodes, in full precision: their cost is nothing, and their output is the score."""
        width = builder.shape.width
        pooled = builder.start(states)
        if self.dense:
            pooled = builder.plain(pooled, self.dense, width, width)
            pooled = builder.graph.node({"tanh": "Tanh", "relu": "Relu"}[self.activation], [pooled], "bent")
        return builder.plain(pooled, self.out, 1, width)


RerankerHead: TypeAlias = LinearHead | MatchHead


def labels_of(config: Mapping[str, Any]) -> int:
    """Return how many numbers the head of a `config.json` gives; transformers' own default is 2."""
    names = config.get("id2label")
    return int(config.get("num_labels") or (len(names) if isinstance(names, dict) and names else 2))


def head_of(weights: Weights, prefix: str, name: str) -> LinearHead:
    """Return how a model of transformers scores, by the tensors that it has.

    Args:
        weights: Its tensors.
        prefix: What stands before the names of its body.
        name: The model's, for messages.

    Raises:
        RerankerModelError: it has no head.
    """
    if "classifier.out_proj.weight" in weights:  # RoBERTa's family, MPNet
        return LinearHead("classifier.out_proj", "classifier.dense")
    if "classifier.weight" not in weights:
        raise RerankerModelError(
            f"{name}: has no classifier, so it is no cross-encoder; expected a model for sequence classification with "
            "one output, as sentence-transformers' CrossEncoder saves it, or an adapter that `quire train` saved"
        )
    if "pre_classifier.weight" in weights:  # DistilBERT
        return LinearHead("classifier", "pre_classifier", "relu")
    if f"{prefix}pooler.dense.weight" in weights:  # BERT
        return LinearHead("classifier", f"{prefix}pooler.dense")
    return LinearHead("classifier")


def head_of_adapter(pooling: str) -> RerankerHead:
    """Return how an adapter scores, by the `pooling` of its quire.json."""
    return MatchHead() if pooling == "match" else LinearHead("classifier", "pooler.dense")
