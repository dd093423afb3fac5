"""Where training examples come from: judgements, clicks, preferences, or the documents' own structure.

    from_qrels, from_clicks, from_sessions, from_preferences, from_structure    a source -> `JudgedQuery`s
    check_judged, split_queries     what is wrong with them; some kept aside
    mine                    `JudgedQuery`s and a `CandidateSource` (an index) -> `Example`s, with hard negatives
    write_examples          the same into a file that an interruption does not spoil; `ExampleFile` reads it
    check                   what is wrong with `TrainingData`: examples to learn from, examples to stop by
    rescored, distilled     examples seen again by a model

Nothing here knows an index: mining asks a `CandidateSource`, which whoever has an index provides. Importing this
package imports none of that; a name is imported when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reranker.data.candidates import Candidate, CandidateSource
    from reranker.data.checks import check, check_judged
    from reranker.data.clicks import (
        Click,
        PositionCurve,
        fit_power_law,
        from_clicks,
        from_sessions,
        read_clicks,
    )
    from reranker.data.example import Example, TrainingData, fingerprint
    from reranker.data.example_file import ExampleFile, write_examples
    from reranker.data.findings import Finding, Findings
    from reranker.data.guard import GuardSettings
    from reranker.data.judged import JudgedDocument, JudgedQuery, from_qrels
    from reranker.data.mining import made_from, mine, mine_one
    from reranker.data.mining_settings import MiningReport, MiningSettings
    from reranker.data.preferences import Preference, from_preferences, read_preferences
    from reranker.data.rescoring import distilled, rescored
    from reranker.data.splitting import Split, split_queries
    from reranker.data.structure import PlacedPassage, StructureSettings, from_structure

__all__ = [
    "Candidate",
    "CandidateSource",
    "Click",
    "Example",
    "ExampleFile",
    "Finding",
    "Findings",
    "GuardSettings",
    "JudgedDocument",
    "JudgedQuery",
    "MiningReport",
    "MiningSettings",
    "PlacedPassage",
    "PositionCurve",
    "Preference",
    "Split",
    "StructureSettings",
    "TrainingData",
    "check",
    "check_judged",
    "distilled",
    "fingerprint",
    "fit_power_law",
    "from_clicks",
    "from_preferences",
    "from_qrels",
    "from_sessions",
    "from_structure",
    "made_from",
    "mine",
    "mine_one",
    "read_clicks",
    "read_preferences",
    "rescored",
    "split_queries",
    "write_examples",
]

_MODULES = {
    "candidates": ("Candidate", "CandidateSource"),
    "checks": ("check", "check_judged"),
    "clicks": ("Click", "PositionCurve", "fit_power_law", "from_clicks", "from_sessions", "read_clicks"),
    "example": ("Example", "TrainingData", "fingerprint"),
    "example_file": ("ExampleFile", "write_examples"),
    "findings": ("Finding", "Findings"),
    "guard": ("GuardSettings",),
    "judged": ("JudgedDocument", "JudgedQuery", "from_qrels"),
    "mining": ("made_from", "mine", "mine_one"),
    "mining_settings": ("MiningReport", "MiningSettings"),
    "preferences": ("Preference", "from_preferences", "read_preferences"),
    "rescoring": ("distilled", "rescored"),
    "splitting": ("Split", "split_queries"),
    "structure": ("PlacedPassage", "StructureSettings", "from_structure"),
}
_HOME = {name: f"reranker.data.{module}" for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name where it lives (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
