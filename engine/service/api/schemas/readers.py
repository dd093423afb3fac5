"""What is asked and told of readers: what they did, who they seem to be, what they may like."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from engine.service.api.schemas.parts import BecauseOut, Metadata
from engine.service.api.schemas.search import K
from engine.service.api.schemas.strict import Address, DocumentId, Given, Taken, exampled

MOST_EVENTS = 1000
Words = Annotated[
    str,
    Field(
        min_length=1, max_length=1000, description="An interest in words.", examples=["sailing in the Baltic"]
    ),
]


def _iso(value: object) -> object:
    """Return the time that a text is. Pydantic would read numbers, and texts of digits, as times too."""
    if value is None or isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise ValueError(f"a time is ISO 8601, such as 2026-05-01T12:00:00Z; found {value!r:.40}")
    return datetime.fromisoformat(value)


class EventIn(Taken):
    """Something that the reader did with a document."""

    doc_id: DocumentId
    kind: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            description="`read`, `click`, `dwell`, `like`, `save`, `dislike`, `hide`; others are kept and count "
            "nothing unless [personal] gives them a weight.",
            examples=["click"],
        ),
    ] = "read"
    at: Annotated[
        datetime | None,
        BeforeValidator(_iso),
        Field(
            description="When, ISO 8601; now where it is left out.",
            examples=["2026-05-01T12:00:00Z"],
        ),
    ] = None
    weight: Annotated[
        float, Field(ge=0, le=100, description="How much it counts beside others of its kind.")
    ] = 1.0
    event_id: Annotated[
        str,
        Field(max_length=128, description="Your name for it: the same event sent twice counts once."),
    ] = ""


class EventsIn(Taken):
    """What a reader did."""

    model_config = exampled(
        {
            "events": [
                {"doc_id": "papers/flutter.md", "kind": "click"},
                {
                    "doc_id": "papers/flutter.md",
                    "kind": "like",
                    "at": "2026-05-01T12:00:00Z",
                    "event_id": "7f3a",
                },
            ]
        }
    )

    events: Annotated[list[EventIn], Field(min_length=1, max_length=MOST_EVENTS)]


class RecordedOut(Given):
    """What became of events."""

    added: int
    duplicates: int = Field(description="Those that were known already.")
    future: int = Field(description="Those refused, as their time is over a day ahead.")


class RecommendAddress(Address):
    """What to recommend."""

    k: K = 10
    diversity: Annotated[
        float | None,
        Field(ge=0, le=1, description="How much likeness to documents above counts against one."),
    ] = None
    include_read: Annotated[bool, Field(description="Whether what the reader has met may come again.")] = (
        False
    )


class RecommendedOut(Given):
    """A document that the reader may want to read next."""

    rank: int
    doc_id: str
    score: float
    title: str
    source: str
    metadata: Metadata
    origin: Literal["interests", "popular", "recent"]
    interest: str = Field(description="The name of the interest that speaks for it most.")
    because: list[BecauseOut]
    readers: int
    dated: str | None
    reason: str = Field(description="Why it is here, for people.")


class RecommendationsOut(Given):
    """Documents for one reader, best first."""

    items: list[RecommendedOut]
    notices: list[str]
    shares: dict[str, int] = Field(
        description="How many of the items each interest speaks for most, by its name."
    )


class InterestOut(Given):
    """Something that the reader is interested in."""

    name: str = Field(description="What turns it off: a document's id, or the words that were declared.")
    title: str = Field(description="The title of that document; empty for a declared interest.")
    declared: bool
    muted: bool
    weight: float = Field(description="Its share of all interest, 0 to 1.")
    session: float = Field(description="Which part of that is due to the last while.")
    last: str | None = Field(description="When the reader last did something with it.")
    keyphrases: list[str]
    documents: list[str] = Field(description="Ids of the documents that it rests on, the heaviest first.")


class ProfileOut(Given):
    """Who the reader seems to be; empty for somebody of whom nothing is kept."""

    events: int
    documents: int
    flooding: bool = Field(description="Whether there are more events than a person makes.")
    evidence: float = Field(description="How much the history weighs, in documents read just now.")
    interests: list[InterestOut] = Field(description="The heaviest first.")
    disliked: list[str] = Field(description="Ids of documents.")
    hidden: list[str] = Field(description="Ids of documents that the reader wants to see no more.")
    muted: list[str] = Field(description="Names of all that is turned off, interests at present or not.")


class NameIn(Taken):
    """An interest by its name, as GET /v1/profile names it."""

    name: Annotated[str, Field(min_length=1, max_length=1024, examples=["books/sailing.epub"])]


class DeclareIn(Taken):
    """An interest in the reader's own words."""

    text: Words
    weight: Annotated[
        float, Field(gt=0, le=100, description="How much it counts beside others declared.")
    ] = 1.0


class UndeclareIn(Taken):
    """An interest that was declared."""

    text: Words


class DocumentIn(Taken):
    """A document by its id."""

    id: DocumentId


class ChangedOut(Given):
    """What a change came to."""

    changed: bool = Field(description="Whether anything is other than before.")


class ForgottenDocumentOut(Given):
    """What was forgotten of one document."""

    events: int


class ForgottenOut(Given):
    """What was erased."""

    readers: int
    events: int
    declared: int
    muted: int


class ExportOut(Given):
    """All that is kept of a reader."""

    user_id: str
    tenant: str
    events: list[dict[str, Any]]
    declared: list[dict[str, Any]]
    muted: list[str]
    flooding: bool
