"""A batch of windows as arrays, padded to the longest: what networks are fed, wherever they run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from reranker.windows import Window

Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]


def ids_of(windows: Sequence[Window], padding: int) -> tuple[Ints, Flags]:
    """Return token ids and which of them are no padding, both of shape (windows, longest)."""
    lengths = [len(window.ids) for window in windows]
    ids = np.full((len(windows), max(lengths, default=0)), padding, np.int64)
    for row, window in enumerate(windows):
        ids[row, : len(window.ids)] = window.ids
    return ids, np.arange(ids.shape[1]) < np.array(lengths, np.int64).reshape(-1, 1)


def types_of(windows: Sequence[Window]) -> Ints:
    """Return the type of each token, 0 or 1, shape (windows, longest); padding is of the first."""
    return _between([(window.second, len(window.ids)) for window in windows], _longest(windows)).astype(
        np.int64
    )


def parts_of(windows: Sequence[Window]) -> tuple[Flags, Flags]:
    """Return which tokens are the query's and which the passage's with its context, without specials.

    Returns:
        Of shape (windows, places) with as many places as the query that ends last has need of, but one at least;
        and of shape (windows, longest).
    """
    asked = max((window.query[1] for window in windows), default=0)
    query = _between([window.query for window in windows], max(1, asked))
    return query, _between([window.passage for window in windows], _longest(windows))


def _longest(windows: Sequence[Window]) -> int:
    return max((len(window.ids) for window in windows), default=0)


def _between(spans: Sequence[tuple[int, int]], places: int) -> Flags:
    bounds = np.array(spans, np.int64).reshape(-1, 2, 1)
    place = np.arange(places)
    return (place >= bounds[:, 0]) & (place < bounds[:, 1])
