"""The transformer encoders that Quire runs on ONNX Runtime, and what each calls its parts.

They are one network under different names: word and position (and type) embeddings, then layers of
attention and a two-layer perceptron, each followed by a layer norm over the sum with its input.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from indexer.encoder.weights import Weights
from indexer.errors import ModelError


@dataclass(frozen=True, slots=True)
class Names:
    """Where an architecture keeps its tensors; `{}` in a layer's names is the layer's number."""

    words: str = "embeddings.word_embeddings"
    positions: str = "embeddings.position_embeddings"
    types: str = "embeddings.token_type_embeddings"
    norm: str = "embeddings.LayerNorm"
    layer: str = "encoder.layer.{}."
    query: str = "attention.self.query"
    key: str = "attention.self.key"
    value: str = "attention.self.value"
    attended: str = "attention.output.dense"
    attention_norm: str = "attention.output.LayerNorm"
    inner: str = "intermediate.dense"
    outer: str = "output.dense"
    output_norm: str = "output.LayerNorm"
    relative: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """The numbers of one network.

    Args:
        names: Names of its tensors.
        prefix: What stands before each of them in the file.
        layers: Number of layers.
        heads: Attention heads.
        width: Length of a token's vector.
        inner: Width of the perceptron's middle.
        positions: Rows of the position table.
        first_position: The row of a text's first token.
        activation: `gelu` (exact), `gelu_tanh` or `relu`.
        epsilon: Of the layer norms.
        buckets: Buckets of relative position (MPNet), 0 for none.
    """

    names: Names
    prefix: str
    layers: int
    heads: int
    width: int
    inner: int
    positions: int
    first_position: int
    activation: str
    epsilon: float
    buckets: int = 0


_BERT = Names()
_DISTIL = Names(
    types="",
    layer="transformer.layer.{}.",
    query="attention.q_lin",
    key="attention.k_lin",
    value="attention.v_lin",
    attended="attention.out_lin",
    attention_norm="sa_layer_norm",
    inner="ffn.lin1",
    outer="ffn.lin2",
    output_norm="output_layer_norm",
)
_MPNET = Names(
    types="",
    query="attention.attn.q",
    key="attention.attn.k",
    value="attention.attn.v",
    attended="attention.attn.o",
    attention_norm="attention.LayerNorm",
    relative="encoder.relative_attention_bias",
)
_FAMILIES = {
    "bert": _BERT,
    "roberta": _BERT,
    "xlm-roberta": _BERT,
    "camembert": _BERT,
    "distilbert": _DISTIL,
    "mpnet": _MPNET,
}
_ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
}


def unsupported(config: Mapping[str, Any]) -> str:
    """Return why no graph can be built for a `config.json`, or the empty string."""
    family = config.get("model_type")
    if family not in _FAMILIES:
        return f"its architecture is {family!r}, and graphs are built for {', '.join(_FAMILIES)}"
    activation = config.get("activation" if family == "distilbert" else "hidden_act", "gelu")
    if activation not in _ACTIVATIONS:
        return f"its activation is {activation!r}, and graphs are built for {', '.join(_ACTIVATIONS)}"
    if config.get("position_embedding_type", "absolute") != "absolute":
        return f"its positions are {config['position_embedding_type']!r}, and graphs know absolute ones"
    if config.get("is_decoder") or config.get("embedding_size", config.get("hidden_size")) != config.get(
        "hidden_size"
    ):
        return "it is a decoder, or its embeddings are factorised"
    return ""


def shape_of(config: Mapping[str, Any], weights: Weights) -> Shape:
    """Return the shape that a `config.json` and the names in its weights describe.

    Raises:
        ModelError: a value is missing or impossible, or the weights are of another architecture.
    """
    reason = unsupported(config)
    if reason:
        raise ModelError(f"no graph can be built for this model: {reason}")
    family = str(config["model_type"])
    names = _FAMILIES[family]
    distil = family == "distilbert"
    try:
        width, heads = (int(config[key]) for key in (("dim", "n_heads") if distil else _WIDTH_AND_HEADS))
        layers, inner = (int(config[key]) for key in (("n_layers", "hidden_dim") if distil else _DEPTHS))
        positions = int(config["max_position_embeddings"])
        epsilon = float(config.get("layer_norm_eps", 1e-12))
        padding = int(config.get("pad_token_id", 1)) if family not in ("bert", "distilbert") else -1
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"config.json of the model lacks a value or has a wrong one: {error}; fetch it again"
        ) from error
    if min(width, heads, layers, inner, positions) < 1 or width % heads:
        raise ModelError(
            f"config.json of the model asks for {heads} heads of a width of {width}; fetch it again"
        )
    return Shape(
        names=names,
        prefix=_prefix(names, family, weights),
        layers=layers,
        heads=heads,
        width=width,
        inner=inner,
        positions=positions,
        first_position=padding + 1,
        activation=_ACTIVATIONS[str(config.get("activation" if distil else "hidden_act", "gelu"))],
        epsilon=epsilon,
        buckets=int(config.get("relative_attention_num_buckets", 32)) if names.relative else 0,
    )


_WIDTH_AND_HEADS = ("hidden_size", "num_attention_heads")
_DEPTHS = ("num_hidden_layers", "intermediate_size")


def _prefix(names: Names, family: str, weights: Weights) -> str:
    prefixes = ("", "bert.", "roberta.", "distilbert.", "mpnet.", "0.auto_model.", "model.")
    for prefix in prefixes:
        if f"{prefix}{names.words}.weight" in weights:
            return prefix
    raise ModelError(
        f"the weights hold no {names.words}.weight, which a {family} model has: weights and config.json are "
        "of different models"
    )
