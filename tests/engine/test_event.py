"""Events: what is accepted, under which names, and what is refused in which words."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import SearchError
from engine.event import Event, InvalidEvent, microseconds, moment, parse_time

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=ZONES)
EVENTS = st.builds(
    Event,
    NAMES,
    NAMES,
    NAMES,
    st.none() | MOMENTS,
    st.floats(0, 1e9, allow_nan=False, allow_infinity=False),
    st.just("") | NAMES,
)


@given(EVENTS)
def test_a_record_in_json_is_the_same_event(event: Event) -> None:
    assert Event.from_record(json.loads(json.dumps(event.to_record()))) == event


@given(st.lists(EVENTS, min_size=2, max_size=2))
def test_what_says_the_same_is_the_same_event(pair: list[Event]) -> None:
    one, other = pair
    assert one.identity == Event.from_record(one.to_record()).identity
    if not one.event_id and not other.event_id:
        assert (one.identity == other.identity) == (one == other)
    named = replace(other, event_id=one.identity)
    assert named.identity == one.identity


def test_fields_do_not_run_into_each_other() -> None:
    alike = [
        Event("ab", "c"),
        Event("a", "bc"),
        Event("a", "b", "c"),
        Event("a", "b", "c", weight=0.0),
        Event("a", "b"),
    ]
    assert len({event.identity for event in alike}) == len(alike)
    assert Event("a", "b", weight=-0.0).identity == Event("a", "b", weight=0.0).identity


@given(MOMENTS)
def test_a_time_in_microseconds_is_exact(at: datetime) -> None:
    assert moment(microseconds(at)) == at
    assert (moment(None), microseconds(None)) == (None, None)


@pytest.mark.parametrize(
    "record",
    [
        {"user": "u", "item": "d", "ts": "2018-03-12T17:00:45.567", "kind": "read", "weight": 1},
        {"user_id": "u", "doc_id": "d", "at": "2018-03-12T17:00:45.567Z"},
        {"reader": "u", "doc": "d", "timestamp": 1520874045.567, "weight": "1.0", "kind": None},
        {"user": "u", "user_id": "u", "item_id": "d", "time": 1520874045567, "more": [1]},
        {"user": "u", "item": "d", "at": "1520874045.567", "kind": ""},
        {"user": "u", "item": "d", "at": "2018-03-12T18:00:45.567+01:00"},
    ],
)
def test_fields_may_have_other_names_and_times_other_forms(record: dict[str, object]) -> None:
    event = Event.from_record(record)
    assert (event.user_id, event.doc_id, event.kind, event.weight) == ("u", "d", "read", 1.0)
    assert event.at == datetime(2018, 3, 12, 17, 0, 45, 567000, UTC)


def test_whole_numbers_are_ids_and_a_compact_date_is_no_number() -> None:
    assert Event.from_record({"user": 7, "item": 0, "event_id": 12}) == Event("7", "0", event_id="12")
    assert parse_time("20180312") == datetime(2018, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ({"item": "d"}, "no user_id .also called user_id, user, reader.; fields found: item"),
        ({"user": "u", "doc": ""}, "no doc_id"),
        ({"user": "u", "user_id": "v", "item": "d"}, "user_id and user both say user_id, and disagree"),
        ({"user": True, "item": "d"}, "user_id is a string, found bool"),
        ({"user": 1.5, "item": "d"}, "user_id is a string, found float"),
        ({"user": "u" * 1025, "item": "d"}, "1 to 1,024 characters, found 1,025"),
        ({"user": "u\x00", "item": "d"}, "NUL"),
        ({"user": "u\ud800", "item": "d"}, "half of a character"),
        ({"user": "u", "item": "d", "kind": "k" * 65}, "kind has 1 to 64"),
        ({"user": "u", "item": "d", "event_id": "e" * 129}, "event_id has 1 to 128"),
        ({"user": "u", "item": "d", "event_id": 1.5}, "event_id is a string, found float"),
        ({"user": "u", "item": "d", "weight": -1}, "at least 0, found -1"),
        ({"user": "u", "item": "d", "weight": float("nan")}, "finite"),
        ({"user": "u", "item": "d", "weight": "inf"}, "finite"),
        ({"user": "u", "item": "d", "weight": "much"}, "weight is a number, found 'much'"),
        ({"user": "u", "item": "d", "weight": [1]}, "finite number"),
        ({"user": "u", "item": "d", "at": "yesterday"}, "ISO 8601 .* found 'yesterday'"),
        ({"user": "u", "item": "d", "at": True}, "ISO 8601"),
        ({"user": "u", "item": "d", "at": 1e300}, "ISO 8601"),
        ({"user": "u", "item": "d", "at": float("nan")}, "ISO 8601"),
        ({"user": "u", "item": "d", "at": "0001-01-01T00:00:00+05:00"}, "years 1 to 9999"),
    ],
)
def test_what_is_wrong_is_said(record: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidEvent, match=says) as caught:
        Event.from_record(record)
    assert isinstance(caught.value, SearchError)
    assert caught.value.status == 422


def test_a_time_is_a_datetime() -> None:
    with pytest.raises(InvalidEvent, match="datetime or None, found '2018'"):
        Event("u", "d", at="2018")  # type: ignore[arg-type]
