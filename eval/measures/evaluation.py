"""A run's values: for each measure and judged query one number, and one for all of them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.collection import Judgements
from eval.errors import InvalidEvaluation
from eval.measures.counted import Counted, count
from eval.measures.measure import Known, Measure, OwnMeasure, Vectors
from eval.run import Run


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a run is worth.

    Args:
        run: The run's name.
        values: Measure to query to value. Every judged query is there; a measure of evidence or subtopics has those
            queries for which there is some, one of times those whose time is known.
        unanswered: Judged queries that the run does not answer, which count with the measures' defaults.
        unjudged: Queries of the run that nobody judged, which count nowhere.
    """

    run: str
    values: Mapping[Measure, Mapping[str, float]]
    unanswered: Sequence[str] = ()
    unjudged: Sequence[str] = ()

    def mean(self, measure: Measure) -> float:
        """Return the mean over all queries of a measure; of latency the percentile, of NumQ and the like the sum."""
        values = self.values[measure]
        if not values:
            raise InvalidEvaluation(f"{measure} of {self.run!r} has no queries, so that there is no mean")
        return measure.aggregate(values.values())

    def by_user(self, measure: Measure, users: Mapping[str, str]) -> dict[str, float]:
        """Return a measure's mean over the queries of each user.

        Args:
            measure: One of those that were computed.
            users: Query to user. Queries that are not there belong to nobody, and are left out.

        Raises:
            InvalidEvaluation: no query of this measure belongs to a user.
        """
        grouped: dict[str, list[float]] = {}
        for query_id, value in self.values[measure].items():
            if query_id in users:
                grouped.setdefault(users[query_id], []).append(value)
        if not grouped:
            raise InvalidEvaluation(
                f"no query of {self.run!r} belongs to a user; the queries' file names one in its field user"
            )
        return {user: measure.aggregate(values) for user, values in grouped.items()}


def evaluate(
    run: Run, judgements: Judgements, measures: Sequence[Measure], *, vectors: Vectors | None = None
) -> Evaluation:
    """Measure a run. Every judged query counts: one that the run misses with the measure's default.

    Args:
        run: What was answered.
        judgements: What is right.
        measures: What to compute.
        vectors: Document to vector, for `ILD@k`.

    Raises:
        InvalidEvaluation: nothing is judged, nothing that the run answers is, or a measure needs what is not known.
        MissingDependency: a measure needs a library that is not installed.
    """
    qrels = judgements.qrels
    if not qrels:
        raise InvalidEvaluation("there are no judgements, so that nothing can be measured")
    unjudged = [query for query in run.rankings if query not in qrels]
    if run.rankings and len(unjudged) == len(run.rankings):
        raise InvalidEvaluation(
            f"no query of the run {run.name!r} (such as {unjudged[0]!r}) is judged (such as {next(iter(qrels))!r}); "
            "are the two of the same collection?"
        )
    known = Known(run, judgements, vectors or {})
    counted = count([measure for measure in measures if isinstance(measure, Counted)], known)
    values: dict[Measure, Mapping[str, float]] = {}
    for measure in measures:
        values[measure] = counted[measure] if isinstance(measure, Counted) else _own(measure).values(known)
    unanswered = [query for query in qrels if not run.rankings.get(query)]
    return Evaluation(run.name, values, unanswered, unjudged)


def _own(measure: Measure) -> OwnMeasure:
    if not callable(getattr(measure, "values", None)):
        raise InvalidEvaluation(
            f"{measure} is no measure that can be computed; parse_measure returns those that can"
        )
    return measure  # type: ignore[return-value]
