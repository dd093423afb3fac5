"""Training a reranker: on judgements, clicks, or documents alone.

    outcome = train(TrainingSettings(epochs=2), data, "runs/first", progress=print)
    scorer = load_reranker(str(outcome.model))

- `TrainingSettings` is everything that decides what a run does; `train` does it.
- `ranknet` is the loss by itself, on tensors; `objective` makes any of them for sentence-transformers' trainer.
- `mix` puts a sample of old data among new, so that the new is learned and the old not forgotten.
- `ndcg` and `sign_flips` are what is measured while training, and whether it differs by more than chance.

What the data are is `reranker.data`'s business. Importing this package imports nothing heavy: training needs the
extra `quire-search[train]`, and says so when it is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reranker.training.measure import Change, ndcg, sign_flips
    from reranker.training.objectives import OBJECTIVES, objective
    from reranker.training.objectives.ranknet import ranknet
    from reranker.training.outcome import TrainingOutcome
    from reranker.training.progress import Progress, Progressed
    from reranker.training.replay import mix
    from reranker.training.run import train
    from reranker.training.settings import TrainingSettings

__all__ = [
    "OBJECTIVES",
    "Change",
    "Progress",
    "Progressed",
    "TrainingOutcome",
    "TrainingSettings",
    "mix",
    "ndcg",
    "objective",
    "ranknet",
    "sign_flips",
    "train",
]

_HOME = {
    "OBJECTIVES": "reranker.training.objectives",
    "Change": "reranker.training.measure",
    "Progress": "reranker.training.progress",
    "Progressed": "reranker.training.progress",
    "TrainingOutcome": "reranker.training.outcome",
    "TrainingSettings": "reranker.training.settings",
    "mix": "reranker.training.replay",
    "ndcg": "reranker.training.measure",
    "objective": "reranker.training.objectives",
    "ranknet": "reranker.training.objectives.ranknet",
    "sign_flips": "reranker.training.measure",
    "train": "reranker.training.run",
}


def __getattr__(name: str) -> Any:
    """Import a public name where it lives (PEP 562).

    Raises:
        MissingDependency: it needs a library of the extra `train` that is not installed.
    """
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        return getattr(import_module(_HOME[name]), name)
    except ModuleNotFoundError as error:
        from reranker.training.libraries import NEEDED, need

        if (error.name or "").partition(".")[0] in NEEDED:
            need()
        raise
