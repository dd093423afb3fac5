"""Histories and stand-ins against slow plain versions, for any log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.event import Event
from eval.collection import Topic
from eval.errors import InvalidEvaluation
from eval.formats import read_collection
from eval.personal import histories_of, leakage_of_study, read_events, stand_in_histories

START = datetime(2020, 1, 1, tzinfo=UTC)
USERS = [f"u{number}" for number in range(8)]
TIMED = st.lists(
    st.builds(
        lambda user, doc, hour: Event(user, f"d{doc}", at=START + timedelta(hours=hour)),
        st.sampled_from(USERS),
        st.integers(0, 9),
        st.integers(0, 30),
    ),
    max_size=60,
)
TOPICS = st.lists(
    st.builds(
        lambda user, hour: (user, None if hour is None else START + timedelta(hours=hour)),
        st.sampled_from([*USERS, "stranger"]),
        st.none() | st.integers(0, 30),
    ),
    max_size=8,
).map(lambda drawn: [Topic(f"q{n}", "text", user, at) for n, (user, at) in enumerate(drawn)])


@settings(max_examples=60)
@given(TIMED, TOPICS, st.randoms())
def test_a_history_is_what_its_reader_did_before(
    events: list[Event], topics: list[Topic], random: object
) -> None:
    found = histories_of(topics, events)
    for topic in topics:
        wanted = [e for e in events if e.user_id == topic.user_id and (topic.at is None or e.at < topic.at)]
        assert sorted(map(repr, found[topic.query_id])) == sorted(map(repr, wanted))
        assert [e.at for e in found[topic.query_id]] == sorted(e.at for e in wanted)
    mixed = list(events)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert histories_of(topics, mixed) == found


@settings(max_examples=60)
@given(TIMED, TOPICS, st.integers(0, 3))
def test_a_stand_in_is_somebody_else_with_about_as_much_behind_them(
    events: list[Event], topics: list[Topic], seed: int
) -> None:
    if len({event.user_id for event in events}) < 2:
        return
    own, lent = histories_of(topics, events), stand_in_histories(topics, events, seed=seed)
    assert own.keys() == lent.keys()
    for topic in topics:
        history, borrowed = own[topic.query_id], lent[topic.query_id]
        if not history:
            assert borrowed == ()
            continue
        assert topic.user_id not in {event.user_id for event in borrowed}
        assert len({event.user_id for event in borrowed}) <= 1
        assert all(topic.at is None or event.at < topic.at for event in borrowed)
        assert (
            borrowed == ()
            or borrowed == histories_of([Topic("q", "text", borrowed[0].user_id, topic.at)], events)["q"]
        )


def test_a_stand_in_is_among_the_ten_of_the_nearest_size() -> None:
    events = [Event(f"u{size:02}", f"d{n}") for size in range(1, 40) for n in range(size)]
    for seed in range(30):
        [history] = stand_in_histories([Topic("q", "text", "u20")], events, seed=seed).values()
        assert 15 <= len(history) <= 25
        assert history[0].user_id != "u20"
    assert (
        len({stand_in_histories([Topic("q", "", "u20")], events, seed=seed)["q"] for seed in range(30)}) > 3
    )


def test_a_topic_with_a_time_needs_events_with_theirs() -> None:
    with pytest.raises(InvalidEvaluation, match="event of 'u' with 'd' has none"):
        histories_of([Topic("q", "text", "u", START)], [Event("u", "d")])


def test_nobody_can_stand_in_for_the_only_reader() -> None:
    with pytest.raises(InvalidEvaluation, match="'u' is the only reader"):
        stand_in_histories([Topic("q", "text", "u")], [Event("u", "d")])


def test_topics_without_a_reader_have_no_history() -> None:
    assert histories_of([Topic("q", "text")], [Event("u", "d")]) == {}
    assert stand_in_histories([Topic("q", "text")], [Event("u", "d")]) == {}


def test_times_without_a_zone_are_utc() -> None:
    events = [Event("u", "d", at=datetime(2020, 1, 1, 12))]
    assert histories_of([Topic("q", "", "u", datetime(2020, 1, 1, 12))], events)["q"] == ()
    assert len(histories_of([Topic("q", "", "u", datetime(2020, 1, 1, 13))], events)["q"]) == 1


def test_in_real_collections_no_history_holds_its_answers(datasets: Path) -> None:
    for name, split, events_file in (
        ("citeulike_a_text", "personal", "personal_events_train.jsonl.gz"),
        ("se_small", "", "events.jsonl.gz"),
    ):
        collection = read_collection(datasets / name, split=split)
        histories = histories_of(collection.topics.values(), read_events(datasets / name / events_file))
        assert sum(bool(history) for history in histories.values()) > 800
        assert leakage_of_study(collection.judgements.qrels, histories).clean
        for query_id, history in histories.items():
            asked = collection.topics[query_id].at
            assert asked is None or all(event.at is not None and event.at < asked for event in history)
