"""Fitting the encoder to readers: one model for queries, documents and what a reader met before, learnt from clicks.

    u           = Σ α_i · M(d_i), at unit length, over the documents d_i that the reader met before
    score(q, d) = cos(M(q), M(d)) + β · cos(u, M(d))

M is the encoder and β at least 0; both are learnt. What is made small is RankNet over the documents of each list that
was shown: those that were clicked above those that were not. A reader without a history has no second term.

- `example`: `JointExample` and `JointData`, and the file that they are kept in.
- `settings`: `JointSettings`.
- `train`: settings and data in, a run's folder with an encoder out.

The folder's `model` is a sentence-transformers model: `quire index --encoder RUN/model` reads it, without torch.
Training needs the extra `quire-search[train]`; importing this imports nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.personal.joint.example import JointData, JointExample
    from engine.personal.joint.outcome import JointOutcome
    from engine.personal.joint.run import train
    from engine.personal.joint.settings import JointSettings

__all__ = ["JointData", "JointExample", "JointOutcome", "JointSettings", "train"]

_HOME = {
    "JointData": "engine.personal.joint.example",
    "JointExample": "engine.personal.joint.example",
    "JointOutcome": "engine.personal.joint.outcome",
    "JointSettings": "engine.personal.joint.settings",
    "train": "engine.personal.joint.run",
}


def __getattr__(name: str) -> Any:
    """Import a public name where it lives (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
