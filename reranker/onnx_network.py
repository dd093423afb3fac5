"""A cross-encoder's network on ONNX Runtime: for processors, without torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.encoder.architectures import Shape
from indexer.encoder.batches import BUDGET
from indexer.encoder.onnx_graph import OnnxGraph, processors
from indexer.encoder.weights import Weights
from indexer.errors import ModelError
from reranker.errors import RerankerModelError
from reranker.heads import RerankerHead
from reranker.layout import parts_of, types_of
from reranker.match import PARTS, MatchHead
from reranker.scorer import Scores
from reranker.windows import Window


class OnnxNetwork:
    """Runs each batch on the thread that brings it. Safe to share between threads.

    Args:
        name: The model's name, for messages.
        shape: The network.
        weights: Its tensors.
        head: What makes a logit of a window's token states.
        vocabulary: Words that its tokenizer knows.
        types: Whether query and passage have a type each.
        int8: Whether to quantise the layers' matrices.
        threads: How many batches to run at a time; 0 for as many as there are processors to use.

    Raises:
        ModelError: the weights do not fit, or ONNX Runtime refuses the graph.
    """

    def __init__(
        self,
        name: str,
        shape: Shape,
        weights: Weights,
        head: RerankerHead,
        vocabulary: int,
        *,
        types: bool,
        int8: bool = False,
        threads: int = 0,
    ) -> None:
        self.workers = threads or processors()
        # int8 scales what passes between layers by the largest value in the batch: a score would depend on the
        # batch's other pairs, so each has a batch of its own.
        self.budget = 1 if int8 else BUDGET
        self.step = 1
        self._types = types and bool(shape.names.types)
        self._parts = isinstance(head, MatchHead)
        self._graph = OnnxGraph(name, shape, weights, head, vocabulary, int8=int8, types=self._types)

    def run(self, batch: Sequence[Window]) -> Scores:
        """Return the logits of a batch, float32, shape (windows,).

        Raises:
            RerankerModelError: ONNX Runtime fails.
        """
        more: dict[str, NDArray[np.generic]] = {"types": types_of(batch)} if self._types else {}
        if self._parts:
            more |= {name: part.astype(np.float32) for name, part in zip(PARTS, parts_of(batch), strict=True)}
        try:
            out = self._graph.run([window.ids for window in batch], more)
        except ModelError as error:
            raise RerankerModelError(str(error)) from error
        return out[:, 0]
