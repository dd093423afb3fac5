"""What each document of a past counts, against sums taken event by event."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import InvalidSearchSettings
from engine.event import Event
from engine.personal.settings import PersonalSettings
from engine.personal.weighing import Weighed, weigh

from .making import history

NOW = datetime(2024, 11, 23, 12, tzinfo=UTC)
MINUTES = st.one_of(
    st.none(), st.sampled_from([-30, 0, 1, 10, 60, 24 * 60, 90 * 24 * 60]), st.integers(0, 3_000_000)
)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from("abcde"),
        st.sampled_from(["read", "click", "like", "dislike", "hide", "dwell", "print"]),
        MINUTES,
        st.sampled_from([0.0, 0.5, 1.0, 3.0]),
    ),
    max_size=25,
).map(
    lambda rows: [
        Event("u", doc, kind, None if ago is None else NOW - timedelta(minutes=ago), weight)
        for doc, kind, ago, weight in rows
    ]
)
SETTINGS = st.sampled_from(
    [
        PersonalSettings(),
        PersonalSettings(half_life_days=30.0, session_minutes=45.0, session_share=0.5),
        PersonalSettings(half_life_days=None, session_share=0.0),
        PersonalSettings(kinds=("print=2", "read=-1"), session_share=1.0),
    ]
)


def plain(events: list[Event], asked: PersonalSettings, until: datetime | None = None) -> dict[str, float]:
    """Sum event by event, in double precision, by the definition."""
    kinds = {}
    for part in asked.kinds:
        kind, weight = part.split("=")
        kinds[kind] = float(weight)
    long: dict[str, float] = {}
    lately: dict[str, float] = {}
    for event in {event.identity: event for event in events}.values():
        if until is not None and event.at is not None and event.at >= until:
            continue
        amount = kinds.get(event.kind, 0.0) * event.weight
        age = 0.0 if event.at is None else max((NOW - event.at).total_seconds(), 0.0)
        faded = (
            amount if asked.half_life_days is None else amount * 0.5 ** (age / 86_400 / asked.half_life_days)
        )
        long[event.doc_id] = long.get(event.doc_id, 0.0) + faded
        lately.setdefault(event.doc_id, 0.0)
        if event.at is not None and age < asked.session_minutes * 60:
            lately[event.doc_id] += amount
    session = {doc: max(amount, 0.0) if long[doc] > 0 else 0.0 for doc, amount in lately.items()}
    liked, recent = sum(max(amount, 0.0) for amount in long.values()), sum(session.values())
    if liked <= 0 or recent <= 0 or asked.session_share == 0:
        return long
    scale = asked.session_share * liked / recent
    return {
        doc: amount if amount <= 0 else (1 - asked.session_share) * amount + scale * session[doc]
        for doc, amount in long.items()
    }


def same(one: Weighed, two: Weighed) -> bool:
    return (one.doc_ids, one.kinds) == (two.doc_ids, two.kinds) and all(
        str(getattr(one, name).tolist()) == str(getattr(two, name).tolist())
        for name in ("weights", "session", "at", "hidden")
    )


@given(events=EVENTS, asked=SETTINGS)
@settings(deadline=None, max_examples=80)
def test_each_document_counts_the_sum_of_its_events(events: list[Event], asked: PersonalSettings) -> None:
    found = weigh(history(events), asked, NOW.timestamp())
    expected = plain(events, asked)
    assert list(found.doc_ids) == sorted(expected)
    for doc_id, weight in zip(found.doc_ids, found.weights, strict=True):
        assert weight == pytest.approx(expected[doc_id], rel=1e-9, abs=1e-9)


@given(events=EVENTS, asked=SETTINGS, seed=st.integers(0, 99))
@settings(deadline=None, max_examples=50)
def test_neither_their_order_nor_repetition_matters(
    events: list[Event], asked: PersonalSettings, seed: int
) -> None:
    mixed = [*events, *events[: len(events) // 2]]
    random.Random(seed).shuffle(mixed)
    assert same(weigh(history(events), asked, 1.7e9), weigh(history(mixed), asked, 1.7e9))


@given(events=EVENTS, asked=SETTINGS, ago=st.sampled_from([0, 10, 60, 5000]))
@settings(deadline=None, max_examples=50)
def test_what_is_not_earlier_than_the_question_is_as_if_it_had_not_been(
    events: list[Event], asked: PersonalSettings, ago: int
) -> None:
    until = NOW - timedelta(minutes=ago)
    earlier = [event for event in events if event.at is None or event.at < until]
    seconds = until.timestamp()
    assert same(
        weigh(history(events), asked, seconds, seconds), weigh(history(earlier), asked, seconds, seconds)
    )


def test_the_last_deed_and_its_time() -> None:
    earlier, later = NOW - timedelta(days=2), NOW - timedelta(days=1)
    found = weigh(
        history([Event("u", "a", "like", later), Event("u", "a", "read", earlier), Event("u", "b", "save")]),
        PersonalSettings(),
        NOW.timestamp(),
    )
    assert found.kinds == ("like", "save")
    assert found.at[0] == later.timestamp()
    assert math.isnan(found.at[1])


def test_an_opinion_goes_before_a_later_deed_that_is_none() -> None:
    events = [Event("u", "a", "like", NOW - timedelta(days=3)), Event("u", "a", "click", NOW)]
    found = weigh(history(events), PersonalSettings(), NOW.timestamp())
    assert found.kinds == ("like",)
    assert found.at[0] == (NOW - timedelta(days=3)).timestamp()


def test_the_last_deed_is_one_that_tells_why_it_counts() -> None:
    events = [
        Event("u", "a", "dislike", NOW - timedelta(days=1)),
        Event("u", "a", "read", NOW - timedelta(days=1)),
        Event("u", "a", "dislike", NOW - timedelta(days=2)),
        Event("u", "a", "hide", NOW - timedelta(days=3)),
        Event("u", "b", "print", NOW),
        Event("u", "b", "click", NOW - timedelta(days=9)),
        Event("u", "c", "print", NOW),
    ]
    found = weigh(history(events), PersonalSettings(), NOW.timestamp())
    assert found.kinds == ("dislike", "click", "print")
    assert found.at[0] == (NOW - timedelta(days=1)).timestamp()


def test_hidden_is_what_was_hidden_and_not_liked_more() -> None:
    events = [
        Event("u", "a", "hide"),
        Event("u", "b", "hide"),
        Event("u", "b", "like"),
        Event("u", "c", "dislike"),
        Event("u", "d", "read"),
    ]
    found = weigh(history(events), PersonalSettings(), NOW.timestamp())
    assert dict(zip(found.doc_ids, found.hidden.tolist(), strict=True)) == {
        "a": True,
        "b": False,
        "c": False,
        "d": False,
    }


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"kinds": ("read",)}, "kind=weight"),
        ({"kinds": ("read=much",)}, "read=much"),
        ({"kinds": "read=1"}, "kinds is a list"),
        ({"half_life_days": 0.0}, "half_life_days"),
        ({"session_share": 1.5}, "session_share"),
        ({"read": "burn"}, "keep, lower, hide"),
        ({"interests": "many"}, "several, mean"),
        ({"depth": 0}, "depth"),
        ({"proposals": True}, "proposals"),
        ({"weight": float("nan")}, "weight"),
    ],
)
def test_settings_outside_their_range_are_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidSearchSettings, match=said):
        PersonalSettings(**values)  # type: ignore[arg-type]


def test_the_fingerprint_changes_with_any_value() -> None:
    base = PersonalSettings()
    assert base.fingerprint == PersonalSettings().fingerprint
    others = [replace(base, weight=2.0), replace(base, read="hide"), replace(base, half_life_days=None)]
    assert len({base.fingerprint, *(other.fingerprint for other in others)}) == 4
