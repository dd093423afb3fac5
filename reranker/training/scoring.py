"""A cross-encoder's scores of pairs on torch: for the loss, with gradients, and for measuring, without."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from indexer.encoder.batches import plan
from reranker.data.example import Example
from reranker.pairs import passage_text
from reranker.training.reader import Pair, PairReader

_PAIRS_AT_ONCE = 512


def score_pairs(
    model: Any,
    pairs: Sequence[Pair],
    reader: PairReader | None,
    tokens_per_pass: int = 0,
    prompt: str | None = None,
    task: str | None = None,
) -> Tensor:
    """Return the model's logit of each pair, (n,), in the order given.

    Args:
        model: A sentence-transformers `CrossEncoder`.
        pairs: Queries and passages.
        reader: Makes windows of a pair, whose highest logit counts; None for the model's own reading of
            `PassageText.full`, cut where it is too long.
        tokens_per_pass: Tokens that go through the model at once, padding included; 0 for all. Without a reader
            lengths are guessed from the texts.
        prompt: As the model's `preprocess`; without a reader only.
        task: As the model's `preprocess`; without a reader only.
    """
    device = next(model.parameters()).device
    if not pairs:
        learned = next((one for one in model.parameters() if one.requires_grad), next(model.parameters()))
        return torch.as_tensor(learned.flatten()[:0])
    if reader is None:
        texts = [(query, passage_text(passage).full) for query, passage in pairs]
        owners = list(range(len(pairs)))
        lengths = [(len(query) + len(text)) // 4 + 4 for query, text in texts]
    else:
        windows, owners = reader.windows(pairs)
        lengths = [len(window.ids) for window in windows]
    batches = plan(lengths, budget=tokens_per_pass or sum(lengths) * max(lengths))
    passes = []
    for batch in batches:
        if reader is None:
            features = model.preprocess([texts[n] for n in batch], prompt=prompt, task=task)
        else:
            features = reader.tensors([windows[n] for n in batch])
        moved = {
            name: value.to(device) if hasattr(value, "to") else value for name, value in features.items()
        }
        passes.append(model(moved)["scores"].view(-1))
    owner = torch.tensor([owners[n] for batch in batches for n in batch], device=device)
    scores = torch.cat(passes)
    if len(owners) == len(pairs):
        return torch.as_tensor(scores.new_zeros(len(pairs)).index_add(0, owner, scores))
    lowest = scores.new_full((len(pairs),), -torch.inf)
    return torch.as_tensor(lowest.scatter_reduce(0, owner, scores, "amax"))


def score_examples(
    model: Any,
    examples: Iterable[Example],
    reader: PairReader,
    tokens_per_pass: int = 0,
    precision: str = "fp32",
) -> list[NDArray[np.float64]]:
    """Return the scores of each example's passages, without gradients and without dropout.

    The model is left in the state (training or not) that it was in.

    Args:
        model: A sentence-transformers `CrossEncoder`.
        examples: Read one after the other; 512 pairs are held at a time.
        reader: As `score_pairs`.
        tokens_per_pass: As `score_pairs`.
        precision: `fp32`, `bf16` or `fp16`.
    """
    training = model.training
    model.eval()
    found: list[NDArray[np.float64]] = []
    kind = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision)
    try:
        with torch.inference_mode(), torch.autocast(model.device.type, dtype=kind, enabled=kind is not None):
            for group in _groups(examples):
                pairs: list[Pair] = [(one.query, passage) for one in group for passage in one.passages]
                scores = score_pairs(model, pairs, reader, tokens_per_pass).double().cpu().numpy()
                ends = np.cumsum([len(one.passages) for one in group])[:-1]
                found += np.split(scores, ends)
    finally:
        model.train(training)
    return found


def _groups(examples: Iterable[Example]) -> Iterator[list[Example]]:
    """Yield the examples in groups of about as many pairs as are held at a time."""
    group: list[Example] = []
    pairs = 0
    for example in examples:
        if pairs and pairs + len(example.passages) > _PAIRS_AT_ONCE:
            yield group
            group, pairs = [], 0
        group.append(example)
        pairs += len(example.passages)
    if group:
        yield group
