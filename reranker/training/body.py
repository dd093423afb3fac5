"""The model that is trained: a base's transformer under a head, as a sentence-transformers `CrossEncoder`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from indexer.encoder.locate import Found, locate
from indexer.encoder.recipe import Recipe, read_recipe
from indexer.encoder.weights import Safetensors
from indexer.errors import ModelError
from reranker.adapter import CONFIG, AdapterSettings, MergedWeights, digest_of, read_settings
from reranker.errors import InvalidTrainingSettings, RerankerModelError
from reranker.torch_match import TorchMatchHead
from reranker.training.reader import PairReader
from reranker.training.settings import TrainingSettings

_HEAD = "ForSequenceClassification"
_SCORING = ("classifier.match.", "classifier.cls.", "classifier.weight", "classifier.bias")
_POOLERS = frozenset({"bert", "camembert", "mpnet", "roberta", "xlm-roberta"})


@dataclass(frozen=True, slots=True)
class Body:
    """A model ready to be trained, and what is known of where it came from.

    Args:
        encoder: A sentence-transformers `CrossEncoder`; its scores are raw logits.
        reader: Makes its windows.
        base: The base's name, or its folder where it was given as one: what an adapter is an adapter of.
        digest: sha256 of the base's weights.
        pooling: What the head looks at: `match` or `pooler`.
        layers: Which layers of the base it has; None for all.
        adapter: The adapter that it goes on from, or None.
    """

    encoder: Any
    reader: PairReader
    base: str
    digest: str
    pooling: str
    layers: tuple[int, ...] | None
    adapter: Path | None

    @property
    def transformer(self) -> Any:
        """The network of transformers."""
        return self.encoder[0].model

    @property
    def head(self) -> nn.Module:
        """What the score comes from: what compares query and passage, or what transformers has in its place."""
        head: nn.Module = self.transformer.classifier if self.pooling == "pooler" else self.encoder[-1]
        return head

    def blocks(self) -> list[nn.Module]:
        """The layers, from below."""
        stacks = [
            module
            for module in self.transformer.modules()
            if isinstance(module, nn.ModuleList) and len(module)
        ]
        return list(stacks[0]) if stacks else []


def build(settings: TrainingSettings, device: str) -> Body:
    """Make the model that the settings describe: a base with a new head, or a model to train further.

    The seed decides a new head's weights.

    Args:
        settings: What to build.
        device: `cpu` or `cuda`.

    Raises:
        RerankerModelError: the base is not found, cannot be read, or is not what an adapter was trained on.
        InvalidTrainingSettings: the settings and the base do not go together.
    """
    folder = Path(settings.base).expanduser()
    adapter = folder.resolve() if (folder / CONFIG).is_file() else None
    known = read_settings(adapter) if adapter else None
    try:
        found = locate(known.base if known else settings.base)
        recipe = read_recipe(found.root, found.name)
        digest = digest_of(recipe.weight_files())
    except ModelError as error:
        raise RerankerModelError(str(error)) from error
    if known and known.base_digest != digest:
        raise RerankerModelError(
            f"{adapter}: was trained on the {known.base} whose weights have the digest {known.base_digest}, and "
            f"those in {found.root} have {digest}: install the release it was trained on"
        )
    torch.manual_seed(settings.seed)
    encoder, pooling = _assembled(settings, found, recipe, known, device)
    layers = known.layers if known else settings.layers or None
    reader = _reader(settings, recipe, pooling)
    body = Body(encoder, reader, _named(settings, found, known), digest, pooling, layers, adapter)
    _keep_layers(body, recipe)
    if known and adapter:
        _fill(body, recipe, known, adapter, head_only=settings.method == "lora")
    elif settings.zero_head:
        for parameter in body.head.parameters():
            nn.init.zeros_(parameter)
    return body


def _assembled(
    settings: TrainingSettings, found: Found, recipe: Recipe, known: AdapterSettings | None, device: str
) -> tuple[Any, str]:
    """Return the cross-encoder with all the base's layers, and its pooling."""
    from sentence_transformers import CrossEncoder
    from sentence_transformers.cross_encoder.modules import Transformer

    names = recipe.config.get("architectures") or [""]
    limit = recipe.config.get("max_position_embeddings")
    if isinstance(limit, int) and settings.max_tokens > limit:
        raise InvalidTrainingSettings(
            f"max_tokens must be at most {limit} with {found.name}; found {settings.max_tokens}"
        )
    rates = {"hidden_dropout_prob": settings.dropout, "attention_probs_dropout_prob": settings.dropout}
    config = {name: rate for name, rate in rates.items() if name in recipe.config}
    options = {"local_files_only": True}
    finished = str(names[0]).endswith(_HEAD)
    pooling = _pooling(settings, recipe, known, finished)
    try:
        if pooling == "pooler":
            body = Transformer(
                str(recipe.folder),
                transformer_task="sequence-classification",
                max_seq_length=settings.max_tokens,
                model_kwargs=dict(options),
                config_kwargs=config | ({} if finished else {"num_labels": 1}),
            )
            modules = [body]
        else:
            modules = _matching(recipe, settings, config | {"num_labels": 1}, options)
        encoder = CrossEncoder(modules=modules, device=device, activation_fn=nn.Identity())
    except Exception as error:  # whatever transformers and a model's own code raise
        raise RerankerModelError(f"{found.root}: transformers cannot load it as a base: {error}") from error
    if encoder.num_labels != 1:
        raise RerankerModelError(
            f"{found.root}: has {encoder.num_labels} outputs, expected 1, a score; give a reranker, or an encoder"
        )
    return encoder, pooling


