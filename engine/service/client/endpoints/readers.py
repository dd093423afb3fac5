"""Readers: what they did, who they seem to be, what they may like. All of it needs a reader's token."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

from engine.service.client.answers.readers import (
    Changed,
    Export,
    Forgotten,
    ForgottenDocument,
    Profile,
    Recommendations,
    Recorded,
)
from engine.service.client.call import Call


def recommend(
    *, k: int = 10, diversity: float | None = None, include_read: bool = False
) -> Call[Recommendations]:
    """Return documents that the reader may want to read next. Needs the scope `search`.

    Args:
        k: How many.
        diversity: How much likeness to documents above counts against one, from 0 to 1; None for a little.
        include_read: Whether what the reader has met may come again.
    """
    params = {"k": k, "diversity": diversity, "include_read": include_read}
    return Call("GET", "/v1/recommendations", Recommendations, params=params, repeatable=True)


def record(events: Iterable[Mapping[str, object]]) -> Call[Recorded]:
    """Remember what the reader did; the next search of theirs counts it. Needs the scope `events`.

    Args:
        events: {"doc_id": ..., "kind": "click"}, with `at` (ISO 8601), `weight` and `event_id` where they are known. An
            event without an `event_id` is given one, so that it counts once, however often it had to be sent.
    """
    body = {"events": [{"event_id": uuid.uuid4().hex, **event} for event in events]}
    return Call("POST", "/v1/events", Recorded, body=body, repeatable=True)


def profile() -> Call[Profile]:
    """Return who the reader seems to be. Needs the scope `search`."""
    return Call("GET", "/v1/profile", Profile, repeatable=True)


def mute(name: str) -> Call[Changed]:
    """Turn an interest off. Needs the scope `events`.

    Args:
        name: As `profile` names it.
    """
    return Call("POST", "/v1/profile/mute", Changed, body={"name": name}, repeatable=True)


def unmute(name: str) -> Call[Changed]:
    """Turn an interest on again. Needs the scope `events`.

    Args:
        name: As `profile` names it.
    """
    return Call("POST", "/v1/profile/unmute", Changed, body={"name": name}, repeatable=True)


def declare(text: str, *, weight: float = 1.0) -> Call[Changed]:
    """Keep an interest in the reader's own words, or change how much it counts. Needs the scope `events`.

    Args:
        text: The words.
        weight: How much it counts beside others declared, over 0.
    """
    body = {"text": text, "weight": weight}
    return Call("POST", "/v1/profile/declare", Changed, body=body, repeatable=True)


def undeclare(text: str) -> Call[Changed]:
    """Take back an interest that was declared. Needs the scope `events`.

    Args:
        text: The words.
    """
    return Call("POST", "/v1/profile/undeclare", Changed, body={"text": text}, repeatable=True)


def forget_document(doc_id: str) -> Call[ForgottenDocument]:
    """Forget all that the reader did with a document, as if it had not happened. Needs the scope `events`.

    Args:
        doc_id: Which document.
    """
    return Call(
        "POST", "/v1/profile/forget-document", ForgottenDocument, body={"id": doc_id}, repeatable=True
    )


def export_profile() -> Call[Export]:
    """Return all that is kept of the reader. Needs the scope `search`."""
    return Call("GET", "/v1/profile/export", Export, repeatable=True)


def erase_profile() -> Call[Forgotten]:
    """Erase the reader: nothing is left of what they did, declared or turned off. Needs the scope `events`."""
    return Call("DELETE", "/v1/profile", Forgotten, repeatable=True)
