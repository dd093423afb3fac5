"""An encoder on ONNX Runtime: for processors, without torch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from indexer.encoder.architectures import shape_of
from indexer.encoder.batches import BUDGET, plan
from indexer.encoder.graph import build
from indexer.encoder.prompted import PromptedEncoder
from indexer.encoder.recipe import DenseLayer, Recipe
from indexer.encoder.tokens import Tokens
from indexer.encoder.unit import unit
from indexer.encoder.weights import Safetensors, Weights
from indexer.encoding import Vectors
from indexer.errors import ModelError


@dataclass(frozen=True, slots=True)
class _Dense:
    weight: Vectors
    bias: Vectors
    activation: str
    unit_first: bool

    def __call__(self, vectors: Vectors) -> Vectors:
        if self.unit_first:
            vectors = unit(vectors, "the layer after pooling")
        out = vectors @ self.weight.T + self.bias
        return np.tanh(out) if self.activation == "tanh" else out


class OnnxEncoder(PromptedEncoder):
    """A sentence encoder on ONNX Runtime. Safe to share between threads.

    Each batch runs on one thread, and as many batches at a time as there are threads: so no thread waits
    for another inside a batch.

    Args:
        name: The model's name.
        fingerprint: What tells its vectors from other models'.
        recipe: What its folder says.
        tokens: Its tokenizer.
        weights: Its tensors.
        int8: Whether to quantise its matrices.
        threads: How many batches to encode at a time; 0 for as many as there are processors to use.

    Raises:
        ModelError: the weights do not fit the recipe, or ONNX Runtime refuses the graph.
    """

    def __init__(
        self,
        name: str,
        fingerprint: str,
        recipe: Recipe,
        tokens: Tokens,
        weights: Weights,
        *,
        int8: bool = False,
        threads: int = 0,
    ) -> None:
        shape = shape_of(recipe.config, weights)
        dim = recipe.dense[-1].rows if recipe.dense else shape.width
        super().__init__(name, fingerprint, recipe, tokens, dim)
        if shape.first_position + self.max_tokens > shape.positions:
            raise ModelError(
                f"{name} is said to take {self.max_tokens} tokens and has places for "
                f"{shape.positions - shape.first_position}; correct max_seq_length in its folder"
            )
        words = f"{shape.prefix}{shape.names.words}.weight"
        rows, columns = weights.table(words)
        if rows < tokens.vocabulary or columns != shape.width:
            raise ModelError(
                f"{name}: its word table is {rows} x {columns}, and its tokenizer knows {tokens.vocabulary} words "
                f"and config.json a width of {shape.width}: they are of different models; fetch it again"
            )
        self._weights = weights
        self._words = words
        self._buckets = shape.buckets
        self._dense = [_load_dense(layer) for layer in recipe.dense]
        self._threads = threads or _processors()
        # int8 scales what passes between layers by the largest value in the batch: a text's vector would
        # depend on its neighbours, so each has a batch of its own.
        self._budget = 1 if int8 else BUDGET
        graph, self._given = build(shape, weights, recipe.pooling, int8)
        self._session = _session(graph, self._given)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        out = np.empty((len(texts), self.dim), dtype=np.float32)
        ids = self._tokens.ids(texts)
        batches = plan([len(item) for item in ids], self._threads, self._budget)

        def run(batch: NDArray[np.int64]) -> None:
            out[batch] = self._run([ids[index] for index in batch])

        if len(batches) < 2 or self._threads < 2:
            for batch in batches:
                run(batch)
        else:
            with ThreadPoolExecutor(min(self._threads, len(batches))) as pool:
                list(pool.map(run, batches))
        return out

    def _run(self, batch: Sequence[Sequence[int]]) -> Vectors:
        longest = max(len(ids) for ids in batch)
        ids = np.zeros((len(batch), longest), dtype=np.int64)
        mask = np.zeros((len(batch), longest), dtype=np.int32)
        for row, item in enumerate(batch):
            ids[row, : len(item)] = item
            mask[row, : len(item)] = 1
        feeds: dict[str, NDArray[np.generic]] = {"words": self._weights.rows(self._words, ids), "mask": mask}
        if self._buckets:
            feeds["buckets"] = _relative_buckets(longest, self._buckets)
        try:
            (pooled,) = self._session.run(None, feeds)
        except Exception as error:  # ONNX Runtime's errors share no public class
            raise ModelError(
                f"{self.name}: ONNX Runtime could not run a batch of {ids.shape}: {error}"
            ) from error
        for layer in self._dense:
            pooled = layer(pooled)
        return unit(pooled, self.name)


def _processors() -> int:
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


def _load_dense(layer: DenseLayer) -> _Dense:
    tensors = Safetensors([layer.weights])
    bias = tensors.tensor("linear.bias", (layer.rows,)) if layer.bias else np.zeros(layer.rows, np.float32)
    return _Dense(
        tensors.tensor("linear.weight", (layer.rows, layer.columns)), bias, layer.activation, layer.unit_first
    )


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
