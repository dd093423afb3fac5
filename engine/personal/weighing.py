"""How much each document of a reader's past counts: pure arithmetic over the events, whatever their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.event import OPINIONS
from engine.fusion import Floats
from engine.personal.settings import PersonalSettings

if TYPE_CHECKING:
    from engine.personal.history import History

_DAY = 86_400.0


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """The documents that a reader met, with what they count; arrays of shape (n,), in order of `doc_ids`.

    Args:
        doc_ids: The documents, ascending.
        weights: How much each counts: Σ kind · ½^(age / half-life), in documents read just now; negative for one
            that was disliked more than liked.
        session: Which part of that is due to the last while.
        kinds: What the reader did last with each, of what goes with the sign of its weight, an opinion before all else;
            of things done at once the last by name.
        at: When, in seconds since 1970; NaN where no event of it has a time.
        hidden: Which of them the reader wants to see no more.
    """

    doc_ids: tuple[str, ...]
    weights: Floats
    session: Floats
    kinds: tuple[str, ...]
    at: Floats
    hidden: NDArray[np.bool_]


def weigh(history: History, settings: PersonalSettings, now: float, until: float | None = None) -> Weighed:
    """Return how much each document of a history counts.

    Events without a time do not grow old. What the reader is after just now gets `session_share` of all interest:
    what the session's documents count is scaled to that, what all count to the rest.

    Args:
        history: What the reader did, in the order of `History`.
        settings: What a kind counts, and how quickly it is forgotten.
        now: Ages are counted to here, in seconds since 1970; what is later has the age 0.
        until: Events at this time or later are left out; None for none.
    """
    at = history.at
    kept = np.ones(len(at), dtype=np.bool_) if until is None else ~(at >= until)
    numbers: dict[str, int] = {}
    codes = np.array([numbers.setdefault(doc_id, len(numbers)) for doc_id in history.doc_ids], dtype=np.int64)
    by_kind = {kind: settings.kind_weights.get(kind, 0.0) for kind in set(history.kinds)}
    amounts = history.weights * np.array([by_kind[kind] for kind in history.kinds], dtype=np.float64)
    amounts = np.where(kept, amounts, 0.0)
    age = np.nan_to_num(np.maximum(now - at, 0.0), nan=0.0)
    days = settings.half_life_days
    faded = amounts if days is None else amounts * np.exp2(-age / (days * _DAY))
    count = len(numbers)
    long = np.bincount(codes, faded, minlength=count).astype(np.float64)
    recent = ~np.isnan(at) & (age < settings.session_minutes * 60)
    session = np.maximum(np.bincount(codes, np.where(recent, amounts, 0.0), minlength=count), 0.0)
    session = np.where(long > 0, session, 0.0)
    weights, session = _mixed(long, session, settings.session_share)
    # The last of each, as events are in order; what speaks for its weight goes before what does not, opinions first.
    last: dict[int, int] = {}
    opinions = np.array([kind in OPINIONS for kind in history.kinds], dtype=np.int64)
    telling = np.where(amounts * long[codes] > 0, 1 + opinions, 0)
    for rank in range(3):
        rows = np.flatnonzero(kept & (telling == rank))
        last.update(zip(codes[rows].tolist(), rows.tolist(), strict=True))
    hides = np.zeros(count, dtype=np.bool_)
    hides[codes[kept & np.array([kind == "hide" for kind in history.kinds], dtype=np.bool_)]] = True
    names = sorted(doc_id for doc_id, code in numbers.items() if code in last)
    order = np.array([numbers[doc_id] for doc_id in names], dtype=np.int64)
    final = [last[code] for code in order.tolist()]
    return Weighed(
        doc_ids=tuple(names),
        weights=weights[order],
        session=session[order],
        kinds=tuple(history.kinds[row] for row in final),
        at=at[final] if final else np.zeros(0),
        hidden=(hides & (weights <= 0))[order],
    )


def _mixed(long: Floats, session: Floats, share: float) -> tuple[Floats, Floats]:
    """Return the weights with the session's share in them, and that share; the liked ones add up as before."""
    liked, lately = float(np.maximum(long, 0.0).sum()), float(session.sum())
    if liked <= 0 or lately <= 0 or share <= 0:
        return long, np.zeros_like(long)
    part = session * (share * liked / lately)
    return np.where(long > 0, (1.0 - share) * long + part, long), part
