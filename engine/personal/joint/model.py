"""What is fitted: an encoder for queries, documents and histories alike, and how much a history counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, softplus

from engine.personal.joint.settings import JointSettings
from indexer.encoder.batches import plan
from indexer.encoder.locate import Found, locate
from indexer.encoder.recipe import Recipe, read_recipe
from indexer.encoder.tokens import Tokens, read_tokenizer
from indexer.errors import ModelError
from reranker.errors import InvalidTrainingSettings, RerankerModelError

_DROPOUT = ("hidden_dropout_prob", "attention_probs_dropout_prob")
_AT_ONCE = 4096  # tokens of a pass where nothing is learnt
LEAST_WEIGHT = 1e-3


class HistoryWeight(nn.Module):  # type: ignore[misc]  # torch's types are not checked
    """β, how much a history counts beside a query: softplus of what is learnt, so never below 0."""

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.raw = nn.Parameter(torch.zeros(()))
        self.set(weight)

    def forward(self) -> Tensor:
        """Return β, a scalar."""
        return softplus(self.raw)

    def set(self, weight: float) -> None:
        """Make β a number; one below 0.001 becomes that, from where it can still be learnt."""
        weight = max(weight, LEAST_WEIGHT)
        with torch.no_grad():
            self.raw.fill_(weight + math.log(-math.expm1(-weight)))


class JointEncoder(nn.Module):  # type: ignore[misc]  # torch's types are not checked
    """An encoder of sentence-transformers, read as `indexer.encoder` reads it, with the weight of histories.

    Args:
        encoder: The model.
        recipe: What its folder says: prompts, limits.
        device: `cpu` or `cuda`.
    """

    def __init__(self, encoder: Any, recipe: Recipe, device: str) -> None:
        super().__init__()
        self.encoder = encoder
        self.history_weight = HistoryWeight()
        path = recipe.folder / "tokenizer.json"
        limit = recipe.max_tokens or int(encoder.max_seq_length or 512)
        self._tokens = Tokens(read_tokenizer(path), limit, lower=recipe.lower)
        self._prompts = recipe.query_prompt, recipe.passage_prompt
        self._types = int(recipe.config.get("type_vocab_size") or 0) > 1
        padding = recipe.config.get("pad_token_id")
        self._padding = padding if isinstance(padding, int) else 0
        self.to(device)

    @property
    def device(self) -> Any:
        """Where it is."""
        return self.history_weight.raw.device

    def preprocess(self, *_: Any, **__: Any) -> dict[str, Any]:
        """Return nothing: texts are read by `queries` and `passages`."""
        return {}

    def queries(self, texts: Sequence[str], max_tokens: int = 0, tokens_per_pass: int = 0) -> Tensor:
        """Return unit vectors of queries, float32, shape (n, dim)."""
        return self._vectors([self._prompts[0] + text for text in texts], max_tokens, tokens_per_pass)

    def passages(self, texts: Sequence[str], max_tokens: int = 0, tokens_per_pass: int = 0) -> Tensor:
        """Return unit vectors of passages, float32, shape (n, dim).

        Args:
            texts: Without the model's prompt.
            max_tokens: Where a text is cut, specials included; 0 for the model's own limit.
            tokens_per_pass: Tokens that go through the model at once; 0 for all.
        """
        return self._vectors([self._prompts[1] + text for text in texts], max_tokens, tokens_per_pass)

    def frozen(self, texts: Sequence[str], max_tokens: int = 0, *, queries: bool = False) -> Tensor:
        """Return vectors without gradients and without dropout; the model is left in the state that it was in."""
        learning = self.training
        self.eval()
        try:
            with torch.no_grad():
                read = self.queries if queries else self.passages
                return read(texts, max_tokens, _AT_ONCE)
        finally:
            self.train(learning)

    def _vectors(self, texts: Sequence[str], max_tokens: int, tokens_per_pass: int) -> Tensor:
        ids = self._tokens.ids(texts)
        if max_tokens:
            end = self._tokens.specials // 2  # what closes a text stays at its end
            ids = [row if len(row) <= max_tokens else row[: max_tokens - end] + row[-end:] for row in ids]
        batches = plan(
            [len(row) for row in ids], budget=tokens_per_pass or sum(map(len, ids)) * max(map(len, ids))
        )
        found = [
            self.encoder(self._features([ids[n] for n in batch]))["sentence_embedding"] for batch in batches
        ]
        places = torch.from_numpy(np.concatenate(batches)).to(self.device)
        vectors = torch.cat(found)
        return normalize(vectors.new_zeros(vectors.shape).index_copy(0, places, vectors).float(), dim=1)

    def _features(self, rows: Sequence[Sequence[int]]) -> dict[str, Tensor]:
        longest = max(map(len, rows))
        ids = torch.tensor([[*row, *[self._padding] * (longest - len(row))] for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        features = {"input_ids": ids, "attention_mask": mask}
        if self._types:
            features["token_type_ids"] = torch.zeros_like(ids)
        return {name: value.to(self.device) for name, value in features.items()}


@dataclass(frozen=True, slots=True)
class JointBody:
    """A model ready to be trained, as `reranker.training.trainer.Trainable` wants it, and where it came from.

    Args:
        encoder: The model.
        found: Its folder.
        recipe: What that says.
    """

    encoder: JointEncoder
    found: Found
    recipe: Recipe

    @property
    def transformer(self) -> Any:
        """The network of transformers."""
        return self.encoder.encoder[0].model

    @property
    def head(self) -> nn.Module:
        """What learns at a rate of its own: the weight of histories."""
        return self.encoder.history_weight

    def blocks(self) -> list[nn.Module]:
        """Return the layers, from below."""
        stacks = [m for m in self.transformer.modules() if isinstance(m, nn.ModuleList) and len(m)]
        return list(stacks[0]) if stacks else []


def build(settings: JointSettings, device: str) -> JointBody:
    """Load the encoder that the settings name, with that set to be trained which the method trains.

    Raises:
        RerankerModelError: it is not found, or cannot be loaded.
        InvalidTrainingSettings: it cannot be trained.
    """
    try:
        found = locate(settings.base)
        if found.packed:
            raise InvalidTrainingSettings(
                f"base must be a whole model; {found.name} holds its weights in 4 bits. Give the folder of a whole one"
            )
        recipe = read_recipe(found.root, found.name)
        torch.manual_seed(settings.seed)
        encoder = JointEncoder(load(found.root, settings.dropout, recipe), recipe, device)
    except ModelError as error:
        raise RerankerModelError(str(error)) from error
    body = JointBody(encoder, found, recipe)
    if settings.method == "lora":
        _add_lora(body, settings)
    return body


def load(root: Path, dropout: float, recipe: Recipe) -> Any:
    """Return a sentence-transformers model from its folder, in full precision.

    Raises:
        RerankerModelError: it cannot be loaded.
    """
    from sentence_transformers import SentenceTransformer

    rates = {name: dropout for name in _DROPOUT if name in recipe.config}
    try:
        return SentenceTransformer(
            str(root),
            device="cpu",
            model_kwargs={"dtype": torch.float32},
            config_kwargs=rates,
            local_files_only=True,
        )
    except Exception as error:  # whatever transformers and a model's own code raise
        raise RerankerModelError(f"{root}: sentence-transformers cannot load it: {error}") from error


def _add_lora(body: JointBody, settings: JointSettings) -> None:
    from peft import LoraConfig

    names = [name for name, module in body.transformer.named_modules() if isinstance(module, nn.Linear)]
    config = LoraConfig(
        r=settings.rank, lora_alpha=settings.alpha, target_modules=names, bias="none", init_lora_weights=True
    )
    torch.manual_seed(settings.seed + 1)
    body.transformer.add_adapter(config)
