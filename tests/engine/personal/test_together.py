"""What readers share, against a slow plain version of it: from the beginning, bit by bit, and after erasures."""

from __future__ import annotations

import math
import random
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reader_places import Places

from engine.errors import InvalidSearchSettings, ReaderStoreBusy
from engine.event import Event
from engine.personal import coreading, learning
from engine.personal.coreading import UNIT, CoReading
from engine.personal.learning import learn, learnt
from engine.personal.readers import Readers
from engine.personal.together import most_read, neighbours, stamp

Lists = dict[str, list[tuple[str, float]]]

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)


def plain(reads: Mapping[str, Iterable[str]], how: CoReading) -> Lists:
    """Every pair, one reader after the other."""
    together: dict[tuple[str, str], float] = defaultdict(float)
    common: dict[tuple[str, str], int] = defaultdict(int)
    mass: dict[str, float] = defaultdict(float)
    for documents in reads.values():
        own = sorted(set(documents))
        weight = round(UNIT / math.log2(1 + len(own))) if own else 0
        for one in own:
            mass[one] += weight
        for one, other in combinations(own, 2):
            together[one, other] += weight
            common[one, other] += 1
    lists: Lists = {document: [] for document in mass}
    for (one, other), weight in together.items():
        if common[one, other] >= how.least:
            for of, near in ((one, other), (other, one)):
                lists[of].append((near, float(np.float32(weight / (mass[of] + how.shrink * UNIT)))))
    return {
        document: sorted(near, key=lambda pair: (-pair[1], pair[0]))[: how.nearest]
        for document, near in lists.items()
    }


def stored(store: Readers) -> Lists:
    """All that was learnt, in the order in which it is kept."""
    found = {}
    for doc_id, _ in most_read(store, 10_000):
        near = neighbours(store, [doc_id])
        found[doc_id] = [
            (near.doc_ids[column], float(value))
            for column, value in zip(near.columns.tolist(), near.values, strict=True)
        ]
    return found


def fill(store: Readers, reads: Mapping[str, Iterable[str]]) -> None:
    store.add([Event(user, doc_id) for user, doc_ids in reads.items() for doc_id in doc_ids])


documents = st.sampled_from([f"d{number:02}" for number in range(12)])
libraries = st.dictionaries(
    st.sampled_from([f"u{number}" for number in range(8)]), st.sets(documents, max_size=4), max_size=8
)
hows = st.builds(
    CoReading,
    shrink=st.sampled_from([0.0, 1.0, 5.0]),
    least=st.integers(1, 3),
    nearest=st.sampled_from([1, 2, 3, 100]),
)


@settings(deadline=None, max_examples=30)
@given(reads=libraries, how=hows, piece=st.sampled_from([1, 7, 1 << 21]))
def test_agrees_with_the_plain_version(
    places: Places, reads: dict[str, set[str]], how: CoReading, piece: int
) -> None:
    if places.enough(6):
        return
    with (
        places.store() as store,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(coreading, "_PAIRS", piece)  # so many pairs at once must make no difference
        fill(store, reads)
        done = learn(store, how)
        expected = plain(reads, how)
        assert stored(store) == expected
        assert done.with_neighbours == sum(bool(near) for near in expected.values())
        assert done.documents == len(expected)
        assert done.reads == sum(map(len, reads.values()))


changes = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.sampled_from([f"u{n}" for n in range(6)]), documents),
        st.tuples(st.just("dislike"), st.sampled_from([f"u{n}" for n in range(6)]), documents),
        st.tuples(st.just("unread"), st.sampled_from([f"u{n}" for n in range(6)]), documents),
        st.tuples(st.just("forget"), st.sampled_from([f"u{n}" for n in range(6)]), st.just("")),
        st.tuples(st.just("flood"), st.sampled_from([f"u{n}" for n in range(6)]), documents),
        st.tuples(st.just("learn"), st.just(""), st.just("")),
    ),
    max_size=20,
)


