"""What each reader had met when a question was asked, and the stand-in whose history the control uses instead."""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TypeAlias

from engine.event import Event
from eval.collection import Topic
from eval.errors import InvalidEvaluation

Histories: TypeAlias = Mapping[str, Sequence[Event]]
"""Query to the events that its reader had behind them, by time and then by document; empty for a new reader."""

_NEAR = 10  # a stand-in is drawn from so many readers whose histories are nearest in length


def by_user(events: Iterable[Event]) -> dict[str, list[Event]]:
    """Return each user's events in order of time, then document, kind and weight: the file's order decides nothing."""
    users: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        users[event.user_id].append(event)
    for own in users.values():
        own.sort(key=_order)
    return dict(users)


def histories_of(topics: Iterable[Topic], events: Iterable[Event]) -> dict[str, tuple[Event, ...]]:
    """Return, for each topic that names its reader, what that reader did before it was asked.

    Of a topic with a time only strictly earlier events count; of one without, all of them.

    Raises:
        InvalidEvaluation: a topic has a time, and an event of its reader has none: what came first is unknown.
    """
    timelines = {user: _Timeline(user, own) for user, own in by_user(events).items()}
    histories: dict[str, tuple[Event, ...]] = {}
    for topic in topics:
        if topic.user_id is not None:
            timeline = timelines.get(topic.user_id)
            histories[topic.query_id] = timeline.before(topic.at) if timeline else ()
    return histories


def stand_in_histories(
    topics: Iterable[Topic], events: Iterable[Event], *, seed: int = 0
) -> dict[str, tuple[Event, ...]]:
    """Return the histories that the shuffled-profile control uses: each topic gets another reader's.

    The stand-in is drawn, by a hash of the seed, the reader and the candidate, among the ten readers whose
    history before the topic's time is nearest in length, so that neither how much is known nor when it was known
    differs from the truth. A reader keeps one stand-in for all topics that find the same ten. Topics of readers
    without history keep none, and so do those before whose time nobody else had any.

    Raises:
        InvalidEvaluation: as `histories_of`; or there is one reader alone, whom nobody can stand in for.
    """
    topics = list(topics)
    timelines = {user: _Timeline(user, own) for user, own in by_user(events).items()}
    untimed = sorted((len(line.events), user) for user, line in timelines.items())
    lent: dict[str, tuple[Event, ...]] = {}
    for topic in topics:
        if topic.user_id is None:
            continue
        own = timelines.get(topic.user_id)
        size = own.count(topic.at) if own else 0
        if not size:
            lent[topic.query_id] = ()
            continue
        if topic.at is None:
            sized = untimed
        else:
            sized = sorted(
                (count, user) for user, line in timelines.items() if (count := line.count(topic.at))
            )
        near = _nearest(sized, size, topic.user_id)
        hashes = {_hash(seed, topic.user_id, user): user for user in near}
        lent[topic.query_id] = timelines[hashes[min(hashes)]].before(topic.at) if hashes else ()
    if len(timelines) == 1 and any(topic.user_id in timelines for topic in topics):
        raise InvalidEvaluation(
            f"{next(iter(timelines))!r} is the only reader with a history, so nobody can stand in for them; "
            "the shuffled-profile control needs at least two"
        )
    return lent


class _Timeline:
    """One reader's events, sorted, with their times beside them for bisection."""

    def __init__(self, user: str, events: list[Event]) -> None:
        self.events = events
        self._user = user
        self._untimed = next((event for event in events if event.at is None), None)
        self._times = [event.at for event in events if event.at is not None]

    def count(self, at: datetime | None) -> int:
        """Return how many events are earlier than a time."""
        if at is None:
            return len(self.events)
        if self._untimed is not None:
            raise InvalidEvaluation(
                f"a topic has a time, and the event of {self._user!r} with {self._untimed.doc_id!r} has none, so "
                "what came first is unknown; give every event its time, or take the topics' times away"
            )
        return bisect.bisect_left(self._times, at if at.tzinfo else at.replace(tzinfo=UTC))

    def before(self, at: datetime | None) -> tuple[Event, ...]:
        return tuple(self.events[: self.count(at)])


def _nearest(sized: Sequence[tuple[int, str]], size: int, reader: str) -> list[str]:
    """Return the readers whose sizes are nearest, other than this one, of all with their sizes, ascending."""
    near: list[str] = []
    right = bisect.bisect_left(sized, (size, ""))
    left = right - 1
    while len(near) < _NEAR and (left >= 0 or right < len(sized)):
        if left < 0 or (right < len(sized) and sized[right][0] - size <= size - sized[left][0]):
            user, right = sized[right][1], right + 1
        else:
            user, left = sized[left][1], left - 1
        if user != reader:
            near.append(user)
    return near


def _hash(*parts: object) -> bytes:
    return blake2b("\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _order(event: Event) -> tuple[datetime, str, str, float]:
    # Events without a time come first; they never meet ones with a time where order matters.
    return (event.at or datetime.min.replace(tzinfo=UTC), event.doc_id, event.kind, event.weight)
