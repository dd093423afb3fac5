"""Readers by how much is known of them, and those of whom nothing is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.personal.histories import Histories
from eval.personal.readers import Values, mean, reader_means
from eval.run import Run

BOUNDS = (0, 1, 5, 20)
"""Where the groups of history size begin, in documents: none, 1 to 4, 5 to 19, 20 and more."""

_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Group:
    """Queries whose readers had about as much behind them.

    Args:
        name: Documents in the history: `0`, `1-4`, `20+`.
        readers: How many readers; one whose history grows may be in several groups, with other queries.
        queries: How many queries.
        base: Mean over readers of the run that is compared with.
        other: Mean over readers of the run that is judged.
        shuffled: Of the run made with other readers' profiles; None without one.
        harmed: Share of the group's readers who lose by more than the tolerance.
    """

    name: str
    readers: int
    queries: int
    base: float
    other: float
    shuffled: float | None
    harmed: float


@dataclass(frozen=True, slots=True)
class ColdStart:
    """Whether a reader without history sees the anonymous list.

    Args:
        queries: How many queries have no history behind them.
        different: How many of those have another list than the anonymous one, in documents or order.
        examples: At most five of these queries.
    """

    queries: int
    different: int
    examples: tuple[str, ...] = ()


def history_groups(
    histories: Histories,
    users: Mapping[str, str],
    base: Values,
    other: Values,
    shuffled: Values | None,
    tolerance: float,
    bounds: Sequence[int] = BOUNDS,
) -> list[Group]:
    """Return the groups that hold any query, smallest history first.

    Args:
        histories: Query to history; the documents in it are counted, not the events.
        users: Query to reader.
        base: Query to value of the run that is compared with.
        other: Of the run that is judged.
        shuffled: Of the run made with other readers' profiles.
        tolerance: What a value may fall by and count as unharmed.
        bounds: The number of documents at which each group begins, ascending.
    """
    sizes = {query_id: len({event.doc_id for event in histories.get(query_id, ())}) for query_id in users}
    groups = []
    for first, after in zip(bounds, [*bounds[1:], None], strict=True):
        inside = {
            query_id: user
            for query_id, user in users.items()
            if query_id in base and sizes[query_id] >= first and (after is None or sizes[query_id] < after)
        }
        if not inside:
            continue
        own_base, own_other = reader_means(base, inside), reader_means(other, inside)
        harmed = sum(own_other[user] < own_base[user] - tolerance for user in own_base)
        groups.append(
            Group(
                name=_name(first, after),
                readers=len(own_base),
                queries=len(inside),
                base=mean(own_base),
                other=mean(own_other),
                shuffled=mean(reader_means(shuffled, inside)) if shuffled is not None else None,
                harmed=harmed / len(own_base),
            )
        )
    return groups


def cold_start(anonymous: Run, personal: Run, histories: Histories) -> ColdStart:
    """Compare both lists, document by document, of every query without a history."""
    cold = [query_id for query_id, history in histories.items() if not history]
    different = [
        query_id
        for query_id in cold
        if list(anonymous.rankings.get(query_id, ())) != list(personal.rankings.get(query_id, ()))
    ]
    return ColdStart(len(cold), len(different), tuple(different[:_EXAMPLES]))


def _name(first: int, after: int | None) -> str:
    if after is None:
        return f"{first}+"
    return str(first) if after == first + 1 else f"{first}-{after - 1}"