def _pooling(
    settings: TrainingSettings, recipe: Recipe, known: AdapterSettings | None, finished: bool
) -> str:
    """Return what the head looks at: what the base's own head does, or what the settings say of a new one."""
    pooling = known.pooling if known else "pooler" if finished else settings.pooling
    if pooling == "auto":
        pooling = "match" if settings.method == "lora" else "pooler"
    if settings.method != "lora" and pooling != "pooler":
        raise InvalidTrainingSettings(
            f"pooling must be pooler, or auto, with the method {settings.method}: a whole model is saved with the head "
            f"that transformers gives it; found {pooling}"
        )
    kind = recipe.config.get("model_type")
    if settings.method == "lora" and pooling == "pooler" and kind != "bert":
        what = "method must be full or frozen" if finished else "pooling must be match with LoRA"
        raise InvalidTrainingSettings(
            f"{what} on a model of the type {kind}: an adapter keeps the pooler of BERT only"
        )
    return pooling


def _matching(
    recipe: Recipe, settings: TrainingSettings, config: Mapping[str, Any], options: Mapping[str, Any]
) -> list[nn.Module]:
    """Return a transformer, and a new head that compares the states of query and passage."""
    from sentence_transformers.cross_encoder.modules import Transformer

    bare = {"add_pooling_layer": False} if recipe.config.get("model_type") in _POOLERS else {}
    body = Transformer(
        str(recipe.folder),
        max_seq_length=settings.max_tokens,
        model_kwargs=dict(options) | bare,
        config_kwargs=dict(config),
    )
    return [body, TorchMatchHead(int(body.get_embedding_dimension()))]


def _reader(settings: TrainingSettings, recipe: Recipe, pooling: str) -> PairReader:
    padding = recipe.config.get("pad_token_id")
    return PairReader(
        recipe.folder / "tokenizer.json",
        settings.max_tokens,
        lower=recipe.lower,
        types=int(recipe.config.get("type_vocab_size") or 0) > 1,
        parts=pooling == "match",
        padding=padding if isinstance(padding, int) else 0,
    )


def _named(settings: TrainingSettings, found: Found, known: AdapterSettings | None) -> str:
    """Return the name that finds the base again: a folder that was given as one stays one."""
    if known:
        return known.base
    return str(found.root) if Path(settings.base).expanduser().is_dir() else settings.base


def _keep_layers(body: Body, recipe: Recipe) -> None:
    if body.layers is None:
        return
    stack = next(m for m in body.transformer.modules() if isinstance(m, nn.ModuleList) and len(m))
    if body.layers[-1] >= len(stack):
        raise InvalidTrainingSettings(
            f"layers must be under {len(stack)}, the base's number of them; found {body.layers}"
        )
    kept = [stack[number] for number in body.layers]
    del stack[:]
    stack.extend(kept)
    body.transformer.config.num_hidden_layers = len(kept)


def _fill(body: Body, recipe: Recipe, known: AdapterSettings, adapter: Path, *, head_only: bool) -> None:
    """Give the model the weights of an adapter that it goes on from, merged; LoRA takes over its matrices itself."""
    try:
        weights = MergedWeights(Safetensors(recipe.weight_files()), adapter, known.layers)
        with torch.no_grad():
            for name, parameter in named_weights(body):
                if head_only and not name.startswith("classifier."):
                    continue
                merged = weights.tensor(name, tuple(parameter.shape))
                scale = known.scale if name.startswith(_SCORING) else 1.0
                parameter.copy_(torch.from_numpy(np.array(merged)) * scale)
    except ModelError as error:
        raise RerankerModelError(str(error)) from error


def named_weights(body: Body) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield the parameters under the names that adapter folders use: a bare body's, and `classifier` for the head."""
    prefix = f"{body.transformer.base_model_prefix}."
    for name, parameter in body.transformer.named_parameters():
        yield name.removeprefix(prefix), parameter
    if body.pooling != "pooler":
        for name, parameter in body.head.named_parameters():
            yield f"classifier.{name}", parameter
