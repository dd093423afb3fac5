"""The store of readers against a plain model of it: what goes in, what comes out, in whatever order and company."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reader_places import Places

from engine.errors import InvalidProfileChange
from engine.event import Event, InvalidEvent
from engine.personal import admission
from engine.personal.history import Forgotten, History, Recorded
from engine.personal.readers import Readers
from engine.personal.store import ReaderStore

NOON = datetime(2024, 5, 4, 12, tzinfo=UTC)
USERS = ("ann", "bob", "读者")
DOCS = ("d1", "d2", "a long id, with ☃ and ' in it")
EVENTS = st.builds(
    Event,
    st.sampled_from(USERS),
    st.sampled_from(DOCS),
    st.sampled_from(["read", "like", "dislike", "hide", "wrote"]),
    st.none() | st.integers(0, 5).map(lambda hours: NOON - timedelta(hours=hours, microseconds=hours)),
    st.sampled_from([0.0, 0.1, 1.0, 2.5]),
    st.sampled_from(["", "", "", "e1", "e2", "ab" * 16]),
)


@dataclass
class Model:
    """A store as plain as can be."""

    events: dict[str, dict[str, Event]] = field(default_factory=dict)
    declared: dict[str, dict[str, float]] = field(default_factory=dict)
    muted: dict[str, set[str]] = field(default_factory=dict)

    def add(self, events: Iterable[Event]) -> int:
        added = 0
        for event in events:
            own = self.events.setdefault(event.user_id, {})
            added += event.identity not in own
            own.setdefault(event.identity, event)
        return added

    def declare(self, user: str, text: str, weight: float) -> None:
        self.declared.setdefault(user, {})[text] = weight

    def undeclare(self, user: str, text: str) -> bool:
        self.muted.get(user, set()).discard(text)
        return self.declared.get(user, {}).pop(text, None) is not None

    def mute(self, user: str, name: str) -> bool | str:
        met = {event.doc_id for event in self.events.get(user, {}).values()}
        if name not in met and name not in self.declared.get(user, {}):
            return "refused"
        off = self.muted.setdefault(user, set())
        changed = name not in off
        off.add(name)
        return changed

    def unmute(self, user: str, name: str) -> bool:
        off = self.muted.get(user, set())
        found = name in off
        off.discard(name)
        return found

    def forget_document(self, user: str, doc: str) -> int:
        own = self.events.get(user, {})
        gone = [identity for identity, event in own.items() if event.doc_id == doc]
        for identity in gone:
            del own[identity]
        self.muted.get(user, set()).discard(doc)
        return len(gone)

    def forget(self, user: str) -> tuple[int, int, int]:
        return (
            len(self.events.pop(user, {})),
            len(self.declared.pop(user, {})),
            len(self.muted.pop(user, set())),
        )

    def view(self, user: str) -> tuple[Any, ...]:
        """Return what `seen` is to be."""
        events = sorted(
            self.events.get(user, {}).values(),
            key=lambda event: (
                (event.at or datetime.min.replace(tzinfo=UTC)).timestamp() if event.at else -math.inf,
                event.doc_id,
                event.kind,
                event.weight,
            ),
        )
        return (
            [
                (event.doc_id, event.kind, event.at.timestamp() if event.at else None, event.weight)
                for event in events
            ],
            sorted(self.declared.get(user, {}).items()),
            self.muted.get(user, set()),
        )


def seen(history: History) -> tuple[Any, ...]:
    """Return a history as plain values."""
    rows = zip(history.doc_ids, history.kinds, history.at.tolist(), history.weights.tolist(), strict=True)
    return (
        [(doc, kind, None if math.isnan(at) else at, weight) for doc, kind, at, weight in rows],
        [(one.text, one.weight) for one in history.declared],
        set(history.muted),
    )


USER, DOC, WORDS = st.sampled_from(USERS), st.sampled_from(DOCS), st.sampled_from(["sea", "star maps"])
NAME = DOC | WORDS
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(EVENTS, max_size=8)),
        st.tuples(st.just("declare"), USER, WORDS, st.sampled_from([0.5, 2.0])),
        st.tuples(st.sampled_from(["undeclare"]), USER, WORDS),
        st.tuples(st.sampled_from(["mute", "mute", "unmute"]), USER, NAME),
        st.tuples(st.just("forget_document"), USER, DOC),
        st.tuples(st.just("forget"), USER),
    ),
    max_size=8,
)


@settings(max_examples=40)
@given(steps=STEPS)
def test_it_does_what_a_plain_model_does(places: Places, steps: list[Any]) -> None:
    if places.enough(12):
        return
    model = Model()
    with places.place() as place, place.open() as store:
        for name, *arguments in steps:
            before = {user: store.version(user) for user in USERS}
            expected = getattr(model, name)(*arguments)
            if name == "add":
                recorded = store.add(arguments[0], now=NOON)
                assert recorded == Recorded(expected, len(arguments[0]) - expected)
            elif name == "declare":
                store.declare(*arguments[:2], weight=arguments[2])
            elif expected == "refused":
                with pytest.raises(InvalidProfileChange, match=r"met no document and declared no interest"):
                    store.mute(*arguments)
            elif name == "forget":
                gone = store.forget(*arguments)
                assert (gone.events, gone.declared, gone.muted) == expected
            else:
                assert getattr(store, name)(*arguments) == expected
            for user in USERS:
                history, wanted = store.history(user), model.view(user)
                assert seen(history) == wanted
                assert history.version == store.version(user)
                assert (history.version == 0) == (not any(wanted))
                if history.version and history.version == before[user]:
                    continue
                assert history.version == 0 or history.version > max(before.values())
        with place.open() as fresh:
            # What a store that was open all the while knows is what another finds.
            for user in USERS:
                assert seen(fresh.history(user)) == seen(store.history(user))
            check_everything(fresh, model)


def check_everything(store: Readers, model: Model) -> None:
    """Compare what there is of all readers together."""
    known = [user for user in USERS if any(model.view(user))]
    assert sorted(store.readers()) == sorted(known)
    events = [event for own in model.events.values() for event in own.values()]
    found = list(store.events())
    assert sorted(found, key=repr) == sorted(events, key=repr)
    assert [event.identity for event in found] != [] or not events
    for user in USERS:
        own = [Event.from_record(record) for record in store.export(user)["events"]]  # type: ignore[attr-defined]
        assert own == [event for event in found if event.user_id == user]
    reads = {}
    for user, own in model.events.items():
        disliked = {event.doc_id for event in own.values() if event.kind in ("dislike", "hide")}
        liked = {
            event.doc_id for event in own.values() if event.kind in ("read", "like") and event.weight > 0
        }
        if liked - disliked:
            reads[user] = tuple(sorted(liked - disliked))
    assert dict(store.reads()) == reads


@settings(max_examples=15)
@given(events=st.lists(EVENTS, max_size=12), data=st.data())
def test_neither_order_nor_batches_nor_repetition_matter(
    places: Places, events: list[Event], data: st.DataObject
) -> None:
    """As long as no two different events claim the same id."""
    if places.enough(6):
        return
    events = list({(event.user_id, event.identity): event for event in events}.values())
    shuffled = data.draw(st.permutations(events + events[:3]))
    cut = data.draw(st.integers(0, len(shuffled)))
    stores = []
    for batches in ([events], [shuffled[:cut], shuffled[cut:], shuffled[:2]]):
        with places.store() as store:
            for batch in batches:
                store.add(batch, now=NOON)
            stores.append(
                ({user: seen(store.history(user)) for user in USERS}, sorted(map(repr, store.events())))
            )
    assert stores[0] == stores[1]


@settings(max_examples=15)
@given(
    before=st.lists(EVENTS, max_size=8),
    of_hers=st.lists(EVENTS, max_size=8),
    after=st.lists(EVENTS, max_size=8),
)
def test_erased_is_never_seen(
    places: Places, before: list[Event], of_hers: list[Event], after: list[Event]
) -> None:
    if places.enough(5):
        return
    gone = "gone"
    found = []
    for with_her in (True, False):
        with places.store() as store:
            mixed = before
            if with_her:
                mixed = [event for pair in zip(before, of_hers, strict=False) for event in pair]
                mixed = [*mixed[::2], *(replace(event, user_id=gone) for event in of_hers), *before]
                store.declare(gone, "sea")
            store.add(mixed, now=NOON)
            if with_her:
                store.forget(gone)
            store.add(after, now=NOON)
            documents = []
            if isinstance(store, ReaderStore) and store.exists:
                with store.read() as connection:
                    documents = connection.execute(
                        "SELECT doc_id, uses FROM documents ORDER BY doc_id"
                    ).fetchall()
            found.append(
                (
                    {user: seen(store.history(user)) for user in (*USERS, gone)},
                    list(store.readers()),
                    list(store.events()),
                    list(store.reads()),
                    store.floods(),
                    documents,
                )
            )
    assert found[0] == found[1]


def floods_slowly(times: list[int], untimed: int, limits: tuple[int, int, int]) -> bool:
    """Whether some hour or day that begins with an event has more than it may."""
    hour, day, without = limits
    return untimed > without or any(
        sum(start <= time < start + span for time in times) > limit
        for start in times
        for span, limit in ((admission.HOUR, hour), (admission.DAY, day))
    )


@settings(max_examples=20)
@given(
    offsets=st.lists(st.sampled_from([None, None, *range(0, 50 * 6, 2)]), max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=3),
    forgotten=st.integers(0, 5),
    limits=st.tuples(st.integers(1, 5), st.integers(3, 12), st.integers(1, 3)),
)
def test_floods_are_those_of_the_slow_count(
    places: Places,
    offsets: list[int | None],
    cuts: list[int],
    forgotten: int,
    limits: tuple[int, int, int],
) -> None:
    """Whatever the order and the batches; and a flood ends when what made it is forgotten."""
    if places.enough(8):
        return
    events = [
        Event(
            "ann",
            f"d{number % 6}",
            at=None if offset is None else NOON - timedelta(minutes=10 * offset),
            event_id=f"e{number}",
        )
        for number, offset in enumerate(offsets)
    ]

    def slowly(events: list[Event]) -> bool:
        ticks = [int(event.at.timestamp()) * 1_000_000 for event in events if event.at is not None]
        return floods_slowly(ticks, len(events) - len(ticks), limits)

    with pytest.MonkeyPatch.context() as patch:
        for name, limit in zip(("HOUR_LIMIT", "DAY_LIMIT", "UNTIMED_LIMIT"), limits, strict=True):
            patch.setattr(admission, name, limit)
        with places.store() as store:
            bounds = [0, *sorted(min(cut, len(events)) for cut in cuts), len(events)]
            for start, end in pairwise(bounds):
                recorded = store.add(events[start:end], now=NOON)
                assert recorded.flooding == (("ann",) if slowly(events[:end]) and end > start else ())
            assert store.floods() == ({"ann"} if slowly(events) else set())
            store.add([Event("bob", "d1")])
            assert dict(store.reads()).keys() == {"bob"} | (
                {"ann"} if events and not slowly(events) else set()
            )
            store.forget_document("ann", f"d{forgotten}")
            left = [event for event in events if event.doc_id != f"d{forgotten}"]
            assert store.history("ann").flooding == slowly(left)


def test_in_a_flood_each_document_counts_once(places: Places) -> None:
    minutes = [NOON - timedelta(seconds=number) for number in range(admission.HOUR_LIMIT + 1)]
    events = [Event("ann", f"d{number % 7}", "click", at) for number, at in enumerate(minutes)]
    with places.store() as store:
        assert store.add(events[:-1], now=NOON).flooding == ()
        assert len(store.history("ann")) == admission.HOUR_LIMIT
        store.add([Event("bob", "d1", "click", NOON)], now=NOON)
        assert store.add(events, now=NOON) == Recorded(1, admission.HOUR_LIMIT, 0, ("ann",))
        history = store.history("ann")
        last = {event.doc_id: event.at for event in sorted(events, key=lambda event: event.at or NOON)}
        assert dict(zip(history.doc_ids, history.at.tolist(), strict=True)) == {
            doc_id: at.timestamp() for doc_id, at in last.items() if at
        }
        assert list(history.at) == sorted(history.at)
        assert dict(store.reads()) == {"bob": ("d1",)}
        assert len(list(store.events())) == len(events) + 1


def test_clocks_in_the_future_are_refused_and_named(places: Places) -> None:
    day = timedelta(days=1)
    possible = [
        Event("ann", "d1", at=NOON + day),
        Event("ann", "d2", at=NOON.replace(year=1)),
        Event("ann", "d3"),
    ]
    ahead = [
        Event("ann", f"d{number}", at=NOON + day + timedelta(microseconds=number)) for number in range(1, 9)
    ]
    place = places.fresh()
    with place.open() as store:
        assert store.add(ahead, now=NOON) == Recorded(future=8, ahead=tuple(ahead[:5]))
        assert place.untouched()
        assert store.add(possible + ahead, now=NOON.replace(tzinfo=None)) == Recorded(
            3, 0, 8, (), tuple(ahead[:5])
        )
        assert store.history("ann").doc_ids == ("d3", "d2", "d1")
        assert store.add([Event("ann", "d9", at=datetime.now(UTC) + 2 * day)]).future == 1
        assert (
            store.add([replace(ahead[0], at=datetime.max.replace(tzinfo=UTC))], now=datetime.max).added == 1
        )


def test_nothing_is_made_before_the_first_write(places: Places) -> None:
    place = places.fresh()
    with place.open() as store:
        assert (store.version("ann"), len(store.history("ann")), store.floods()) == (0, 0, frozenset())
        assert (list(store.readers()), list(store.events()), list(store.reads())) == ([], [], [])
        assert (store.forget("ann"), store.forget_document("ann", "d1")) == (Forgotten(), 0)
        assert (store.unmute("ann", "d1"), store.undeclare("ann", "sea")) == (False, False)
        assert store.add([]) == Recorded()
        name = store.pseudonym("ann")
        assert place.untouched()
        store.add([Event("bob", "d1")])
        assert store.pseudonym("ann") == name
        with place.open() as other:
            assert other.pseudonym("ann") == name != other.pseudonym("bob") == store.pseudonym("bob")
        assert len(name) == 16
        assert set(name) <= set("0123456789abcdef")


def test_what_is_not_usable_is_refused(places: Places) -> None:
    place = places.fresh()
    with place.open() as store:
        with pytest.raises(InvalidEvent, match=r"engine\.Event values, found dict"):
            store.add([Event("ann", "d1"), {"user": "ann"}])  # type: ignore[list-item]
        for user_id, says in (
            ("", "has 1 to 1,024 characters, found 0"),
            ("a\ud800", "half of a"),
            (7, "found int"),
        ):
            with pytest.raises(InvalidProfileChange, match=says) as caught:
                store.history(user_id)  # type: ignore[arg-type]
            assert caught.value.status == 422
        for text, weight, at, says in (
            (" \n", 1.0, None, "text of an interest has 1 to 1,000 characters, found 0"),
            ("x" * 1001, 1.0, None, "found 1,001"),
            ("sea", 0, None, "number over 0, found 0"),
            ("sea", math.inf, None, "number over 0, found inf"),
            ("sea", 1.0, datetime.now(UTC) + timedelta(days=2), "declared now or earlier"),
        ):
            with pytest.raises(InvalidProfileChange, match=says):
                store.declare("ann", text, weight=weight, at=at)
        with pytest.raises(InvalidProfileChange, match="met no document and declared no interest 'd1'"):
            store.mute("ann", "d1")
        assert place.untouched()
        for number in range(100):
            store.declare("ann", f"interest {number}")
        store.declare("ann", "  interest\n7 ", weight=3.0, at=NOON)
        with pytest.raises(InvalidProfileChange, match="declared 100 interests already"):
            store.declare("ann", "one more")
        [seventh] = [one for one in store.history("ann").declared if one.text == "interest 7"]
        assert (seventh.weight, seventh.at) == (3.0, NOON.timestamp())
        assert len(store.history("ann").declared) == 100


def test_tenants_never_mix(places: Places) -> None:
    place = places.fresh()
    with place.open("one") as one, place.open("One") as two:
        one.add([Event("ann", "d1")])
        assert (two.version("ann"), list(two.events())) == (0, [])
        two.add([Event("ann", "d2")])
        assert one.history("ann").doc_ids == ("d1",)
        assert one.pseudonym("ann") != two.pseudonym("ann")
        two.forget("ann")
        assert one.history("ann").doc_ids == ("d1",)


def test_threads_and_their_own_stores_lose_nothing(places: Places) -> None:
    """Two stores as two processes have them, each shared by threads that add, read and forget at once."""
    faults: list[BaseException] = []
    place = places.fresh()
    with place.open() as one, place.open() as other:

        def work(store: Readers, worker: int) -> None:
            try:
                last = 0
                for number in range(12):
                    store.add([Event("shared", f"w{worker}-{number}"), Event("shared", f"both-{number}")])
                    store.add([Event(f"own-{worker}", "d1")])
                    history = store.history("shared")
                    assert history.version >= last
                    assert len(history) == len(set(history.doc_ids))
                    last = history.version
                    if number % 6 == 5:
                        store.forget(f"own-{worker}")
            except BaseException as error:
                faults.append(error)
                raise

        threads = [
            threading.Thread(target=work, args=(store, worker))
            for worker, store in enumerate((one, other, one, other))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not faults
        wanted = {f"w{worker}-{number}" for worker in range(4) for number in range(12)}
        wanted |= {f"both-{number}" for number in range(12)}
        assert set(one.history("shared").doc_ids) == wanted == set(other.history("shared").doc_ids)
        assert list(one.readers()) == ["shared"]


def test_columns_cannot_be_changed(places: Places) -> None:
    with places.store() as store:
        store.add([Event("ann", "d1")])
        history = store.history("ann")
        assert (history.at.dtype, history.weights.dtype) == (np.float64, np.float64)
        with pytest.raises(ValueError, match="read-only"):
            history.weights[0] = 7
