"""What the store of readers gives back: a reader's history, and what came of adding to it or erasing it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.event import Event


@dataclass(frozen=True, slots=True)
class Declared:
    """An interest that the reader put into words.

    Args:
        text: The words.
        at: When, in seconds since 1970; NaN where it is not to fade with time.
        weight: How much it counts beside other declared ones.
    """

    text: str
    at: float
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What one reader did, in columns of equal length; sorted by time, document, kind and weight, untimed first.

    Args:
        version: Grows with every change of this reader and never comes back, not even after `forget`; 0 of somebody
            of whom nothing is known.
        doc_ids: The document of each event.
        kinds: Its kind.
        at: Seconds since 1970, float64, NaN where the log did not say.
        weights: Its weight, float64.
        declared: Interests put into words, by text.
        muted: Documents and declared texts that the reader turned off as interests.
        flooding: Whether there were more events than a person makes (`engine.personal.admission`); then each
            document is there once only, with the last thing that happened to it.
    """

    version: int
    doc_ids: tuple[str, ...]
    kinds: tuple[str, ...]
    at: NDArray[np.float64]
    weights: NDArray[np.float64]
    declared: tuple[Declared, ...]
    muted: frozenset[str]
    flooding: bool = False

    def __len__(self) -> int:
        return len(self.doc_ids)


Row = tuple[int, str, str, float]
"""An event as it is sorted: microseconds since 1970 (`UNTIMED` without a time), document, kind, weight."""

UNTIMED = -(1 << 62)
NOBODY = History(0, (), (), np.zeros(0), np.zeros(0), (), frozenset())
"""The history of somebody of whom nothing is known."""


def history_of(
    version: int,
    rows: Iterable[Row],
    declared: tuple[Declared, ...] = (),
    muted: frozenset[str] = frozenset(),
    *,
    flooding: bool = False,
) -> History:
    """Return the history that sorted rows make."""
    if flooding:
        rows = sorted({row[1]: row for row in rows}.values())
    columns = tuple(zip(*rows, strict=True)) or ((), (), (), ())
    ticks = np.array(columns[0], dtype=np.int64)
    at = np.where(ticks == UNTIMED, np.nan, ticks / 1e6)
    weights = np.array(columns[3], dtype=np.float64)
    at.flags.writeable = weights.flags.writeable = False
    return History(version, columns[1], columns[2], at, weights, declared, muted, flooding)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of adding events.

    Args:
        added: How many are kept now that were not before.
        duplicates: How many were known already (`Event.identity`), or came twice.
        future: How many were refused: their clock is over a day ahead.
        flooding: Readers among those of these events who have more of them than a person makes, sorted.
        ahead: The first few of those refused.
    """

    added: int = 0
    duplicates: int = 0
    future: int = 0
    flooding: tuple[str, ...] = ()
    ahead: tuple[Event, ...] = ()

    def __add__(self, other: Recorded) -> Recorded:
        """Return what came of both, one after the other."""
        return Recorded(
            self.added + other.added,
            self.duplicates + other.duplicates,
            self.future + other.future,
            tuple(sorted({*self.flooding, *other.flooding})),
            (self.ahead + other.ahead)[:NAMED],
        )


NAMED = 5  # events refused that `Recorded` names


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was erased.

    Args:
        readers: How many of those named were known.
        events: Their events.
        declared: Their declared interests.
        muted: What they had turned off.
        documents: Documents that nobody else had met, whose ids are gone with them.
    """

    readers: int = 0
    events: int = 0
    declared: int = 0
    muted: int = 0
    documents: int = 0

    def __add__(self, other: Forgotten) -> Forgotten:
        """Return the sum."""
        return Forgotten(
            self.readers + other.readers,
            self.events + other.events,
            self.declared + other.declared,
            self.muted + other.muted,
            self.documents + other.documents,
        )
