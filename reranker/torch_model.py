"""Makes what torch runs of a reranker: the same network, and the same numbers, as the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification
from transformers.utils import logging

from indexer.encoder.architectures import shape_of
from indexer.encoder.weights import Weights
from reranker.source import Source

Forward: TypeAlias = Callable[[dict[str, Any]], Any]
"""Tensors by their names in transformers, shape (windows, length), to logits, shape (windows,)."""

_ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu}


def build(source: Source, device: str, kind: Any) -> Forward:
    """Return what runs a reranker.

    Args:
        source: The model.
        device: Where to.
        kind: The dtype of torch to run in. A head that is known runs in float32, whatever this is: bfloat16 would
            round the scores to ties.

    Raises:
        ModelError: a tensor is missing or has another shape.
    """
    if source.weights is not None:
        return _known(source, source.weights, device, kind)
    bars: Any = logging
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        folder = str(source.recipe.folder)
        model = AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True)
    finally:
        if shown:
            bars.enable_progress_bar()
    model = model.to(device=device, dtype=kind).eval()

    def forward(feeds: dict[str, Any]) -> Any:
        return model(**feeds).logits[:, 0]

    return forward


def _known(source: Source, weights: Weights, device: str, kind: Any) -> Forward:
    config = dict(source.recipe.config)
    shape = shape_of(config, weights)
    make: Any = AutoModel.from_config
    body = make(AutoConfig.for_model(config.pop("model_type"), **config))
    state = {
        name: torch.tensor(weights.tensor(shape.prefix + name, tuple(tensor.shape)))
        for name, tensor in body.state_dict().items()
        if not name.startswith("pooler.") and tensor.is_floating_point()
    }
    body.load_state_dict(state, strict=False)
    body = body.to(device=device, dtype=kind).eval()
    head = source.head

    def layer(name: str, rows: int) -> tuple[Any, Any]:
        weight = torch.tensor(weights.tensor(f"{name}.weight", (rows, shape.width)))
        return weight.to(device), torch.tensor(weights.tensor(f"{name}.bias", (rows,))).to(device)

    dense = layer(head.dense, shape.width) if head.dense else None
    last = layer(head.out, 1)
    bend = _ACTIVATIONS[head.activation]

    def forward(feeds: dict[str, Any]) -> Any:
        states = body(**feeds).last_hidden_state
        if source.pooling == "mean":
            kept = feeds["attention_mask"][:, :, None].float()
            pooled = (states.float() * kept).sum(1) / kept.sum(1)
        else:
            pooled = states[:, 0].float()
        if dense:
            pooled = bend(pooled @ dense[0].T + dense[1])
        return (pooled @ last[0].T + last[1])[:, 0]

    return forward
