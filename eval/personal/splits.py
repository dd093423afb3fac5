"""Events split into a history, which a system may learn from, and a future, which it is judged on.

Three ways. `split_at` cuts everybody at one moment: the only one in which nothing of the future can leak, not even
through other readers (Ji, Sun, Zhang and Li, A Critical Study on Data Leakage in Recommender System Offline
Evaluation, 2023). `split_last` holds out the last documents of each reader: everyone is judged, and one reader's
history may be later than another's future. `split_share` holds out a share of each reader's documents by hash, for
logs without times. In all three a document is on one side only: what was met again does not count as a discovery.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

from engine.event import Event, in_utc
from eval.errors import InvalidEvaluation
from eval.personal.histories import by_user


@dataclass(frozen=True, slots=True)
class Split:
    """The two parts of a log, each by user, then by time.

    Args:
        history: What was before.
        future: What came after, of documents that its reader had not met.
        left_out: Why events are in neither part, and how many.
    """

    history: tuple[Event, ...]
    future: tuple[Event, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def held_out(self) -> dict[str, frozenset[str]]:
        """Reader to the documents of their future."""
        documents: dict[str, set[str]] = defaultdict(set)
        for event in self.future:
            documents[event.user_id].add(event.doc_id)
        return {user: frozenset(own) for user, own in documents.items()}


Parts = tuple[list[Event], list[Event], list[Event]]
"""One reader's history, future, and what was met again after it had begun."""

AGAIN = "met again after the cut"
FEW = "of readers with too little history"


def split_at(events: Iterable[Event], cut: datetime, *, min_history: int = 0) -> Split:
    """Cut every reader's events at one moment; an event at exactly that moment is in the future.

    Args:
        events: All of the log; each with its time.
        cut: The moment; without a zone, in UTC.
        min_history: Readers with fewer documents before the cut are not judged: their future is left out.

    Raises:
        InvalidEvaluation: an event has no time, or one part would be empty.
    """
    moment = in_utc(cut)

    def parts(own: list[Event]) -> Parts:
        history = [event for event in own if _time(event) < moment]
        met = {event.doc_id for event in history}
        later = [event for event in own if _time(event) >= moment]
        return history, [e for e in later if e.doc_id not in met], [e for e in later if e.doc_id in met]

    return _split(events, parts, min_history, keep=False)


def cut_for_share(events: Sequence[Event], share: float) -> datetime:
    """Return the moment for `split_at` from which on the last `share` of all events lies, or as near as ties allow.

    Raises:
        InvalidEvaluation: the share is not between 0 and 1, an event has no time, or there are fewer than two.
    """
    _check_share(share)
    times = sorted(_time(event) for event in events)
    if len(times) < 2:
        raise InvalidEvaluation(f"a log of {len(times)} events cannot be cut in two")
    return times[min(len(times) - 1, max(1, round(len(times) * (1 - share))))]


def split_last(events: Iterable[Event], last: int = 1, *, min_history: int = 1) -> Split:
    """Hold out the `last` documents that each reader met, by the time of the first meeting, then by doc_id.

    Events with earlier documents from after the future began are left out of the history.

    Args:
        events: All of the log; each with its time.
        last: How many documents a reader.
        min_history: Readers with fewer documents besides are not judged: all of theirs is history.

    Raises:
        InvalidEvaluation: an event has no time, `last` is not at least 1, or one part would be empty.
    """
    if last < 1:
        raise InvalidEvaluation(f"at least 1 document a reader is held out, found {last}")

    def parts(own: list[Event]) -> Parts:
        first: dict[str, datetime] = {}
        for event in own:
            first.setdefault(event.doc_id, _time(event))
        held_out = set(sorted(first, key=lambda doc_id: (first[doc_id], doc_id))[-last:])
        began = min((first[doc_id] for doc_id in held_out), default=None)
        history, future, again = [], [], []
        for event in own:
            if event.doc_id in held_out:
                future.append(event)
            elif began is not None and _time(event) > began:
                again.append(event)
            else:
                history.append(event)
        return history, future, again

    return _split(events, parts, min_history, keep=True)


def split_share(events: Iterable[Event], share: float = 0.3, *, min_history: int = 1, seed: int = 0) -> Split:
    """Hold out a share of each reader's documents, chosen by a hash of seed, reader and document.

    What is chosen for one reader depends on nobody else's events, so a log that grows by a reader keeps all
    other splits. `share` times the number of documents is rounded to the nearest whole number, at least 1.

    Args:
        events: All of the log; times are not looked at.
        share: Over 0, under 1.
        min_history: Readers with fewer documents besides are not judged: all of theirs is history.
        seed: Another number, another split.

    Raises:
        InvalidEvaluation: the share is not between 0 and 1, or one part would be empty.
    """
    _check_share(share)

    def parts(own: list[Event]) -> Parts:
        documents = sorted(
            {event.doc_id for event in own}, key=lambda doc_id: _hash(seed, own[0].user_id, doc_id)
        )
        held_out = set(documents[: max(1, int(share * len(documents) + 0.5))])
        return (
            [event for event in own if event.doc_id not in held_out],
            [event for event in own if event.doc_id in held_out],
            [],
        )

    return _split(events, parts, min_history, keep=True)


def _split(
    events: Iterable[Event], parts: Callable[[list[Event]], Parts], min_history: int, *, keep: bool
) -> Split:
    """Return the split of all readers.

    Args:
        events: The log.
        parts: Splits one reader's events.
        min_history: Documents that a reader's history has at least, to be judged.
        keep: Whether the events of a reader who is not judged are all history, or those of the future left out.
    """
    history: list[Event] = []
    future: list[Event] = []
    left_out: Counter[str] = Counter()
    for _, own in sorted(by_user(events).items()):
        before, after, again = parts(own)
        if len({event.doc_id for event in before}) >= min_history:
            history += before
            future += after
            left_out[AGAIN] += len(again)
        elif keep:
            history += own
        else:
            history += before
            left_out[FEW] += len(after)
            left_out[AGAIN] += len(again)
    if not history or not future:
        empty = "history" if not history else "future"
        raise InvalidEvaluation(
            f"the split leaves no events for the {empty} ({len(history):,} before, {len(future):,} after); "
            "choose another moment, share or minimum of history"
        )
    return Split(
        tuple(history), tuple(future), {reason: count for reason, count in left_out.items() if count}
    )


def _time(event: Event) -> datetime:
    if event.at is None:
        raise InvalidEvaluation(
            f"the event of {event.user_id!r} with {event.doc_id!r} has no time; "
            "a log without times can be split by share only"
        )
    return event.at


def _check_share(share: float) -> None:
    if not 0 < share < 1:
        raise InvalidEvaluation(f"a share is over 0 and under 1, found {share}")


def _hash(*parts: object) -> bytes:
    return blake2b("\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=8).digest()
