"""A reranker's folder, whichever of two kinds: a whole cross-encoder, or an adapter over an encoder's body."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from indexer.encoder.architectures import shape_of, unsupported
from indexer.encoder.locate import locate
from indexer.encoder.recipe import Recipe, read_recipe
from indexer.encoder.tokens import Tokens, read_tokenizer
from indexer.encoder.weights import Safetensors, Weights, sample_digest
from reranker.adapter import CONFIG, SETTINGS, WEIGHTS, MergedWeights, digest_of, read_settings
from reranker.errors import RerankerModelError
from reranker.heads import LinearHead, RerankerHead, head_of, head_of_adapter, labels_of

_DEFAULT_MAX_TOKENS = 512


@dataclass(frozen=True, slots=True)
class Source:
    """All that is needed to run a reranker.

    Args:
        name: What it is called.
        recipe: Its network's folder and `config.json`; of an adapter, its base's.
        weights: Its tensors; None where no graph can be built, and torch reads them itself.
        head: What makes a logit of a window's token states.
        max_tokens: Of a window; 0 where the folder does not say.
        scale: What a logit is multiplied by.
        types: Whether query and passage have a token type each.
        parts: What a fingerprint is made of.
        problem: Why no graph can be built, or the empty string.
        check: Waits until the base of an adapter is known to be the right one.
        adapter: Whether it is one.
    """

    name: str
    recipe: Recipe
    weights: Weights | None
    head: RerankerHead
    max_tokens: int
    scale: float
    types: bool
    parts: list[bytes]
    problem: str
    check: Callable[[], None]
    adapter: bool

    def tokens(self) -> Tokens:
        """Return its tokenizer.

        Raises:
            ModelError: it has no tokenizer.json, or the file is damaged.
        """
        limit = self.max_tokens or _DEFAULT_MAX_TOKENS
        return Tokens(read_tokenizer(self.recipe.folder / "tokenizer.json"), limit, lower=self.recipe.lower)


def open_source(name: str, folder: Path | None) -> Source:
    """Return what a reranker's folder holds. Reads headers and settings, not the weights.

    Args:
        name: As the user gave it.
        folder: Where it is, or None to seek `name` as an encoder is sought.

    Raises:
        RerankerModelError: it is no reranker's folder, or something in it is missing or does not fit.
        ModelError: it is not found, or a file of its network cannot be read.
    """
    if folder is None:
        found = locate(name)
        return _whole(found.name, found.root)
    if (folder / SETTINGS).is_file():
        return _adapter(folder.resolve().name, folder)
    if (folder / CONFIG).is_file():
        raise RerankerModelError(
            f"{folder}: holds an adapter and no {SETTINGS}, which says of which base: save it with `quire train`, or "
            "write that file (the form is in docs/reranker.md)"
        )
    return _whole(folder.resolve().name, folder)


def _whole(name: str, root: Path) -> Source:
    recipe = read_recipe(root, name)
    labels = labels_of(recipe.config)
    kinds = recipe.config.get("architectures") or []
    if not any(str(kind).endswith("ForSequenceClassification") for kind in kinds):
        raise RerankerModelError(
            f"{name}: is a {', '.join(map(str, kinds)) or 'model of no stated kind'}, expected one for sequence "
            "classification with one output, as sentence-transformers' CrossEncoder saves it, or an adapter that "
            "`quire train` saved"
        )
    if labels != 1:
        raise RerankerModelError(
            f"{name}: gives {labels} numbers for a pair, expected 1: it is a classifier and no reranker; train one "
            "with num_labels=1"
        )
    problem = recipe.unsupported or unsupported(recipe.config)
    if not (recipe.folder / "tokenizer.json").is_file():
        raise RerankerModelError(
            f"{name}: {recipe.folder} has no tokenizer.json; save its fast tokenizer there"
        )
    weights = Safetensors(recipe.weight_files())
    prefix = "" if problem else shape_of(recipe.config, weights).prefix
    return Source(
        name=name,
        recipe=recipe,
        weights=None if problem else weights,
        head=LinearHead() if problem else head_of(weights, prefix, name),
        max_tokens=recipe.max_tokens,
        scale=1.0,
        types=_types(recipe),
        parts=[recipe.digest(), sample_digest(recipe.weight_files()), _tokenizer(recipe)],
        problem=problem,
        check=_nothing,
        adapter=False,
    )


def _adapter(name: str, folder: Path) -> Source:
    settings = read_settings(folder)
    found = locate(settings.base)
    recipe = read_recipe(found.root, found.name)
    problem = recipe.unsupported or unsupported(recipe.config)
    if problem:
        raise RerankerModelError(f"{folder}: its base {settings.base} cannot be used: {problem}")
    files = recipe.weight_files()
    pool = ThreadPoolExecutor(1)  # a tenth of a second of hashing, while the weights are merged
    digest = pool.submit(digest_of, files)
    pool.shutdown(wait=False)
    if settings.layers is not None:
        layers = int(recipe.config["num_hidden_layers"])
        if max(settings.layers) >= layers:
            raise RerankerModelError(
                f"{folder / SETTINGS}: asks for layers {list(settings.layers)} of {settings.base}, which has {layers}"
            )
        recipe = replace(recipe, config={**recipe.config, "num_hidden_layers": len(settings.layers)})
    weights = MergedWeights(Safetensors(files), folder, settings.layers)
    own = [(folder / file).read_bytes() for file in (CONFIG, WEIGHTS, SETTINGS)]
    return Source(
        name=name,
        recipe=recipe,
        weights=weights,
        head=head_of_adapter(settings.pooling),
        max_tokens=settings.max_tokens,
        scale=settings.scale,
        types=_types(recipe),
        parts=[*own, _tokenizer(recipe)],
        problem="",
        check=lambda: _same(digest, settings.base_digest, folder, found.root),
        adapter=True,
    )


def _same(digest: Future[str], expected: str, folder: Path, root: Path) -> None:
    found = digest.result()
    if found != expected.lower():
        raise RerankerModelError(
            f"{folder}: was made for a base whose weights have the sha256 {expected}, and {root} has {found}: install "
            "that base, or train the adapter again on this one"
        )


def _types(recipe: Recipe) -> bool:
    """Tell whether the model is shown token types: not all tokenizers of BERT's family say that they give them."""
    path = recipe.folder / "tokenizer_config.json"
    config: Mapping[str, Any] = {}
    if path.is_file():
        try:
            config = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise RerankerModelError(f"{path}: is not JSON ({error}); fetch the model again") from error
    inputs = config.get("model_input_names") or ["token_type_ids"]
    return int(recipe.config.get("type_vocab_size") or 0) > 1 and "token_type_ids" in inputs


def _tokenizer(recipe: Recipe) -> bytes:
    path = recipe.folder / "tokenizer.json"
    return path.read_bytes() if path.is_file() else b""


def _nothing() -> None:
    """Find nothing to check."""
