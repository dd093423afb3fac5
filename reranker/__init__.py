"""How well does this passage answer this query? Strings in, scores out.

    scorer = load_reranker()
    scores = scorer.score("who wrote it down first?", ["a passage", PassageText("another", title="Its book")])

- `load_reranker` finds a cross-encoder and returns a `PairScorer`.
- `PassageText` is what it reads of a passage; `Judgement` is what comes of a call with a deadline.
- `OverlapScorer` needs no model: for your tests.
- `RerankerError` is the root of what can go wrong (`reranker.errors`).

It knows neither the index nor the query layer, so that it can be used without them. Importing this package imports
nothing heavy; a name is imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reranker.errors import (
        InvalidRerankerSettings,
        InvalidTrainingSettings,
        MissingDependency,
        RerankerError,
        RerankerModelError,
        TrainingDataError,
        TrainingInterrupted,
    )
    from reranker.load import DEFAULT_RERANKER, load_reranker
    from reranker.overlap import OverlapScorer
    from reranker.pairs import PassageText
    from reranker.scorer import Judgement, PairScorer, Scores

__all__ = [
    "DEFAULT_RERANKER",
    "InvalidRerankerSettings",
    "InvalidTrainingSettings",
    "Judgement",
    "MissingDependency",
    "OverlapScorer",
    "PairScorer",
    "PassageText",
    "RerankerError",
    "RerankerModelError",
    "Scores",
    "TrainingDataError",
    "TrainingInterrupted",
    "load_reranker",
]

_HOME = {
    "DEFAULT_RERANKER": "reranker.load",
    "InvalidRerankerSettings": "reranker.errors",
    "InvalidTrainingSettings": "reranker.errors",
    "Judgement": "reranker.scorer",
    "MissingDependency": "reranker.errors",
    "OverlapScorer": "reranker.overlap",
    "PairScorer": "reranker.scorer",
    "PassageText": "reranker.pairs",
    "RerankerError": "reranker.errors",
    "RerankerModelError": "reranker.errors",
    "Scores": "reranker.scorer",
    "TrainingDataError": "reranker.errors",
    "TrainingInterrupted": "reranker.errors",
    "load_reranker": "reranker.load",
}


def __getattr__(name: str) -> Any:
    """Import a public name where it lives (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
