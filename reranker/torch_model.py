"""Makes what torch runs of a reranker: the same network, and the same numbers, as the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import nn
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification
from transformers.utils import logging

from indexer.encoder.architectures import shape_of
from indexer.encoder.weights import Weights
from reranker.heads import LinearHead
from reranker.match import PARTS, MatchHead
from reranker.source import Source
from reranker.torch_match import TorchMatchHead

Forward: TypeAlias = Callable[[dict[str, Any]], Any]
"""Tensors by their names in transformers, shape (windows, length), to logits, shape (windows,)."""

_ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU}


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
    if isinstance(source.head, MatchHead):
        match = _filled(TorchMatchHead(shape.width), source.head.name, weights).to(device)

        def compared(feeds: dict[str, Any]) -> Any:
            inputs = {name: value for name, value in feeds.items() if name not in PARTS}
            states = body(**inputs).last_hidden_state
            return match({name: feeds[name] for name in PARTS} | {"token_embeddings": states})["scores"][:, 0]

        return compared
    head = _linear(source.head, shape.width, weights).to(device)

    def forward(feeds: dict[str, Any]) -> Any:
        return head(body(**feeds).last_hidden_state[:, 0].float())[:, 0]

    return forward


def _linear(head: LinearHead, width: int, weights: Weights) -> nn.Module:
    last = _filled(nn.Linear(width, 1), head.out, weights)
    if not head.dense:
        return last
    return nn.Sequential(
        _filled(nn.Linear(width, width), head.dense, weights), _ACTIVATIONS[head.activation](), last
    )


def _filled(module: nn.Module, name: str, weights: Weights) -> nn.Module:
    with torch.no_grad():
        for own, parameter in module.named_parameters():
            parameter.copy_(torch.tensor(weights.tensor(f"{name}.{own}", tuple(parameter.shape))))
    return module.requires_grad_(False)
