"""Histories without a store, as a store would give them."""

from __future__ import annotations

from collections.abc import Iterable

from engine.event import Event, microseconds
from engine.personal.history import UNTIMED, Declared, History, history_of
from engine.personal.interests import Interests


def history(
    events: Iterable[Event], declared: Iterable[Declared] = (), muted: Iterable[str] = (), version: int = 1
) -> History:
    """Return the history that these events make, each counted once."""
    rows = {}
    for event in events:
        at = microseconds(event.at)
        rows[event.identity] = (UNTIMED if at is None else at, event.doc_id, event.kind, event.weight)
    ordered = sorted((*row, identity) for identity, row in rows.items())
    return history_of(version, [row[:4] for row in ordered], tuple(declared), frozenset(muted))


def said(found: Interests) -> object:
    """Return everything, to the last bit."""
    points = [
        (
            one.names,
            one.vectors.tobytes(),
            one.weights.tobytes(),
            one.interest.tobytes(),
            one.kinds,
            one.at.tobytes(),
        )
        for one in (found.points, found.disliked)
    ]
    likes = [
        (one.name, one.weight, one.session, one.muted, one.documents, str(one.at), one.vector.tobytes())
        for one in found.likes
    ]
    return likes, points, found.evidence, found.met, found.hidden
