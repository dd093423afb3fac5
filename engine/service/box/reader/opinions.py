"""What a reader has said of documents: liked, disliked, hidden; and how one of these takes the place of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from engine.event import Event

if TYPE_CHECKING:
    from engine.personal.history import History
    from engine.search_engine import SearchEngine

OPINIONS = ("like", "dislike", "hide")
"""Kinds of events of which the last one is what a reader thinks of a document."""
PASSING = ("click", "read")
"""Kinds of events that a page makes by itself, of readers who have a profile."""


def opinions_in(history: History) -> dict[str, str]:
    """Return what a reader said last of each document that they said something of; the document to the kind."""
    found: dict[str, str] = {}
    for doc_id, kind in zip(history.doc_ids, history.kinds, strict=True):
        if kind in OPINIONS:
            found[doc_id] = kind
    return found


def opinion_of(engine: SearchEngine, user_id: str | None, doc_id: str) -> str:
    """Return what a reader said last of a document; the empty string where they said nothing."""
    if user_id is None or not engine.readers.exists:
        return ""
    return opinions_in(engine.readers.history(user_id)).get(doc_id, "")


def opine(engine: SearchEngine, user_id: str, doc_id: str, kind: str, now: datetime | None = None) -> bool:
    """Remember what a reader says of a document, in the place of what they said of it before.

    Returns:
        Whether that changed anything.
    """
    if opinion_of(engine, user_id, doc_id) == kind:
        return False
    take_back(engine, user_id, doc_id)
    engine.record([Event(user_id, doc_id, kind, now or datetime.now(UTC))])
    return True


def take_back(engine: SearchEngine, user_id: str, doc_id: str) -> bool:
    """Forget what a reader said of a document, and nothing else that they did with it.

    The store forgets documents and not single events: what stays is added again after that.

    Returns:
        Whether there was anything.
    """
    events = [event for event in events_of(engine, user_id) if event.doc_id == doc_id]
    kept = [event for event in events if event.kind not in OPINIONS]
    if len(kept) == len(events):
        return False
    engine.readers.forget_document(user_id, doc_id)
    if kept:
        engine.record(kept)
    return True


def note(engine: SearchEngine, user_id: str, doc_id: str, kind: str, now: datetime | None = None) -> None:
    """Remember that a reader opened or read a document: each once a day, however often the page is loaded."""
    at = now or datetime.now(UTC)
    event = Event(user_id, doc_id, kind, at)
    engine.record([replace(event, event_id=f"box {kind} {at.date().isoformat()} {_short(event)}")])


def events_of(engine: SearchEngine, user_id: str) -> Sequence[Event]:
    """Return all that is kept of what a reader did."""
    if not engine.readers.exists:
        return ()
    records = engine.readers.export(user_id)["events"]
    if not isinstance(records, list):
        raise TypeError(f"an export's events are a list, found {type(records).__name__}")
    return [Event.from_record(record) for record in records]


def _short(event: Event) -> str:
    """Return what tells documents apart in few characters."""
    return replace(event, at=None, event_id="").identity
