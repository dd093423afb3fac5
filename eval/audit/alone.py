"""How good is a shortcut by itself? The candidates of each query, ranked by nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from eval.audit.shortcut import Shortcut
from eval.collection import Judgements, Qrels
from eval.measures import Measure, evaluate
from eval.run import Run
from eval.statistics import bootstrap_intervals, holm, paired_t
from eval.statistics.pairs import Floats

SHUFFLES = 5
"""Equal values have no order: each ranking is measured with so many random ones, and the mean counts."""
CHANCE = 20
"""So many random orders are chance."""


@dataclass(frozen=True, slots=True)
class Alone:
    """A shortcut as a system of its own.

    Args:
        shortcut: Its name.
        first: Which documents it ranks first, such as `newest first`; documents without a value come last.
        coverage: The share of all documents that have a value.
        mean: Its mean over the queries.
        interval: The bootstrap interval of the mean, 95%.
        over_chance: The mean less that of a random order.
        corrected_p: Of the paired t-test against a random order, by Holm's correction over all shortcuts, both ways.
    """

    shortcut: str
    first: str
    coverage: float
    mean: float
    interval: tuple[float, float]
    over_chance: float
    corrected_p: float


def candidates(qrels: Qrels, runs: Sequence[Run], depth: int) -> tuple[dict[str, list[str]], bool]:
    """Return each judged query's documents to rank, and whether they are the judged ones.

    They are, where at least half of the queries have both relevant and other ones among them. Where what is not
    relevant is hardly ever judged, any order of the judged is perfect; then they are what some run has among its first
    `depth`, relevant or not. Relevant documents that no run found are left out there: a field that only tells what runs
    find from what they miss would seem to tell what is relevant.
    """
    both = sum(len({grade > 0 for grade in grades.values()}) == 2 for grades in qrels.values())
    if 2 * both >= len(qrels):
        return {query: sorted(grades) for query, grades in qrels.items()}, True
    return {
        query: sorted({doc for run in runs for doc in list(run.rankings.get(query, ()))[:depth]})
        for query in qrels
    }, False


def restricted(run: Run, pool: Mapping[str, Sequence[str]]) -> Run:
    """Return a run's order of the candidates; those that it does not rank stay out."""
    allowed = {query: set(documents) for query, documents in pool.items()}
    return replace(
        run,
        rankings={
            query: {doc: score for doc, score in ranking.items() if doc in allowed[query]}
            for query, ranking in run.rankings.items()
            if query in allowed
        },
    )


def ranked_alone(
    found: Sequence[Shortcut],
    pool: Mapping[str, Sequence[str]],
    judgements: Judgements,
    measure: Measure,
    seed: int = 0,
) -> tuple[list[Alone], float]:
    """Measure each shortcut in both directions on the candidates.

    Args:
        found: The shortcuts.
        pool: Query to its candidates.
        judgements: What is right.
        measure: By what.
        seed: Of the order of what has equal values, and of chance.

    Returns:
        The shortcuts, best first; and what a random order is worth.
    """
    generator = np.random.default_rng(seed)
    queries = list(judgements.qrels)

    def values(places: Mapping[str, float], sign: float, times: int) -> Floats:
        total = np.zeros(len(queries))
        keys = {
            query: -sign * np.array([places.get(doc, -sign * np.inf) for doc in documents], dtype=np.float64)
            for query, documents in pool.items()
        }
        for _ in range(times):
            rankings = {}
            for query, documents in pool.items():
                order = np.lexsort((generator.random(len(documents)), keys[query])).tolist()
                best = [documents[at] for at in order]
                rankings[query] = dict(zip(best, range(len(best), 0, -1), strict=True))
            measured = evaluate(Run("shortcut", rankings), judgements, [measure]).values[measure]
            total += np.array([measured[query] for query in queries])
        return total / times

    chance = values({}, 1.0, CHANCE)
    ways = [(shortcut, way) for shortcut in found for way in (0, 1)]
    if not ways:
        return [], float(chance.mean())
    columns = [values(shortcut.place, 1.0 - 2.0 * way, SHUFFLES) for shortcut, way in ways]
    ends = bootstrap_intervals(np.array(columns).T, seed=seed)
    corrected = holm([paired_t(column, chance).p_value for column in columns])
    rows = [
        Alone(
            shortcut.name,
            shortcut.directions[way],
            shortcut.coverage,
            float(column.mean()),
            (float(end[0]), float(end[1])),
            float((column - chance).mean()),
            float(p),
        )
        for (shortcut, way), column, end, p in zip(ways, columns, ends, corrected, strict=True)
    ]
    return sorted(rows, key=lambda row: -row.mean), float(chance.mean())
