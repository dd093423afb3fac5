"""The head that compares query and passage, on torch: for training, and for inference on a GPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from reranker.match import PARTS, SCALES


class TorchMatchHead(nn.Module):
    """`reranker.match` says what it computes. In float32, also where what is around it is not.

    A module of a sentence-transformers `CrossEncoder`: of the features it takes `token_embeddings` (windows, length,
    width) and `reranker.match.PARTS`, and it adds `scores` (windows, 1).

    Args:
        width: Of a token's state.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.match = nn.Linear(2, 1, bias=False)
        self.token = nn.Linear(width, 1, bias=False)
        self.cls = nn.Linear(width, 1)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.zero_()
            self.match.weight.copy_(torch.tensor([SCALES]))

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the features with their scores."""
        states = features["token_embeddings"]
        with torch.autocast(states.device.type, enabled=False):
            query, passage = (features[name].bool() for name in PARTS)
            scores = self._scores(states.float(), query, passage)
        return features | {"scores": scores}

    def _scores(self, states: Tensor, query: Tensor, passage: Tensor) -> Tensor:
        asking = states[:, : query.shape[1]]
        near = normalize(asking, dim=-1) @ normalize(states, dim=-1).transpose(1, 2)
        best = near.masked_fill(~passage[:, None], -2.0).amax(-1)
        share = self.token(asking)[..., 0].masked_fill(~query, -1e9).softmax(-1)
        there = query.any(-1) & passage.any(-1)
        late = (best * share).sum(-1).masked_fill(~there, 0.0)
        means = [
            normalize((rows * part[..., None]).sum(1), dim=-1)
            for rows, part in ((asking, query), (states, passage))
        ]
        alike = (means[0] * means[1]).sum(-1)
        scores: Tensor = self.match(torch.stack([late, alike], -1)) + self.cls(states[:, 0])
        return scores
