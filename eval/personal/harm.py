"""Whom does it hurt? A mean can rise while many readers lose; harm is counted, not averaged away."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from eval.personal.readers import Values, reader_means

_WORST = 5


@dataclass(frozen=True, slots=True)
class WorstReader:
    """A reader who loses much: values of both runs, and how many queries they are the means of."""

    user_id: str
    base: float
    other: float
    queries: int


@dataclass(frozen=True, slots=True)
class Harm:
    """How many lose by more than the tolerance, and how much.

    Args:
        tolerance: What a value may fall by and count as unharmed.
        readers: Share of readers whose mean fell by more.
        queries: Share of queries whose value fell by more.
        reader_loss: The mean fall of the readers harmed; 0 where nobody is.
        query_loss: The mean fall of the queries harmed.
        helped_readers: Share of readers whose mean rose by more than the tolerance.
        helped_queries: Share of queries whose value did.
        worst: At most five readers, the greatest loss first.
    """

    tolerance: float
    readers: float
    queries: float
    reader_loss: float
    query_loss: float
    helped_readers: float
    helped_queries: float
    worst: tuple[WorstReader, ...]


def harm_of(base: Values, other: Values, users: Mapping[str, str], tolerance: float = 0.01) -> Harm:
    """Return the harm that one run does beside another.

    Args:
        base: Query to value of the run that is compared with.
        other: The same queries' values of the run that is judged.
        users: Query to reader; the queries that are counted.
        tolerance: In units of the measure.
    """
    own_base, own_other = reader_means(base, users), reader_means(other, users)
    queries = {query_id: other[query_id] - base[query_id] for query_id in base if query_id in users}
    readers = {user: own_other[user] - own_base[user] for user in own_base}
    losers = sorted((delta, user) for user, delta in readers.items() if delta < -tolerance)
    counts: dict[str, int] = {}
    for query_id in queries:
        counts[users[query_id]] = counts.get(users[query_id], 0) + 1
    return Harm(
        tolerance=tolerance,
        readers=_share(readers, tolerance, -1),
        queries=_share(queries, tolerance, -1),
        reader_loss=_loss(readers, tolerance),
        query_loss=_loss(queries, tolerance),
        helped_readers=_share(readers, tolerance, 1),
        helped_queries=_share(queries, tolerance, 1),
        worst=tuple(
            WorstReader(user, own_base[user], own_other[user], counts[user]) for _, user in losers[:_WORST]
        ),
    )


def _share(deltas: Values, tolerance: float, sign: int) -> float:
    return sum(sign * delta > tolerance for delta in deltas.values()) / len(deltas)


def _loss(deltas: Values, tolerance: float) -> float:
    falls = [-delta for delta in deltas.values() if delta < -tolerance]
    return math.fsum(falls) / len(falls) if falls else 0.0
