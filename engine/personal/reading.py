"""What both stores make of a reader's events when they are asked: in which order they come, and what was liked."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from engine.errors import InvalidProfileChange
from engine.event import Event, name_fault
from engine.personal.history import History
from engine.personal.readers import DISLIKING


def named(user_id: str) -> str:
    """Return a reader's id.

    Raises:
        InvalidProfileChange: it cannot be one.
    """
    fault = name_fault(user_id)
    if fault:
        raise InvalidProfileChange(f"a reader's id {fault}")
    return user_id


def event_order(event: Event) -> tuple[bool, float, str, str, float]:
    """Return what events are sorted by, as a history is: time (those without one first), document, kind, weight."""
    at = event.at
    return at is not None, at.timestamp() if at else 0.0, event.doc_id, event.kind, event.weight


def liked(events: Iterable[tuple[str, str, float]], kinds: Collection[str]) -> tuple[str, ...]:
    """Return the documents that a reader liked, sorted.

    A document counts that some event of these kinds, of weight over 0, has, unless the reader disliked or hid it too.

    Args:
        events: Document, kind and weight of each.
        kinds: Which kinds count.
    """
    some: set[str] = set()
    disliked: set[str] = set()
    for doc_id, kind, weight in events:
        if kind in DISLIKING:
            disliked.add(doc_id)
        elif kind in kinds and weight > 0:
            some.add(doc_id)
    return tuple(sorted(some - disliked))


def exported(tenant: str, user_id: str, history: History, events: Iterable[Event]) -> dict[str, object]:
    """Return all that is kept of a reader, as plain values for JSON."""
    return {
        "user_id": user_id,
        "tenant": tenant,
        "events": [event.to_record() for event in events],
        "declared": [
            {"text": one.text, "weight": one.weight, "at": _iso(one.at)} for one in history.declared
        ],
        "muted": sorted(history.muted),
        "flooding": history.flooding,
    }


def _iso(at: float) -> str | None:
    return datetime.fromtimestamp(at, UTC).isoformat() if at == at else None
