"""A graph in ONNX Runtime, ready to run: batches of token ids in, a vector or a score a text out."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from indexer.encoder.architectures import Shape
from indexer.encoder.graph import Head, Pooling, build
from indexer.encoder.weights import Weights
from indexer.encoding import Vectors
from indexer.errors import ModelError


class OnnxGraph:
    """A network on ONNX Runtime. A run stays on the thread that asks for it; threads may share the object.

    Args:
        name: The model's name, for messages.
        shape: The network.
        weights: Its tensors.
        pooling: How a text's token vectors become one.
        vocabulary: Words that its tokenizer knows.
        int8: Whether to quantise its matrices.
        types: Whether texts come in two parts with a type each.
        head: What makes a score of the pooled vector; None for the vector itself.

    Raises:
        ModelError: the weights do not fit, or ONNX Runtime refuses the graph.
    """

    def __init__(
        self,
        name: str,
        shape: Shape,
        weights: Weights,
        pooling: Pooling,
        vocabulary: int,
        *,
        int8: bool = False,
        types: bool = False,
        head: Head | None = None,
    ) -> None:
        self._name = name
        self._weights = weights
        self._words = f"{shape.prefix}{shape.names.words}.weight"
        rows, columns = weights.table(self._words)
        if rows < vocabulary or columns != shape.width:
            raise ModelError(
                f"{name}: its word table is {rows} x {columns}, and its tokenizer knows {vocabulary} words "
                f"and config.json a width of {shape.width}: they are of different models; fetch it again"
            )
        self._buckets = shape.buckets
        self._types = types and bool(shape.names.types)
        graph, self._given = build(shape, weights, pooling, int8, types=types, head=head)
        self._session = _session(graph, self._given)

    def run(self, batch: Sequence[Sequence[int]], second: Sequence[int] = ()) -> Vectors:
        """Return what the graph gives for each text of a batch, float32, shape (texts, width), or (texts, 1).

        Args:
            batch: Token ids, specials included.
            second: Where in each text the second part begins, for a graph with types.

        Raises:
            ModelError: ONNX Runtime fails.
        """
        longest = max(len(ids) for ids in batch)
        ids = np.zeros((len(batch), longest), dtype=np.int64)
        mask = np.zeros((len(batch), longest), dtype=np.int32)
        for row, item in enumerate(batch):
            ids[row, : len(item)] = item
            mask[row, : len(item)] = 1
        feeds: dict[str, NDArray[np.generic]] = {"words": self._weights.rows(self._words, ids), "mask": mask}
        if self._types:
            feeds["types"] = (np.arange(longest) >= np.asarray(second)[:, None]) & (mask > 0)
            feeds["types"] = feeds["types"].astype(np.int64)
        if self._buckets:
            feeds["buckets"] = _relative_buckets(longest, self._buckets)
        try:
            (pooled,) = self._session.run(None, feeds)
        except Exception as error:  # ONNX Runtime's errors share no public class
            raise ModelError(
                f"{self._name}: ONNX Runtime could not run a batch of {ids.shape}: {error}"
            ) from error
        return np.asarray(pooled, dtype=np.float32)


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _session(graph: bytes, given: dict[str, NDArray[np.generic]]) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_mem_pattern = False
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(np.asarray(array)) for array in given.values()]
    try:
        options.add_external_initializers(list(given), values)
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no public class
        raise ModelError(
            f"ONNX Runtime {onnxruntime.__version__} refuses the model's graph: {error}"
        ) from error


def _relative_buckets(length: int, buckets: int, furthest: int = 128) -> NDArray[np.int64]:
    """Return the bucket of every pair of positions, shape (length, length).

    Half of the buckets are for each direction; of these half are for single distances and the rest widen
    logarithmically up to `furthest` (Raffel et al. 2020, section 2.1, as MPNet uses it).
    """
    distance = np.arange(length)[:, None] - np.arange(length)[None, :]
    half = buckets // 2
    single = half // 2
    away = np.abs(distance)
    with np.errstate(divide="ignore"):
        wide = single + np.log(away / single) / np.log(furthest / single) * (half - single)
    far = np.minimum(np.where(away < single, 0, wide).astype(np.int64), half - 1)
    return np.where(distance < 0, half, 0) + np.where(away < single, away, far)
