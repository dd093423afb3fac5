"""The kinds `one-vector` and `first-passage`: what meaning alone finds without a vector for each passage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from engine.configuration import IndexingSettings
from eval.collection import Topic
from eval.experiment.fingerprint import INDEXING
from eval.experiment.pipeline import Answer, Ground, PipelineFailed, Ready
from eval.experiment.pipelines.quire import SPANS, index_words
from eval.experiment.pipelines.scored import Scored
from eval.run import Span
from indexer.encoding import Vectors


@dataclass(frozen=True, slots=True)
class _Pooled:
    """One vector a document, made of those of its passages; ranked by cosine.

    Args:
        indexing: How the index is made whose vectors these are.
    """

    sources: ClassVar[tuple[str, ...]] = (*INDEXING, "eval.experiment.pipelines.scored")
    indexing: IndexingSettings = field(default_factory=IndexingSettings)

    def settings(self) -> Mapping[str, str]:
        """Return every setting in words."""
        return index_words(self.indexing)

    def ingredients(self, ground: Ground) -> Mapping[str, str]:
        """Return the index's fingerprint."""
        return {"index": ground.index_fingerprint(self.indexing)}


class OneVector(_Pooled):
    """The mean of a document's vectors."""

    __slots__ = ()
    kind: ClassVar[str] = "one-vector"

    @contextmanager
    def prepare(self, ground: Ground) -> Iterator[Ready]:
        """Take the mean of each document's vectors."""
        yield _by_pooled(ground, self.indexing, lambda vectors: vectors.mean(axis=0), shows_first=False)


class FirstPassage(_Pooled):
    """The vector of a document's first passage alone, as encoders that cut long texts make it."""

    __slots__ = ()
    kind: ClassVar[str] = "first-passage"

    @contextmanager
    def prepare(self, ground: Ground) -> Iterator[Ready]:
        """Take the vector of each document's first passage."""
        yield _by_pooled(ground, self.indexing, lambda vectors: vectors[0], shows_first=True)


def _by_pooled(
    ground: Ground, indexing: IndexingSettings, pool: Callable[[Vectors], Vectors], *, shows_first: bool
) -> Ready:
    index, facts = ground.index(indexing)
    reader, encoder = index.reader(), index.encoder
    pooled: list[Vectors] = []
    doc_ids: list[str] = []
    first: dict[str, Span] = {}
    numbers = reader.live_documents()
    for done, (number, doc_id) in enumerate(zip(numbers.tolist(), reader.doc_ids(numbers), strict=True), 1):
        passages = reader.passages_of(number)
        vectors = reader.vectors(passages)
        seen = vectors[
            np.any(vectors != 0, axis=1)
        ]  # those in a script that the encoder does not read have none
        if len(seen):
            pooled.append(pool(seen))
            doc_ids.append(doc_id)
            if shows_first:
                begin = reader.passages(passages[:1])[0].passage
                first[doc_id] = Span(doc_id, begin.start, begin.end)
        ground.progress("pooling vectors", done, len(numbers))
    if not pooled:
        raise PipelineFailed(
            f"encoder {encoder.name} reads none of the documents; choose one for their language"
        )
    matrix = np.stack(pooled)
    matrix /= np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)
    ranks = Scored(doc_ids)

    def answer(topic: Topic, k: int) -> Answer:
        ranked = ranks.best(matrix @ encoder.encode_query(topic.text), k)
        return Answer(ranked, [first[doc_id] for doc_id, _ in ranked[:SPANS]] if shows_first else ())

    return Ready(answer, facts)
