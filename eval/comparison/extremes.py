"""The queries on which a system loses and gains most, with what both systems found: what the numbers are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from eval.collection import Qrels
from eval.comparison.compare import TIE
from eval.errors import InvalidEvaluation
from eval.measures import Evaluation, Measure


@dataclass(frozen=True, slots=True)
class ShownHit:
    """A document that a system ranked high.

    Args:
        rank: Its rank, from 1.
        doc_id: Its name.
        title: Its title; empty where nobody gave it.
        grade: What the judgements say of it; None where nobody judged it.
        elsewhere: The other system's rank of it, from 1; None where that does not have it.
    """

    rank: int
    doc_id: str
    title: str
    grade: int | None
    elsewhere: int | None


@dataclass(frozen=True, slots=True)
class QueryCase:
    """A query on which two systems differ.

    Args:
        query_id: Its name.
        text: What was asked; empty where nobody gave it.
        value: The system's value.
        baseline_value: The baseline's.
        hits: What the system ranked first.
        baseline_hits: What the baseline ranked first.
    """

    query_id: str
    text: str
    value: float
    baseline_value: float
    hits: tuple[ShownHit, ...]
    baseline_hits: tuple[ShownHit, ...]

    @property
    def difference(self) -> float:
        """The system's value less the baseline's."""
        return self.value - self.baseline_value

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self) | {"difference": self.difference}


def extremes(
    system: Evaluation,
    baseline: Evaluation,
    measure: Measure,
    topics: Mapping[str, str],
    hits: Mapping[str, Iterable[str]],
    baseline_hits: Mapping[str, Iterable[str]],
    qrels: Qrels,
    *,
    titles: Mapping[str, str] | None = None,
    count: int = 5,
    shown: int = 5,
) -> tuple[list[QueryCase], list[QueryCase]]:
    """Return the queries that lose most and those that gain most, the largest difference first, ties by query_id.

    Args:
        system: The system's values.
        baseline: The baseline's.
        measure: By what.
        topics: Query to its text; may lack some.
        hits: Query to the system's documents, best first, such as a run's rankings.
        baseline_hits: The same of the baseline.
        qrels: The judgements, for grades.
        titles: Document to its title; may lack some.
        count: At most so many queries each way; fewer where fewer differ by more than `TIE`.
        shown: So many hits of each system.

    Raises:
        InvalidEvaluation: the two were not measured by this measure on the same queries.
    """
    values, others = system.values.get(measure, {}), baseline.values.get(measure, {})
    if not values or values.keys() != others.keys():
        raise InvalidEvaluation(
            f"{system.run} and {baseline.run} were not both measured by {measure} on the same queries"
        )
    sign = -1.0 if measure.lower_is_better else 1.0
    gains = {query: sign * (value - others[query]) for query, value in values.items()}
    ordered = sorted(gains, key=lambda query: (gains[query], query))
    lost = [query for query in ordered[:count] if gains[query] < -TIE]
    ordered.sort(key=lambda query: (-gains[query], query))
    gained = [query for query in ordered[:count] if gains[query] > TIE]

    def case(query: str) -> QueryCase:
        ours, theirs = list(hits.get(query, ())), list(baseline_hits.get(query, ()))
        grades = qrels.get(query, {})
        return QueryCase(
            query,
            topics.get(query, ""),
            values[query],
            others[query],
            _shown(ours, theirs, grades, titles or {}, shown),
            _shown(theirs, ours, grades, titles or {}, shown),
        )

    return [case(query) for query in lost], [case(query) for query in gained]


def _shown(
    ranked: list[str], others: list[str], grades: Mapping[str, int], titles: Mapping[str, str], shown: int
) -> tuple[ShownHit, ...]:
    elsewhere = {doc_id: rank for rank, doc_id in enumerate(others, 1)}
    return tuple(
        ShownHit(rank, doc_id, titles.get(doc_id, ""), grades.get(doc_id), elsewhere.get(doc_id))
        for rank, doc_id in enumerate(islice(ranked, shown), 1)
    )
