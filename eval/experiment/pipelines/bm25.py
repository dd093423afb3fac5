"""The `rank-bm25` kind: the library rank_bm25 over whole documents, on the terms of Quire's analyser."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from eval.collection import Topic
from eval.errors import MissingDependency
from eval.experiment.pipeline import Answer, Ground, PipelineFailed, Ready
from eval.experiment.pipelines.quire import words_of
from eval.experiment.pipelines.scored import Scored
from indexer.document import Document

Scorer = Callable[[str], NDArray[np.float64]]


def whole_text(document: Document) -> str:
    """Return what systems read that know no passages: the title and the text."""
    return f"{document.title}\n{document.text}" if document.title else document.text


def bm25_over_documents(ground: Ground, k1: float, b: float, language: str) -> tuple[list[str], Scorer]:
    """Return the collection's document ids, and a function from a query to the BM25 score of each of them.

    Raises:
        MissingDependency: rank_bm25 is not installed.
        PipelineFailed: the collection has no document with a word in it.
    """
    try:
        from rank_bm25 import BM25Okapi
    except ImportError as error:
        raise MissingDependency("rank-bm25", "the rank-bm25 baseline") from error
    from indexer.analyser import Analyser

    analyser = Analyser(language)
    doc_ids: list[str] = []
    terms: list[list[str]] = []
    for number, document in enumerate(ground.documents(), 1):
        doc_ids.append(document.doc_id)
        terms.append(analyser.terms(whole_text(document)))
        ground.progress("reading words", number)
    if not any(terms):
        raise PipelineFailed("no document of the collection has a word in it")
    model: Any = BM25Okapi(terms, k1=k1, b=b)

    def scores(text: str) -> NDArray[np.float64]:
        found: NDArray[np.float64] = model.get_scores(analyser.query_terms(text))
        return found

    return doc_ids, scores


@dataclass(frozen=True, slots=True)
class RankBM25:
    """BM25 as rank_bm25 computes it (Okapi's formula, rare words' weight kept positive), over whole documents.

    Args:
        k1: How soon repeating a word stops counting.
        b: How much length counts against a document.
        language: Of the analyser.
    """

    kind: ClassVar[str] = "rank-bm25"
    sources: ClassVar[tuple[str, ...]] = ("indexer.analyser", "eval.experiment.pipelines.scored")
    k1: float = 1.5
    b: float = 0.75
    language: str = "english"

    def settings(self) -> Mapping[str, str]:
        """Return every setting in words."""
        return words_of(self)

    def ingredients(self, ground: Ground) -> Mapping[str, str]:
        """Return the analyser's fingerprint."""
        from indexer.analyser import Analyser

        return {"analyser": Analyser(self.language).fingerprint}

    @contextmanager
    def prepare(self, ground: Ground) -> Iterator[Ready]:
        """Count the words of all documents."""
        doc_ids, scores = bm25_over_documents(ground, self.k1, self.b, self.language)
        ranks = Scored(doc_ids)

        def answer(topic: Topic, k: int) -> Answer:
            found = scores(topic.text)
            return Answer(ranks.best(found, k, among=found != 0))

        yield Ready(answer)
