"""Which head a cross-encoder has: what makes one number of a window's token vectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from indexer.encoder.graph import Head, Pooling
from indexer.encoder.weights import Weights
from reranker.errors import RerankerModelError


def labels_of(config: Mapping[str, Any]) -> int:
    """Return how many numbers the head of a `config.json` gives; transformers' own default is 2."""
    names = config.get("id2label")
    return int(config.get("num_labels") or (len(names) if isinstance(names, dict) and names else 2))


def head_of(weights: Weights, prefix: str, name: str) -> tuple[Pooling, Head]:
    """Return how a model of transformers pools and scores, by the tensors that it has.

    Args:
        weights: Its tensors.
        prefix: What stands before the names of its body.
        name: The model's, for messages.

    Raises:
        RerankerModelError: it has no head.
    """
    if "classifier.out_proj.weight" in weights:  # RoBERTa's family, MPNet
        return "cls", Head("classifier.out_proj", "classifier.dense")
    if "classifier.weight" not in weights:
        raise RerankerModelError(
            f"{name}: has no classifier, so it is no cross-encoder; expected a model for sequence classification with "
            "one output, as sentence-transformers' CrossEncoder saves it, or an adapter that `quire train` saved"
        )
    if "pre_classifier.weight" in weights:  # DistilBERT
        return "cls", Head("classifier", "pre_classifier", "relu")
    if f"{prefix}pooler.dense.weight" in weights:  # BERT
        return "cls", Head("classifier", f"{prefix}pooler.dense")
    return "cls", Head("classifier")


def head_of_adapter(pooling: str) -> tuple[Pooling, Head]:
    """Return how an adapter pools and scores, by the `pooling` of its quire.json."""
    if pooling == "mean":
        return "mean", Head("classifier")
    return "cls", Head("classifier", "pooler.dense" if pooling == "pooler" else "")
