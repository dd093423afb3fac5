"""What a reader did with a document: `Event`, checked when made, and read from the records that logs hold."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import ClassVar

from engine.errors import SearchError
from indexer.document import MAX_DOC_ID

_LOOSE = re.compile("[\x00\ud800-\udfff]")
_UNIX = re.compile(r"-?\d{9,}(\.\d+)?|-?\d+\.\d+")
_MILLISECONDS = 1e11  # as seconds this is the year 5138; a greater number is milliseconds

FIELDS: dict[str, tuple[str, ...]] = {
    "user_id": ("user_id", "user", "reader"),
    "doc_id": ("doc_id", "doc", "item", "item_id"),
    "kind": ("kind", "type", "event"),
    "at": ("at", "ts", "timestamp", "time"),
    "weight": ("weight",),
    "event_id": ("event_id",),
}
"""A field of `Event` to the names that records may give it."""

KINDS = ("read", "click", "dwell", "like", "save", "dislike", "hide")
"""The kinds that Quire knows. Others are kept; they weigh nothing unless the settings give them a weight."""

PRAISE = ("like", "save")
"""The kinds by which readers say that a document is good; others, such as `read`, do not say what they thought."""

OPINIONS = (*PRAISE, "dislike", "hide")
"""The kinds by which readers say what they think of a document."""

LONGEST_EVENT_ID = 128
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class InvalidEvent(SearchError):
    """An event lacks a field, or has one that is of the wrong type or outside its range."""

    status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True)
class Event:
    """One reader met one document once.

    Args:
        user_id: Who; 1 to 1,024 characters.
        doc_id: Which document; 1 to 1,024 characters.
        kind: How: read, click, dwell, like, save, dislike, hide, or a word of your own; 1 to 64 characters.
        at: When, kept in UTC (a time without a zone is UTC already); None where the log does not say.
        weight: How much it counts beside others of its kind; finite, 0 or more.
        event_id: The log's own name for it, up to 128 characters; empty where the log has none.

    Raises:
        InvalidEvent: a value is of the wrong type or outside its range.
    """

    user_id: str
    doc_id: str
    kind: str = "read"
    at: datetime | None = None
    weight: float = 1.0
    event_id: str = ""

    def __post_init__(self) -> None:
        _name("user_id", self.user_id, MAX_DOC_ID)
        _name("doc_id", self.doc_id, MAX_DOC_ID)
        _name("kind", self.kind, 64)
        if self.event_id != "":
            _name("event_id", self.event_id, LONGEST_EVENT_ID)
        weight: object = self.weight
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < math.inf:
            raise InvalidEvent(f"an event's weight is a finite number of at least 0, found {weight!r:.40}")
        object.__setattr__(self, "weight", float(weight) + 0.0)  # no negative zero
        at: object = self.at
        if at is None:
            return
        if not isinstance(at, datetime):
            raise InvalidEvent(f"an event's time is a datetime or None, found {at!r:.40}")
        object.__setattr__(self, "at", in_utc(at))

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> Event:
        """Return the event that a record of a log describes; fields that are not in `FIELDS` are passed over.

        Whole numbers may stand for ids. A time is ISO 8601, or a number: seconds since 1970, or milliseconds
        where it is over 1e11. What is absent, null or empty takes the default of `Event`.

        Raises:
            InvalidEvent: user or document is absent, two names of one field disagree, or a value is unusable.
        """
        found = {name: _one(record, name) for name in FIELDS}
        for name in ("user_id", "doc_id"):
            if found[name] is None:
                names = ", ".join(FIELDS[name])
                raise InvalidEvent(f"no {name} (also called {names}); fields found: {_listed(record)}")
        values: dict[str, object] = {
            name: str(value) if isinstance(value, int) and not isinstance(value, bool) else value
            for name, value in found.items()
            if value is not None and name in ("user_id", "doc_id", "kind", "event_id")
        }
        if found["at"] is not None:
            values["at"] = parse_time(found["at"])
        if found["weight"] is not None:
            values["weight"] = _weight(found["weight"])
        return cls(**values)  # type: ignore[arg-type]

    def to_record(self) -> dict[str, object]:
        """Return plain values for JSON, which `from_record` reads as the same event; the time as ISO 8601."""
        return {
            "user_id": self.user_id,
            "doc_id": self.doc_id,
            "kind": self.kind,
            "at": self.at.isoformat() if self.at is not None else None,
            "weight": self.weight,
            "event_id": self.event_id,
        }

    @property
    def identity(self) -> str:
        """What makes it the same event when it is met again: its id, or 32 hexadecimal digits made of all it says."""
        return self.event_id or content_identity(
            self.user_id, self.doc_id, self.kind, microseconds(self.at), self.weight
        )


def content_identity(user_id: str, doc_id: str, kind: str, at: int | None, weight: float) -> str:
    """Return the identity of an event without an id; `at` in microseconds since 1970. Field by field, it is unique."""
    said = "\0".join((user_id, doc_id, kind, "" if at is None else str(at), repr(weight)))
    return blake2b(said.encode(), digest_size=16).hexdigest()


def microseconds(at: datetime | None) -> int | None:
    """Return a moment as whole microseconds since 1970, and None of None; a time without a zone is in UTC."""
    return None if at is None else (in_utc(at) - _EPOCH) // _MICROSECOND


def moment(at: int | None) -> datetime | None:
    """Return the moment that many microseconds after the beginning of 1970, in UTC, and None of None."""
    return None if at is None else _EPOCH + at * _MICROSECOND


def in_utc(at: datetime) -> datetime:
    """Return the same moment in UTC; a time without a zone is taken to be in UTC.

    Raises:
        InvalidEvent: the moment is outside the years 1 to 9999 in UTC.
    """
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError as error:
        raise InvalidEvent(f"a time lies in the years 1 to 9999 in UTC, found {at.isoformat()}") from error


def parse_time(value: object) -> datetime:
    """Return the moment that a log's time means, in UTC.

    Raises:
        InvalidEvent: it is neither ISO 8601 nor a number of seconds or milliseconds since 1970.
    """
    if isinstance(value, datetime):
        return in_utc(value)
    number = value
    if isinstance(value, str):
        text = value.strip()
        number = float(text) if _UNIX.fullmatch(text) else text
    try:
        if isinstance(number, str):
            return in_utc(datetime.fromisoformat(number))
        if isinstance(number, int | float) and not isinstance(number, bool):
            seconds = number / 1000 if abs(number) > _MILLISECONDS else number
            return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidEvent(_bad_time(value)) from error
    raise InvalidEvent(_bad_time(value))


def _bad_time(value: object) -> str:
    return f"a time is ISO 8601 or a number of seconds or milliseconds since 1970, found {value!r:.60}"


def _one(record: Mapping[str, object], name: str) -> object:
    """Return the value that a record gives a field, under whichever name; None where it gives none."""
    given = {
        alias: record[alias] for alias in FIELDS[name] if alias in record and record[alias] not in (None, "")
    }
    values = list(given.values())
    if any(value != values[0] for value in values[1:]):
        raise InvalidEvent(f"{' and '.join(given)} both say {name}, and disagree: {values!r:.120}")
    return values[0] if values else None


def _listed(record: Mapping[str, object]) -> str:
    return ", ".join(map(str, list(record)[:12])) or "none"


def _weight(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError as error:
        raise InvalidEvent(f"an event's weight is a number, found {value!r:.40}") from error


def _name(field: str, value: object, longest: int) -> None:
    fault = name_fault(value, longest)
    if fault:
        raise InvalidEvent(f"an event's {field} {fault}")


def name_fault(value: object, longest: int = MAX_DOC_ID) -> str:
    """Return what keeps a value from being a name of 1 to `longest` characters; nothing if it is one."""
    if not isinstance(value, str):
        return f"is a string, found {type(value).__name__}"
    if not 1 <= len(value) <= longest:
        return f"has 1 to {longest:,} characters, found {len(value):,}"
    return f"holds a NUL or half of a character: {value!r:.60}" if _LOOSE.search(value) else ""
