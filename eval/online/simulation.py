"""Logs of readers whose mind is known: for tests, and for trying an analysis before there are readers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from eval.online.log import Impression


def position_reader(
    examination: Sequence[float], relevance: Mapping[tuple[str, str], float], seed: int
) -> Callable[[str, Sequence[str]], tuple[int, ...]]:
    """Return a reader who clicks by the position-based model: given a query and a list, the places clicked."""
    chance = np.random.default_rng(seed)

    def read(query_id: str, shown: Sequence[str]) -> tuple[int, ...]:
        odds = np.array(
            [examination[place] * relevance.get((query_id, doc), 0.0) for place, doc in enumerate(shown)]
        )
        return tuple(np.flatnonzero(chance.random(len(shown)) < odds).tolist())

    return read


def cascade_reader(
    attraction: Mapping[tuple[str, str], float], going_on: Sequence[float], seed: int
) -> Callable[[str, Sequence[str]], tuple[int, ...]]:
    """Return a reader who clicks by the dependent click model."""
    chance = np.random.default_rng(seed)

    def read(query_id: str, shown: Sequence[str]) -> tuple[int, ...]:
        clicks: list[int] = []
        for place, doc_id in enumerate(shown):
            if chance.random() < attraction.get((query_id, doc_id), 0.0):
                clicks.append(place)
                if chance.random() >= going_on[place]:
                    break
        return tuple(clicks)

    return read


def simulate(
    lists: Iterable[tuple[str, Sequence[str]]],
    read: Callable[[str, Sequence[str]], tuple[int, ...]],
    *,
    readers: int = 0,
) -> list[Impression]:
    """Return the log of a reader model on lists of documents.

    Args:
        lists: Pairs of query and documents shown, in the order of the log.
        read: The reader.
        readers: How many names the impressions are spread over, in turn; 0 for none.
    """
    return [
        Impression(
            query_id, tuple(shown), read(query_id, shown), user_id=f"u{at % readers}" if readers else None
        )
        for at, (query_id, shown) in enumerate(lists)
    ]
