"""Splits: nothing leaks, nobody's split depends on others, and what leaks elsewhere is counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.event import Event
from eval.errors import InvalidEvaluation
from eval.personal import (
    Split,
    cut_for_share,
    leakage_of_split,
    leakage_of_study,
    split_at,
    split_last,
    split_share,
)

START = datetime(2020, 1, 1, tzinfo=UTC)


def at(hour: float) -> datetime:
    return START + timedelta(hours=hour)


LOGS = st.lists(
    st.builds(
        lambda user, doc, hour: Event(f"u{user}", f"d{doc}", at=at(hour)),
        st.integers(0, 4),
        st.integers(0, 6),
        st.integers(0, 20),
    ),
    min_size=15,
    max_size=50,
)
WAYS = st.sampled_from(["at", "last", "share"])


def cut(events: list[Event], way: str, number: int) -> Split:
    if way == "at":
        return split_at(events, at(number * 4), min_history=1)
    return split_last(events, number + 1) if way == "last" else split_share(events, 0.3, seed=number)


@settings(max_examples=100)
@given(LOGS, WAYS, st.integers(0, 4))
def test_parts_share_no_document_of_a_reader_and_lose_no_event_unsaid(
    events: list[Event], way: str, number: int
) -> None:
    try:
        split = cut(events, way, number)
    except InvalidEvaluation:
        assume(False)
    history = {(event.user_id, event.doc_id) for event in split.history}
    assert not history & {(event.user_id, event.doc_id) for event in split.future}
    assert len(split.history) + len(split.future) + sum(split.left_out.values()) == len(events)
    for user in split.held_out:
        assert any(event.user_id == user for event in split.history)
    if way != "share":
        assert leakage_of_split(split).clean
        for user, documents in split.held_out.items():
            first = min(e.at for e in split.future if e.user_id == user)
            assert all(e.at <= first for e in split.history if e.user_id == user)
            assert documents
    if way == "at":
        assert all(e.at < at(number * 4) for e in split.history)
        assert all(e.at >= at(number * 4) for e in split.future)
        assert leakage_of_split(split).findings[2].count == 0


@settings(max_examples=60)
@given(LOGS, LOGS, WAYS, st.integers(0, 4))
def test_other_readers_change_nobodys_split(
    events: list[Event], others: list[Event], way: str, number: int
) -> None:
    others = [Event(f"other-{event.user_id}", event.doc_id, at=event.at) for event in others]
    try:
        alone, together = cut(events, way, number), cut([*others, *events], way, number)
    except InvalidEvaluation:
        assume(False)
    for part in ("history", "future"):
        own = [event for event in getattr(together, part) if not event.user_id.startswith("other-")]
        assert own == list(getattr(alone, part))


def test_a_share_is_of_documents_and_the_seed_chooses() -> None:
    events = [Event("u", f"d{number}") for number in range(10)] * 2
    splits = [split_share(events, 0.3, seed=seed) for seed in range(20)]
    assert {len(split.held_out["u"]) for split in splits} == {3}
    assert len({split.held_out["u"] for split in splits}) > 10
    assert split_share(events, 0.3, seed=3) == split_share(list(reversed(events)), 0.3, seed=3)


def test_the_last_documents_are_by_first_meeting_and_later_rereading_is_left_out() -> None:
    events = [
        Event("u", doc, at=at(hour)) for doc, hour in (("a", 0), ("b", 1), ("c", 2), ("a", 3), ("c", 4))
    ]
    split = split_last(events, 1)
    assert [event.doc_id for event in split.history] == ["a", "b"]
    assert [event.doc_id for event in split.future] == ["c", "c"]
    assert split.left_out == {"met again after the cut": 1}


def test_readers_with_little_history_are_not_judged() -> None:
    events = [Event("few", "a"), Event("few", "b"), *[Event("many", f"d{n}") for n in range(9)]]
    split = split_share(events, 0.3, min_history=3)
    assert set(split.held_out) == {"many"}
    assert {event.doc_id for event in split.history if event.user_id == "few"} == {"a", "b"}
    timed = [Event("few", "a", at=at(0)), Event("few", "b", at=at(9)), Event("many", "a", at=at(1))]
    timed += [Event("many", "b", at=at(2)), Event("many", "c", at=at(9))]
    split = split_at(timed, at(5), min_history=2)
    assert set(split.held_out) == {"many"}
    assert split.left_out == {"of readers with too little history": 1}


def test_a_cut_by_share_takes_the_last_of_all_events() -> None:
    events = [Event(f"u{n % 3}", f"d{n}", at=at(n)) for n in range(10)]
    moment = cut_for_share(events, 0.2)
    assert sum(event.at >= moment for event in events) == 2


def test_what_leaks_is_counted_with_examples() -> None:
    split = Split(
        (Event("u", "a", at=at(1)), Event("u", "b", at=at(8)), Event("v", "a", at=at(6))),
        (Event("u", "a", at=at(5)),),
    )
    repeated, late, others = leakage_of_split(split).findings
    assert (repeated.count, repeated.examples) == (1, ("u a",))
    assert (late.count, late.examples) == (1, ("u b at 2020-01-01 08:00",))
    assert others.count == 2
    assert not leakage_of_split(split).clean
    known = leakage_of_study({"q": {"a": 1, "b": 0, "c": 2}}, {"q": split.history})
    assert known.findings[0].count == 1
    assert known.findings[0].examples == ("q a",)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: split_at([Event("u", "d")], START), "has no time"),
        (lambda: split_at([Event("u", "d", at=at(0))], at(5)), "no events for the future"),
        (lambda: split_last([Event("u", "d", at=at(0))], 1), "no events for the (history|future)"),
        (lambda: split_last([], 0), "at least 1 document"),
        (lambda: split_share([Event("u", "d")], 1.0), "over 0 and under 1, found 1.0"),
        (lambda: cut_for_share([Event("u", "d", at=at(0))], 0.5), "1 events cannot be cut"),
    ],
)
def test_what_cannot_be_split_is_said(make: object, says: str) -> None:
    with pytest.raises(InvalidEvaluation, match=says):
        make()  # type: ignore[operator]
