"""A cross-encoder's network on torch: for GPUs, for bf16, and for architectures without a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from indexer.encoder.batches import plan
from reranker.combine import Combined
from reranker.errors import RerankerModelError
from reranker.layout import ids_of, parts_of, types_of
from reranker.match import PARTS, MatchHead
from reranker.scorer import Scores
from reranker.source import Source
from reranker.torch_model import build
from reranker.windows import Window

_GPU_BUDGET, _CPU_BUDGET = 32_768, 1_024
_GPU_STEP, _CPU_STEP = 8_192, 512


class TorchNetwork:
    """Runs what its callers bring together, in batches alike in length. Safe to share between threads.

    Args:
        source: The model.
        precision: `fp32` or `bf16`.
        device: `cpu` or `cuda`.

    Raises:
        RerankerModelError: torch cannot load it, or the device is not there.
    """

    workers = 1

    def __init__(self, source: Source, *, precision: str, device: str) -> None:
        if device == "cuda" and not torch.cuda.is_available():
            raise RerankerModelError(
                "device='cuda' was asked for and torch finds no GPU; ask for device='cpu'"
            )
        kind = torch.bfloat16 if precision == "bf16" else torch.float32
        try:
            self._forward = build(source, device, kind)
        except (RuntimeError, ValueError, OSError, KeyError, ImportError) as error:
            raise RerankerModelError(f"{source.name}: torch cannot load it: {error}") from error
        config = source.recipe.config
        self.places = int(config.get("max_position_embeddings") or 512)
        self.places -= int(config.get("pad_token_id") or 0) + 1 if config.get("model_type") in _OFFSET else 0
        self.budget, self.step = (_GPU_BUDGET, _GPU_STEP) if device == "cuda" else (_CPU_BUDGET, _CPU_STEP)
        self._name = source.name
        self._device = device
        self._padding = int(config.get("pad_token_id") or 0)
        self._types = source.types
        self._parts = isinstance(source.head, MatchHead)
        self._combined = Combined(self._run)

    def run(self, batch: Sequence[Window]) -> Scores:
        """Return the logits of a batch, float32, shape (windows,), together with those of whoever else waits.

        Raises:
            RerankerModelError: torch fails.
        """
        return self._combined(batch)

    def _run(self, windows: Sequence[Window]) -> Scores:
        out = np.empty(len(windows), np.float32)
        batches = plan([len(window.ids) for window in windows], budget=self.budget)
        try:
            with torch.inference_mode():
                logits = [
                    self._forward(self._feeds([windows[index] for index in batch])) for batch in batches
                ]
                found = torch.cat(logits).float().cpu().numpy()
        except RuntimeError as error:
            raise RerankerModelError(
                f"{self._name}: torch could not run {len(windows)} pairs: {error}"
            ) from error
        out[np.concatenate(batches)] = found
        return out

    def _feeds(self, batch: Sequence[Window]) -> dict[str, Any]:
        ids, mask = ids_of(batch, self._padding)
        feeds = {"input_ids": ids, "attention_mask": mask.astype(np.int64)}
        if self._types:
            feeds["token_type_ids"] = types_of(batch)
        parts = dict(zip(PARTS, parts_of(batch), strict=True)) if self._parts else {}
        return {
            key: torch.from_numpy(value).to(self._device, non_blocking=True)
            for key, value in (feeds | parts).items()
        }


_OFFSET = frozenset({"roberta", "xlm-roberta", "camembert", "mpnet"})
