"""Is one system better than another, and is the difference real?

    from eval import Judgements, compare, evaluate, parse_measure, read_qrels, read_run

    measures = [parse_measure("nDCG@10"), parse_measure("R@100")]
    judgements = Judgements(read_qrels("qrels.txt"))
    both = [evaluate(read_run(path), judgements, measures) for path in ("bm25.run", "hybrid.run")]
    print(compare(both, "bm25", measures).contrasts)

- `Run`, `Topic`, `Judgements`, `Collection` are the values; `read_*` and `write_*` bring them in and out.
- `evaluate` measures a run, `compare` says whether differences are real,
  `eval.audit` whether a shortcut explains them.
- `read_experiment` and `run_experiment` run pipelines on collections; `write_report` makes a page of the result.
- `personal_study` judges personalised runs, `tune` finds weights that do no harm, `eval.curves` shows what a
  setting buys, `eval.online` what clicks say.
- `EvalError` is the root of what can go wrong.

It drives the engine as any user would, and the engine knows nothing of it. Importing this package imports none of
its parts; a name is imported when it is first asked for. What it needs beside Quire comes with the extra `eval`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eval.collection import Collection, Judgements, Topic
    from eval.comparison import Comparison, compare
    from eval.errors import (
        EvalError,
        FormatError,
        InvalidEvaluation,
        InvalidExperiment,
        MissingDependency,
        UnknownMeasure,
    )
    from eval.experiment.read import read_experiment
    from eval.experiment.runner import run_experiment
    from eval.formats import (
        read_collection,
        read_qrels,
        read_run,
        read_topics,
        write_qrels,
        write_run,
        write_topics,
    )
    from eval.measures import Evaluation, Measure, evaluate, parse_measure
    from eval.personal import personal_study
    from eval.report import write_report
    from eval.run import Run, Span
    from eval.tuning import tune

_HOME = {
    "Collection": "eval.collection",
    "Comparison": "eval.comparison",
    "EvalError": "eval.errors",
    "Evaluation": "eval.measures",
    "FormatError": "eval.errors",
    "InvalidEvaluation": "eval.errors",
    "InvalidExperiment": "eval.errors",
    "Judgements": "eval.collection",
    "Measure": "eval.measures",
    "MissingDependency": "eval.errors",
    "Run": "eval.run",
    "Span": "eval.run",
    "Topic": "eval.collection",
    "UnknownMeasure": "eval.errors",
    "compare": "eval.comparison",
    "evaluate": "eval.measures",
    "parse_measure": "eval.measures",
    "personal_study": "eval.personal",
    "read_collection": "eval.formats",
    "read_experiment": "eval.experiment.read",
    "read_qrels": "eval.formats",
    "read_run": "eval.formats",
    "read_topics": "eval.formats",
    "run_experiment": "eval.experiment.runner",
    "tune": "eval.tuning",
    "write_qrels": "eval.formats",
    "write_report": "eval.report",
    "write_run": "eval.formats",
    "write_topics": "eval.formats",
}
__all__ = [
    "Collection",
    "Comparison",
    "EvalError",
    "Evaluation",
    "FormatError",
    "InvalidEvaluation",
    "InvalidExperiment",
    "Judgements",
    "Measure",
    "MissingDependency",
    "Run",
    "Span",
    "Topic",
    "UnknownMeasure",
    "compare",
    "evaluate",
    "parse_measure",
    "personal_study",
    "read_collection",
    "read_experiment",
    "read_qrels",
    "read_run",
    "read_topics",
    "run_experiment",
    "tune",
    "write_qrels",
    "write_report",
    "write_run",
    "write_topics",
]


def __getattr__(name: str) -> Any:
    """Import a public name where it lives (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
