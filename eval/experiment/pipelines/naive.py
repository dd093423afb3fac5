"""The `naive` kind: what an afternoon's script does, and so the floor that a search engine has to be above.

BM25 over whole documents, one vector of the beginning of each document, and a weighted mean of the two, each
stretched over all documents of a query from its least score at 0 to its greatest at 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import ClassVar

import numpy as np

from engine.configuration import IndexingSettings
from eval.collection import Topic
from eval.experiment.pipeline import Answer, Ground, Ready
from eval.experiment.pipelines.bm25 import bm25_over_documents, whole_text
from eval.experiment.pipelines.quire import in_words
from eval.experiment.pipelines.scored import Floats, Scored
from indexer.encoding import Encoder, Vectors

_BATCH = 64
_ENOUGH = 20_000  # characters: no encoder of so few tokens reads further


@dataclass(frozen=True, slots=True)
class Naive:
    """The min-max mean of BM25 over whole documents and the cosine with the first tokens of each.

    Args:
        alpha: Weight of the cosine.
        k1: Of BM25.
        b: Of BM25.
        indexing: Its encoder, precision, language, and `tokens`: how many of them the encoder reads.
    """

    kind: ClassVar[str] = "naive"
    sources: ClassVar[tuple[str, ...]] = (
        "indexer.analyser",
        "indexer.encoder",
        "eval.experiment.pipelines.scored",
        "eval.experiment.pipelines.bm25",
    )
    alpha: float = 0.5
    k1: float = 1.5
    b: float = 0.75
    indexing: IndexingSettings = field(default_factory=IndexingSettings)

    def settings(self) -> Mapping[str, str]:
        """Return every setting in words."""
        own = {name: in_words(getattr(self, name)) for name in ("alpha", "k1", "b")}
        return own | {
            name: in_words(getattr(self.indexing, name))
            for name in ("encoder", "precision", "tokens", "language")
        }

    def ingredients(self, ground: Ground) -> Mapping[str, str]:
        """Return the fingerprints of analyser and encoder."""
        from indexer.analyser import Analyser

        return {
            "analyser": Analyser(self.indexing.language).fingerprint,
            "encoder": ground.encoder(self.indexing).fingerprint,
        }

    @contextmanager
    def prepare(self, ground: Ground) -> Iterator[Ready]:
        """Count the words of all documents, and encode the beginning of each."""
        encoder = ground.encoder(self.indexing)
        doc_ids, words = bm25_over_documents(ground, self.k1, self.b, self.indexing.language)
        tokens = min(self.indexing.tokens, encoder.max_tokens)
        key = f"beginnings\n{encoder.fingerprint}\n{tokens}"
        vectors = ground.kept(key, lambda: _beginnings(ground, encoder, tokens))
        ranks = Scored(doc_ids)

        def answer(topic: Topic, k: int) -> Answer:
            meaning = vectors @ encoder.encode_query(topic.text)
            mean = (1 - self.alpha) * stretched(words(topic.text)) + self.alpha * stretched(meaning)
            return Answer(ranks.best(mean, k))

        yield Ready(answer)


def stretched(scores: Floats) -> Floats:
    """Return scores moved and scaled so that the least is 0 and the greatest 1; all 0 where they are equal."""
    low, high = float(scores.min()), float(scores.max())
    return (scores - low) / (high - low) if high > low else np.zeros_like(scores)


def _beginnings(ground: Ground, encoder: Encoder, tokens: int) -> Vectors:
    """Encode the first tokens of every document, shape (documents, dim)."""
    room = tokens - encoder.overhead_tokens
    texts = (whole_text(document)[:_ENOUGH] for document in ground.documents())
    rows: list[Vectors] = []
    done = 0
    while batch := list(islice(texts, _BATCH)):
        offsets = encoder.token_offsets(batch)
        cut = [
            text if len(places) <= room else text[: int(places[room - 1][1])]
            for text, places in zip(batch, offsets, strict=True)
        ]
        rows.append(encoder.encode_passages(cut))
        done += len(batch)
        ground.progress("encoding beginnings", done)
    return np.concatenate(rows)
