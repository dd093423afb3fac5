"""An encoder on torch, through sentence-transformers: for GPUs, for bf16, and for any architecture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from indexer.document import storable
from indexer.encoder.batches import BUDGET, plan
from indexer.encoder.prompted import PromptedEncoder
from indexer.encoder.recipe import Recipe
from indexer.encoder.tokens import Framed, Tokens, read_tokenizer
from indexer.encoder.unit import unit
from indexer.encoding import Vectors
from indexer.errors import ModelError

_GPU_BUDGET = 32_768


class TorchEncoder(PromptedEncoder):
    """A sentence-transformers model. Safe to share between threads, which take turns.

    Args:
        name: The model's name.
        fingerprint: What tells its vectors from other models'.
        root: Its folder.
        recipe: What its folder says.
        precision: `fp32` or `bf16`.
        device: `cpu` or `cuda`.

    Raises:
        ModelError: sentence-transformers cannot load it, or the device is not there.
    """

    def __init__(
        self, name: str, fingerprint: str, root: Path, recipe: Recipe, *, precision: str, device: str
    ) -> None:
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
        import torch
        from sentence_transformers import SentenceTransformer

        if device == "cuda" and not torch.cuda.is_available():
            raise ModelError("device='cuda' was asked for and torch finds no GPU; ask for device='cpu'")
        kind = torch.bfloat16 if precision == "bf16" else torch.float32
        try:
            self._model: Any = SentenceTransformer(
                str(root), device=device, model_kwargs={"dtype": kind}, local_files_only=True
            )
        except Exception as error:  # whatever a model's own code raises
            raise ModelError(f"{name}: sentence-transformers cannot load it: {error}") from error
        path = recipe.folder / "tokenizer.json"
        tokenizer = read_tokenizer(path) if path.is_file() else self._converted(name)
        limit = int(self._model.max_seq_length or recipe.max_tokens or 512)
        tokens = Tokens(tokenizer, limit, lower=recipe.lower)
        super().__init__(name, fingerprint, recipe, tokens, int(self._model.get_embedding_dimension() or 0))
        self._budget = _GPU_BUDGET if device == "cuda" else BUDGET
        self._turn = Lock()

    def _encode(self, texts: Sequence[str]) -> Vectors:
        out = np.empty((len(texts), self.dim), dtype=np.float32)
        shown = [storable(text) for text in texts]
        lengths = [len(ids) for ids in self._tokens.ids(shown)]
        for batch in plan(lengths, budget=self._budget):
            with self._turn:
                vectors = self._model.encode(
                    [shown[index] for index in batch],
                    prompt="",
                    batch_size=len(batch),
                    show_progress_bar=False,
                    convert_to_numpy=True,
                )
            out[batch] = unit(np.asarray(vectors, dtype=np.float32), self.name)
        return out

    @property
    def _tokens_are_free(self) -> bool:
        return False  # they would be taken off the GPU for every query

    def _encode_states(self, texts: Sequence[str], framed: Sequence[Framed]) -> tuple[Vectors, list[Vectors]]:
        out = np.empty((len(texts), self.dim), dtype=np.float32)
        states: list[Vectors] = [out] * len(texts)
        shown = [storable(text) for text in texts]
        for batch in plan([len(item.ids) for item in framed], budget=self._budget):
            with self._turn:
                found = self._model.encode(
                    [shown[index] for index in batch],
                    prompt="",
                    output_value=None,
                    batch_size=len(batch),
                    show_progress_bar=False,
                )
            for index, outputs in zip(batch.tolist(), found, strict=True):
                mask = outputs["attention_mask"].bool()
                states[index] = outputs["token_embeddings"][mask].float().cpu().numpy()
                out[index] = outputs["sentence_embedding"].float().cpu().numpy()
        return unit(out, self.name), states

    def _converted(self, name: str) -> Any:
        backend = getattr(self._model.tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise ModelError(f"{name}: has no tokenizer.json and its tokenizer cannot be converted to one")
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_str(backend.to_str())
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer
