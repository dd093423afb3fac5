"""A graph in ONNX Runtime, ready to run: batches of token ids in, a vector or a score a text out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

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
        end: How a text's token vectors become one, or the head that makes a score of them.
        vocabulary: Words that its tokenizer knows.
        int8: Whether to quantise its matrices.
        types: Whether each token's type is given.
        tokens: Whether `run_states` will be asked for.

    Raises:
        ModelError: the weights do not fit, or ONNX Runtime refuses the graph.
    """

    def __init__(
        self,
        name: str,
        shape: Shape,
        weights: Weights,
        end: Pooling | Head,
        vocabulary: int,
        *,
        int8: bool = False,
        types: bool = False,
        tokens: bool = False,
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
        graph, self._given = build(shape, weights, end, int8, types=types, tokens=tokens)
        self._session = _session(graph, self._given)
        self._outputs = [output.name for output in self._session.get_outputs()]

    def run(
        self, batch: Sequence[Sequence[int]], more: Mapping[str, NDArray[np.generic]] | None = None
    ) -> Vectors:
        """Return what the graph gives for each text of a batch, float32, shape (texts, width), or (texts, 1).

        Args:
            batch: Token ids, specials included.
            more: What else the graph has as input, by name: `types`, and what its head asks for.

        Raises:
            ModelError: ONNX Runtime fails.
        """
        (pooled,) = self._run(batch, 1, more or {})
        return pooled

    def run_states(self, batch: Sequence[Sequence[int]]) -> tuple[Vectors, list[Vectors]]:
        """Return what `run` returns, and each text's states after the last layer, shape (its tokens, width).

        The states are views of one array: who keeps one keeps all.

        Raises:
            ModelError: ONNX Runtime fails.
        """
        pooled, states = self._run(batch, 2, {})
        return pooled, [states[row, : len(ids)] for row, ids in enumerate(batch)]

    def _run(
        self, batch: Sequence[Sequence[int]], outputs: int, more: Mapping[str, NDArray[np.generic]]
    ) -> list[Vectors]:
        longest = max(len(ids) for ids in batch)
        ids = np.zeros((len(batch), longest), dtype=np.int64)
        mask = np.zeros((len(batch), longest), dtype=np.int32)
        for row, item in enumerate(batch):
            ids[row, : len(item)] = item
            mask[row, : len(item)] = 1
        feeds: dict[str, NDArray[np.generic]] = {"words": self._weights.rows(self._words, ids), "mask": mask}
        feeds |= more
        if self._buckets:
            feeds["buckets"] = _relative_buckets(longest, self._buckets)
        try:
            found = self._session.run(self._outputs[:outputs], feeds)
        except Exception as error:  # ONNX Runtime's errors share no public class
            raise ModelError(
                f"{self._name}: ONNX Runtime could not run a batch of {ids.shape}: {error}"
            ) from error
        return [np.asarray(output, dtype=np.float32) for output in found]


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