@settings(deadline=None, max_examples=25)
@given(reads=libraries, after=changes, how=hows)
def test_bit_by_bit_is_the_same_as_from_the_beginning(
    places: Places, reads: dict[str, set[str]], after: list[tuple[str, str, str]], how: CoReading
) -> None:
    if places.enough(5):
        return
    with (
        places.store() as store,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(
            "engine.personal.admission.UNTIMED_LIMIT", 0
        )  # an event of weight 0.5 without a time floods
        patch.setattr("engine.personal.admission.HOUR_LIMIT", 10**9)
        store.add([Event(user, doc_id, at=NOON) for user, own in reads.items() for doc_id in own])
        learn(store, how)
        for what, user, doc_id in after:
            if what in ("read", "dislike"):
                store.add([Event(user, doc_id, what, at=NOON)])
            elif what == "flood":
                store.add([Event(user, doc_id)])
            elif what == "unread":
                store.forget_document(user, doc_id)
            elif what == "forget":
                store.forget(user)
            else:
                learn(store, how)
        learn(store, how)
        step_by_step = stored(store)
        anew = learn(store, how, anew=True)
        assert anew.refreshed == anew.documents
        assert step_by_step == stored(store)
        assert step_by_step == plain(dict(store.reads()), how)


@pytest.mark.parametrize("how", [CoReading(nearest=1), CoReading(nearest=2, shrink=0.0), CoReading(least=2)])
@pytest.mark.parametrize("seed", range(4))
def test_single_changes_reach_every_list_that_they_concern(places: Places, how: CoReading, seed: int) -> None:
    if places.elastic and (seed or how != CoReading(nearest=1)):
        return  # one such walk takes the server ten seconds
    chance = random.Random(seed)
    names = [f"d{number:02}" for number in range(30)]
    with places.store() as store:
        fill(store, {f"u{n}": chance.sample(names, 3) for n in range(30)})
        learn(store, how)
        for step in range(8):
            user = f"u{chance.randrange(30)}"
            if step % 2:
                met = store.history(user).doc_ids
                store.forget_document(user, chance.choice(met or names))
            else:
                store.add([Event(user, chance.choice(names), chance.choice(["read", "dislike"]), at=NOON)])
            learn(store, how)
            assert stored(store) == plain(dict(store.reads()), how)


def test_only_what_a_change_touches_is_gone_over(places: Places) -> None:
    with places.store() as store:
        fill(store, {f"u{n}": [f"g{n % 5}-{n % 3}", f"g{n % 5}-{n % 4}"] for n in range(60)})
        assert learn(store).refreshed == 20
        assert learn(store).refreshed == 0
        fill(store, {"new": ["g2-0"]})
        assert learn(store).refreshed == 1
        assert learn(store, CoReading(shrink=1.0)).refreshed == 20


@settings(deadline=None, max_examples=12)
@given(reads=libraries, gone=st.sampled_from([f"u{number}" for number in range(8)]), relearn=st.booleans())
def test_an_erased_reader_was_never_there(
    places: Places, reads: dict[str, set[str]], gone: str, relearn: bool
) -> None:
    if places.enough(3):
        return
    others = {user: own for user, own in reads.items() if user != gone}
    with places.store() as store, places.store() as never:
        fill(store, reads)
        fill(never, others)
        learn(store)
        store.forget(gone)
        expected = plain(others, CoReading())
        if relearn:
            learn(store)
            learn(never)
            assert stored(store) == stored(never) == expected
        else:  # until then all that is left is true without the reader
            for doc_id, near in stored(store).items():
                assert set(near) <= set(expected[doc_id])
                assert doc_id not in reads.get(gone, ())


def test_a_flood_changes_nobodys_list(places: Places) -> None:
    fair = {f"u{n}": [f"d{n % 7}", f"d{n % 5}", f"d{(n * 3) % 11}"] for n in range(40)}
    with places.store() as store:
        fill(store, fair)
        learn(store)
        before, popular = stored(store), most_read(store, 100)
        flood = [
            Event("script", f"d{n % 11}", "like", NOON + timedelta(seconds=n), 5.0, f"e{n}")
            for n in range(1500)
        ]
        store.add(flood)
        done = learn(store)
        assert done.floods == 1
        assert stored(store) == before
        assert most_read(store, 100) == popular


def test_a_reader_of_very_much_is_drawn_from_alike_each_time(places: Places) -> None:
    much = [f"d{n:03}" for n in range(300)]
    kept = []
    for name in ("one", "two"):
        with places.store() as store:
            fill(store, {"avid": much if name == "one" else much[::-1], "other": ["d001", "d002"]})
            assert learn(store, CoReading(most=50, shrink=0.0)).reads == 52
            kept.append(stored(store))
    assert kept[0] == kept[1]
    assert max(len(near) for near in kept[0].values()) <= 51


def test_likeness_is_a_table_of_both_sides(places: Places) -> None:
    reads = {"a": ["d1", "d2"], "b": ["d1", "d2", "d3"], "c": ["d3", "d4"]}
    with places.store() as store:
        fill(store, reads)
        learn(store)
        near = neighbours(store, ["d1", "nobody's", "d3"])
        values = {
            (one, other): value for one, pairs in plain(reads, CoReading()).items() for other, value in pairs
        }
        asked, candidates = ["d1", "nobody's", "d3"], ["d4", "d2", "unknown", "d1"]
        expected = [[values.get((one, other), 0.0) for other in candidates] for one in asked]
        np.testing.assert_array_equal(near.likeness(candidates), expected)
        assert near.likeness([]).shape == (3, 0)
        weights = np.array([1.0, 5.0, 0.5])
        totals = weights @ near.likeness(["d1", "d2", "d3", "d4"])
        ranked = sorted(zip((-totals).tolist(), ["d1", "d2", "d3", "d4"], strict=True))
        assert near.best(weights, 3) == [doc_id for _, doc_id in ranked[:3]]
        assert near.best(-weights, 3) == []


def test_nothing_is_made_by_looking(places: Places) -> None:
    place = places.fresh()
    with place.open() as store:
        assert learn(store).readers == 0
        assert learnt(store) is None
        assert stamp(store) == ""
        assert most_read(store, 5) == []
        assert neighbours(store, ["d1"]).likeness(["d2"]).tolist() == [[0.0]]
        assert place.untouched()
        fill(store, {"a": ["d1"]})
        assert learnt(store) is None
        assert neighbours(store, ["d1"]).doc_ids == ()
        store.forget("a")  # with nothing learnt there is nothing to drop


def test_the_stamp_changes_with_every_change(places: Places) -> None:
    with places.store() as store:
        fill(store, {"a": ["d1", "d2"], "b": ["d1", "d2"]})
        done = learn(store)
        assert learnt(store) == done
        seen = [stamp(store)]
        store.forget_document("a", "d1")
        seen.append(stamp(store))
        learn(store)
        seen.append(stamp(store))
        store.forget("b")
        seen.append(stamp(store))
        assert len(set(seen)) == 4


def test_an_erasure_meanwhile_is_never_undone(places: Places) -> None:
    with places.store() as store:
        fill(store, {"a": ["d1", "d2"], "b": ["d2", "d3"], "c": ["d3", "d1"]})
        left = ["a", "b"]

        def erase(doing: str, done: int, total: int) -> None:
            if doing == "documents" and left:
                store.forget(left.pop())

        learn(store, tell=erase)
        assert left == []
        assert stored(store) == plain({"c": ["d3", "d1"]}, CoReading())

        def always(doing: str, done: int, total: int) -> None:
            if doing == "documents":
                store.add([Event("x", "d1", at=NOON)])
                store.forget("x")

        with pytest.raises(ReaderStoreBusy, match="learn again later"):
            learn(store, anew=True, tell=always)


def test_stopped_in_the_middle_it_leaves_what_was(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    with places.store() as store:
        fill(store, {"a": ["d1", "d2"], "b": ["d2", "d3"]})
        learn(store)
        before, mark = stored(store), stamp(store)
        fill(store, {"c": ["d1", "d3"]})

        def stop(doing: str, done: int, total: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            learn(store, tell=stop)
        assert (stored(store), stamp(store)) == (before, mark)

        def fail(*_: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(learning, "json", type("json", (), {"dumps": fail, "loads": learning.json.loads}))
        with pytest.raises(Exception, match="disk is full"):
            learn(store)
        assert stamp(store) == mark
        if not places.elastic:
            assert stored(store) == before
        monkeypatch.undo()
        learn(store)
        assert stored(store) == plain(dict(store.reads()), CoReading())


@pytest.mark.parametrize(
    "wrong", [{"shrink": -1}, {"shrink": float("nan")}, {"least": 0}, {"nearest": 1.5}, {"most": True}]
)
def test_settings_say_what_they_expect(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidSearchSettings, match=next(iter(wrong))):
        CoReading(**wrong)  # type: ignore[arg-type]
