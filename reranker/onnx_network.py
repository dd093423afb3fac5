"""A cross-encoder's network on ONNX Runtime: for processors, without torch."""

from __future__ import annotations

from collections.abc import Sequence

from indexer.encoder.architectures import Shape
from indexer.encoder.batches import BUDGET
from indexer.encoder.graph import Head, Pooling
from indexer.encoder.onnx_graph import OnnxGraph, processors
from indexer.encoder.weights import Weights
from indexer.errors import ModelError
from reranker.errors import RerankerModelError
from reranker.scorer import Scores
from reranker.windows import Window


class OnnxNetwork:
    """Runs each batch on the thread that brings it. Safe to share between threads.

    Args:
        name: The model's name, for messages.
        shape: The network.
        weights: Its tensors.
        pooling: How the vectors of a window's tokens become one.
        head: What makes a logit of it.
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
        pooling: Pooling,
        head: Head,
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
        self._graph = OnnxGraph(name, shape, weights, pooling, vocabulary, int8=int8, types=types, head=head)

    def run(self, batch: Sequence[Window]) -> Scores:
        """Return the logits of a batch, float32, shape (windows,).

        Raises:
            RerankerModelError: ONNX Runtime fails.
        """
        try:
            out = self._graph.run([window.ids for window in batch], [window.second for window in batch])
        except ModelError as error:
            raise RerankerModelError(str(error)) from error
        return out[:, 0]
