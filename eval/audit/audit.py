"""The whole audit of a collection and the systems on it, as one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from eval.audit.alone import Alone, candidates, ranked_alone, restricted
from eval.audit.explained import Explained, explained
from eval.audit.shortcut import shortcuts
from eval.collection import Collection
from eval.comparison.comparison import plain_interval
from eval.errors import InvalidEvaluation
from eval.measures import Measure, evaluate
from eval.run import Run


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found.

    Args:
        collection: Its name.
        measure: By what.
        queries: How many were judged.
        judged_only: Whether the candidates are the judged documents; else they are what the runs found.
        candidates: How many a query has, the mean.
        chance: What a random order of the candidates is worth.
        systems: Each run's worth on the candidates, the baseline first.
        alone: Each shortcut's worth on the candidates, best first.
        explained: What each shortcut explains of each system's gain over the baseline.
        skipped: Fields that order nothing, and why.
    """

    collection: str
    measure: Measure
    queries: int
    judged_only: bool
    candidates: float
    chance: float
    systems: Mapping[str, float]
    alone: Sequence[Alone]
    explained: Sequence[Explained]
    skipped: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "collection": self.collection,
            "measure": str(self.measure),
            "queries": self.queries,
            "candidates": {"judged_only": self.judged_only, "mean": self.candidates},
            "chance": self.chance,
            "systems": dict(self.systems),
            "alone": [asdict(row) | {"interval": plain_interval(row.interval)} for row in self.alone],
            "explained": [
                asdict(row)
                | {
                    "interval": plain_interval(row.interval),
                    "gain_interval": plain_interval(row.gain_interval),
                    "share": row.share,
                }
                for row in self.explained
            ],
            "skipped": dict(self.skipped),
        }


def audit(
    collection: Collection,
    baseline: Run,
    systems: Sequence[Run],
    measure: Measure,
    *,
    passages: Mapping[str, int] | None = None,
    depth: int = 100,
    top: int = 10,
    seed: int = 0,
) -> Audit:
    """Audit a collection and the systems on it.

    Args:
        collection: With its documents, which are read once.
        baseline: What gains are counted from.
        systems: The others.
        measure: By what; one of whole documents.
        passages: Document to its number of passages, where that is known.
        depth: How many documents of each run count.
        top: How many of them exposure looks at.
        seed: Of random orders and of the bootstrap.

    Raises:
        InvalidEvaluation: two runs of one name, or nothing is judged.
    """
    runs = [baseline, *systems]
    if len({run.name for run in runs}) < len(runs):
        raise InvalidEvaluation(
            f"runs need different names, found {', '.join(run.name for run in runs)}; rename one"
        )
    judgements = collection.judgements
    if not judgements.qrels:
        raise InvalidEvaluation(f"{collection.name} has no judgements, so that nothing can be measured")
    found, skipped = shortcuts(collection.documents(), passages)
    pool, judged_only = candidates(judgements.qrels, runs, depth)
    alone, chance = ranked_alone(found, pool, judgements, measure, seed)
    return Audit(
        collection=collection.name,
        measure=measure,
        queries=len(judgements.qrels),
        judged_only=judged_only,
        candidates=float(np.mean([len(documents) for documents in pool.values()])),
        chance=chance,
        systems={
            run.name: evaluate(restricted(run, pool), judgements, [measure]).mean(measure) for run in runs
        },
        alone=alone,
        explained=[
            row
            for system in systems
            for row in explained(
                system, baseline, found, judgements, measure, depth=depth, top=top, seed=seed
            )
        ],
        skipped=skipped,
    )
