"""A run's values: for each measure and judged query one number, and their means."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.collection import Judgements
from eval.measures.measure import Measure
from eval.measures.parse import Counted
from eval.run import Run


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a run is worth.

    Args:
        run: The run's name.
        values: Measure to query to value; each measure has every judged query.
    """

    run: str
    values: Mapping[Measure, Mapping[str, float]]

    def mean(self, measure: Measure) -> float:
        """Return the mean over all judged queries, those counted with the default included."""
        values = self.values[measure].values()
        return math.fsum(values) / len(values)


def evaluate(run: Run, judgements: Judgements, measures: Sequence[Measure]) -> Evaluation:
    """Measure a run. Every judged query counts: one that the run misses with the measure's default."""
    import ir_measures

    counted = {measure.counted: measure for measure in measures if isinstance(measure, Counted)}
    values: dict[Measure, dict[str, float]] = {
        measure: dict.fromkeys(judgements.qrels, measure.default) for measure in measures
    }
    for metric in ir_measures.iter_calc(list(counted), judgements.qrels, run.rankings):
        values[counted[metric.measure]][metric.query_id] = metric.value
    return Evaluation(run.name, values)
