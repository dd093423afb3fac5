"""The kinds of pipelines that an experiment may name.

`KINDS` maps a kind's name to the module and class that it is.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

KINDS = {
    "quire": "eval.experiment.pipelines.quire:Quire",
    "rank-bm25": "eval.experiment.pipelines.bm25:RankBM25",
    "one-vector": "eval.experiment.pipelines.vectors:OneVector",
    "first-passage": "eval.experiment.pipelines.vectors:FirstPassage",
    "naive": "eval.experiment.pipelines.naive:Naive",
    "run-file": "eval.experiment.pipelines.run_file:RunFile",
    "service": "eval.experiment.pipelines.service:Service",
}


def pipeline_class(kind: str) -> type[Any]:
    """Return the class of a kind.

    Raises:
        KeyError: there is no such kind.
    """
    module, _, name = KINDS[kind].partition(":")
    found: type[Any] = getattr(import_module(module), name)
    return found
