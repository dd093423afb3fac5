"""An encoder on ONNX Runtime: for processors, without torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from indexer.encoder.architectures import shape_of
from indexer.encoder.batches import BUDGET, plan
from indexer.encoder.onnx_graph import OnnxGraph, processors
from indexer.encoder.prompted import PromptedEncoder
from indexer.encoder.recipe import DenseLayer, Recipe
from indexer.encoder.tokens import Framed, Tokens
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
        self._dense = [_load_dense(layer) for layer in recipe.dense]
        self._threads = threads or processors()
        # int8 scales what passes between layers by the largest value in the batch: a text's vector would
        # depend on its neighbours, so each has a batch of its own.
        self._budget = 1 if int8 else BUDGET
        # Pooling by the first token, the last layer passes the others over: their states take a graph of its own.
        self._whole = recipe.pooling != "cls"
        self._make = partial(OnnxGraph, name, shape, weights, recipe.pooling, tokens.vocabulary, int8=int8)
        self._graph = self._make(tokens=self._whole)

    @property
    def _tokens_are_free(self) -> bool:
        return self._whole

    @cached_property
    def _token_graph(self) -> OnnxGraph:
        return self._graph if self._whole else self._make(tokens=True)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        out = np.empty((len(texts), self.dim), dtype=np.float32)
        ids = self._tokens.ids(texts)

        def run(batch: NDArray[np.int64]) -> None:
            out[batch] = self._finished(self._graph.run([ids[index] for index in batch]))

        self._each_batch(ids, run)
        return out

    def _encode_states(self, texts: Sequence[str], framed: Sequence[Framed]) -> tuple[Vectors, list[Vectors]]:
        out = np.empty((len(texts), self.dim), dtype=np.float32)
        states: list[Vectors] = [out] * len(texts)
        ids = [item.ids for item in framed]
        graph = self._token_graph

        def run(batch: NDArray[np.int64]) -> None:
            pooled, found = graph.run_states([ids[index] for index in batch])
            out[batch] = self._finished(pooled)
            for index, state in zip(batch.tolist(), found, strict=True):
                states[index] = state

        self._each_batch(ids, run)
        return out, states

    def _each_batch(self, ids: Sequence[Sequence[int]], run: Callable[[NDArray[np.int64]], None]) -> None:
        batches = plan([len(item) for item in ids], self._threads, self._budget)
        if len(batches) < 2 or self._threads < 2:
            for batch in batches:
                run(batch)
        else:
            with ThreadPoolExecutor(min(self._threads, len(batches))) as pool:
                list(pool.map(run, batches))

    def _finished(self, pooled: Vectors) -> Vectors:
        for layer in self._dense:
            pooled = layer(pooled)
        return unit(pooled, self.name)


def _load_dense(layer: DenseLayer) -> _Dense:
    tensors = Safetensors([layer.weights])
    bias = tensors.tensor("linear.bias", (layer.rows,)) if layer.bias else np.zeros(layer.rows, np.float32)
    return _Dense(
        tensors.tensor("linear.weight", (layer.rows, layer.columns)), bias, layer.activation, layer.unit_first
    )
