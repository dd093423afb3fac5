"""A list that a reader's interests tilt: what is the same as everyone's, what is not, and what is said of it."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Event, Hit, PersonalSettings, Query, Ranking, SearchEngine, SearchSettings
from indexer.document import Document
from indexer.index import Index

from .conftest import ENCODER, PASSAGES, WORDS, documents, fill, first_stage
from .personal.making import said

READERS = ("ann", "bob", "eve")
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
ALL = first_stage(depth=10_000)
ASKED = st.sampled_from(
    [
        first_stage(),
        SearchSettings(),
        first_stage(depth=20),
        SearchSettings(diversity=0.4, rerank_depth=9, depth=20),
        first_stage(fusion="rrf", grouping="mean"),
        first_stage(alpha=0.0, depth=20),
        first_stage(grouping="sum", depth=20),
    ]
)
NOW = datetime(2024, 11, 23, tzinfo=UTC)


def events() -> list[Event]:
    """What three readers did; bob's is much."""
    made = [Event("ann", f"d{n:02}", "read", NOW - timedelta(days=n)) for n in range(0, 12, 2)]
    made += [Event("bob", f"d{n:02}", "like", NOW - timedelta(days=3 * n)) for n in range(20, 60)]
    made += [Event("bob", "d01", "dislike"), Event("bob", "d02", "hide")]
    return [*made, Event("eve", "d33", "save", NOW), Event("eve", "gone", "save", NOW)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Index:
    made = Index.create(tmp_path_factory.mktemp("personal") / "index", encoder=ENCODER, passages=PASSAGES)
    fill(made, documents())
    with SearchEngine(made, ENCODER) as engine:
        engine.record(events())
        engine.readers.declare("eve", "turbine blade cooling")
    return made


@pytest.fixture(scope="module")
def engine(home: Index) -> Iterator[SearchEngine]:
    with SearchEngine(home, ENCODER) as made:
        yield made


def terms(hit: Hit) -> dict[str, float]:
    return {term.name: term.value for term in hit.ledger.terms}


def same(one: Ranking, two: Ranking) -> bool:
    """Whether two rankings agree in everything but who asked and how long it took."""
    other = replace(two, query=one.query, timings=one.timings, next_page=one.next_page)
    return one == other


@given(text=TEXTS, asked=ASKED, k=st.sampled_from([1, 5, 100]), user=st.sampled_from([*READERS, "nobody"]))
@settings(deadline=None, max_examples=40)
def test_at_strength_0_and_for_strangers_it_is_everyones_list(
    engine: SearchEngine, text: str, asked: SearchSettings, k: int, user: str
) -> None:
    everyone = engine.search(text, k=k, settings=asked)
    assert same(everyone, engine.search(Query(text, user_id=user, strength=0.0), k=k, settings=asked))
    assert same(everyone, engine.search(Query(text, user_id="nobody"), k=k, settings=asked))
    assert all(hit.ledger.anonymous_rank is None and hit.ledger.because == () for hit in everyone.hits)
    assert all("interest" not in terms(hit) for hit in everyone.hits)


def test_nothing_personal_is_loaded_until_a_reader_asks(home: Index, tmp_path: Path) -> None:
    script = f"""
import sys
from indexer.encoder import HashingEncoder
from engine import Query, SearchEngine
def loaded(): return sorted(name for name in sys.modules if name.startswith("engine.personal"))
with SearchEngine.open({str(home.path)!r}, encoder=HashingEncoder(32)) as engine:
    engine.search("turbine")
    engine.search(Query("turbine", user_id="ann", strength=0.0))
    assert not loaded(), loaded()
    engine.search(Query("turbine", user_id="ann"))
    assert loaded()
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    bare = Index.create(tmp_path / "bare", encoder=ENCODER, passages=PASSAGES)
    fill(bare, documents())
    script = script.replace(str(home.path), str(bare.path)).replace(
        "    assert loaded()\n", "    assert not loaded()\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    assert not (bare.path / "readers").exists()


@given(text=TEXTS, asked=ASKED, user=st.sampled_from(READERS), strength=st.sampled_from([0.3, 1.0, 7.0]))
@settings(deadline=None, max_examples=40)
def test_the_terms_add_up_and_the_rank_without_them_is_true(
    engine: SearchEngine, text: str, asked: SearchSettings, user: str, strength: float
) -> None:
    everyone = engine.search(text, k=1000, settings=asked)
    found = engine.search(Query(text, user_id=user, strength=strength), k=1000, settings=asked)
    places = {hit.doc_id: hit.rank for hit in everyone.hits}
    scores = [(-hit.score, hit.doc_id) for hit in found.hits]
    assert scores == sorted(scores)
    assert len({hit.doc_id for hit in found.hits}) == len(found.hits) == found.found
    for hit in found.hits:
        assert math.isclose(hit.ledger.total, hit.score, abs_tol=1e-6)
        assert hit.ledger.anonymous_rank == places.get(hit.doc_id)
    # Nothing is lost but what the reader wants to see no more of.
    hidden = {"d02"} if user == "bob" else set()
    assert set(places) - {hit.doc_id for hit in found.hits} <= hidden
    assert (sum(doc in places for doc in hidden) > 0) == any("left out" in one for one in found.notices)


@given(
    text=TEXTS,
    asked=ASKED.filter(lambda asked: not asked.diversity),
    user=st.sampled_from(READERS),
    k=st.integers(1, 9),
)
@settings(deadline=None, max_examples=40)
def test_pages_join_up_and_fewer_are_the_beginning_of_more(
    engine: SearchEngine, text: str, asked: SearchSettings, user: str, k: int
) -> None:
    query = Query(text, user_id=user)
    first = engine.search(query, k=k, settings=asked)
    everyone = engine.search(text, k=k, settings=asked)  # up to so many are found at this depth
    big = engine.search(query, k=everyone.found, settings=asked)
    assert big.hits[: len(first.hits)] == first.hits
    paged, page = list(first.hits), first
    while page.cursor is not None:
        page = engine.search(query, k=k, settings=asked, cursor=page.cursor)
        paged += page.hits
    assert paged[: len(big.hits)] == list(big.hits)
    assert len(paged) == first.found


def test_a_page_belongs_to_its_reader_and_strength(engine: SearchEngine) -> None:
    from engine import InvalidCursor

    cursor = engine.search(Query("turbine", user_id="ann"), k=2).cursor
    for query in (
        Query("turbine"),
        Query("turbine", user_id="bob"),
        Query("turbine", user_id="ann", strength=0.5),
    ):
        with pytest.raises(InvalidCursor):
            engine.search(query, k=2, cursor=cursor)


def test_a_list_goes_on_as_it_began_whatever_is_read_meanwhile(make_index: Callable[..., Index]) -> None:
    with SearchEngine(make_index(*documents()), ENCODER) as engine:
        engine.record([Event("ann", "d00", "like", NOW)])
        query = Query("turbine blade", user_id="ann")
        big = engine.search(query, k=50)
        first = engine.search(query, k=3)
        cursor = first.cursor
        engine.record([Event("ann", f"d{n:02}", "like", NOW) for n in range(30, 50)])
        second = engine.search(query, k=47, cursor=cursor)
        assert first.hits + second.hits == big.hits
        assert engine.search(query, k=50).hits != big.hits


def test_what_was_read_lifts_what_is_like_it(make_index: Callable[..., Index]) -> None:
    about = {
        "cat": [
            "jaguar cat prey jungle night",
            "jaguar cat paws jungle prey",
            "jungle cat cubs",
            "prey of big cat",
        ],
        "car": [
            "jaguar car engine coupe speed",
            "jaguar car engine wheels",
            "coupe car paint",
            "engine oil of car",
        ],
    }
    made = [Document(f"{kind}{n}", text) for kind, texts in about.items() for n, text in enumerate(texts)]
    made += [
        Document(f"x{n}", f"{one} {two} stone") for n, (one, two) in enumerate(combinations(WORDS[:9], 2))
    ]
    query = "jaguar"
    with SearchEngine(make_index(*made), ENCODER) as engine:
        engine.record(
            Event(user, f"{kind}{n}") for user, kind in (("zoe", "cat"), ("max", "car")) for n in (1, 2, 3)
        )
        places = {}
        for user, mine, other in (("zoe", "cat0", "car0"), ("max", "car0", "cat0")):
            hits = {hit.doc_id: hit for hit in engine.search(Query(query, user_id=user), k=10).hits}
            assert hits[mine].rank < hits[other].rank
            assert terms(hits[mine])["interest"] > terms(hits[other])["interest"]
            reasons = hits[mine].ledger.because
            assert {one.doc_id for one in reasons} <= {f"{mine[:3]}{n}" for n in (1, 2, 3)}
            assert (reasons[0].kind, reasons[0].source) == ("read", "near")
            places[user] = [hit.doc_id for hit in hits.values()]
        assert places["zoe"] != places["max"]
        before = hits["car0"]
        engine.record([Event("max", f"car{n}", "dislike", weight=5) for n in (1, 2, 3)])
        after = {hit.doc_id: hit for hit in engine.search(Query(query, user_id="max"), k=10).hits}["car0"]
        assert after.score < before.score
        assert after.ledger.because[0].value < 0
        assert after.ledger.because[0].kind == "dislike"


def whole(engine: SearchEngine, query: Query, asked: SearchSettings) -> list[Hit]:
    """Return a whole list, page by page: to ask for more at once would look deeper."""
    page = engine.search(query, k=2, settings=asked)
    hits = list(page.hits)
    while page.cursor is not None:
        page = engine.search(query, k=9, settings=asked, cursor=page.cursor)
        hits += page.hits
    return hits


def test_interests_propose_what_neither_index_did(engine: SearchEngine) -> None:
    asked = first_stage(depth=5)
    everyone = {hit.doc_id for hit in whole(engine, Query("nozzle"), asked)}
    found = whole(engine, Query("nozzle", user_id="ann", strength=5.0), asked)
    new = [hit for hit in found if hit.ledger.anonymous_rank is None]
    assert new
    exact = {hit.doc_id: hit for hit in engine.search("nozzle", k=100, settings=ALL).hits}
    for hit in new:
        assert hit.doc_id not in everyone
        assert hit.ledger.fused_rank is None
        mine = {name: value for name, value in terms(hit).items() if name != "interest"}
        assert mine == terms(exact[hit.doc_id])  # scored by both indexes like any other
        assert hit.doc_id not in {event.doc_id for event in events() if event.user_id == "ann"}


def test_filters_hold_for_proposals(engine: SearchEngine) -> None:
    query = Query("nozzle lang:de", user_id="ann", strength=5.0)
    found = whole(engine, query, first_stage(depth=5))
    assert any(hit.ledger.anonymous_rank is None for hit in found)
    assert {hit.metadata["lang"] for hit in found} == {"de"}


@pytest.mark.parametrize("read", ["keep", "lower", "hide"])
def test_documents_already_met(home: Index, read: str) -> None:
    met = {event.doc_id for event in events() if event.user_id == "ann"}
    with SearchEngine(home, ENCODER, ALL, personal=PersonalSettings(read=read)) as engine:  # type: ignore[arg-type]
        everyone = engine.search("turbine", k=100)
        found = engine.search(Query("turbine", user_id="ann"), k=100)
    theirs = [hit for hit in found.hits if hit.doc_id in met]
    if read == "hide":
        assert not theirs
        there = sum(hit.doc_id in met for hit in everyone.hits)
        assert found.notices[-1] == f"{there} documents that you have met are left out."
        assert found.found == everyone.found - there
        return
    assert len(theirs) == sum(hit.doc_id in met for hit in everyone.hits)
    lowest = min(terms(hit)["interest"] for hit in found.hits)
    if read == "lower":
        assert all(terms(hit)["interest"] == lowest for hit in theirs)
        assert all("met before" in str(hit.ledger.terms) for hit in theirs)


def test_a_document_is_no_reason_for_itself(engine: SearchEngine) -> None:
    for hit in engine.search(Query("turbine", user_id="ann"), k=100, settings=ALL).hits:
        assert hit.doc_id not in {one.doc_id for one in hit.ledger.because}


def test_beyond_the_depth_the_lowest_interest_counts(home: Index) -> None:
    with SearchEngine(home, ENCODER, ALL, personal=PersonalSettings(depth=7, proposals=0)) as engine:
        hits = engine.search(Query("turbine", user_id="ann"), k=100).hits
    within = [hit for hit in hits if (hit.ledger.anonymous_rank or 0) <= 7]
    beyond = [hit for hit in hits if (hit.ledger.anonymous_rank or 0) > 7]
    assert {terms(hit)["interest"] for hit in beyond} == {min(terms(hit)["interest"] for hit in within)}
    assert [hit.ledger.anonymous_rank for hit in beyond] == list(range(8, len(hits) + 1))
    assert all(hit.ledger.because == () for hit in beyond)
    assert any("lowest" in term.detail for term in beyond[0].ledger.terms)


def test_only_what_is_earlier_than_the_question_counts(home: Index) -> None:
    with SearchEngine(home, ENCODER) as engine:
        early = NOW - timedelta(days=9)
        asked = Query("turbine", user_id="ann", at=early, strength=0.5)
        ranking = engine.search(asked, k=100)
        assert all("interest" in terms(hit) for hit in ranking.hits)
        because = {one.doc_id for hit in ranking.hits for one in hit.ledger.because}
        assert because <= {
            e.doc_id for e in events() if e.user_id == "ann" and e.at is not None and e.at < early
        }
        long_ago = Query("turbine", user_id="ann", at=NOW - timedelta(days=999))
        assert same(engine.search("turbine"), engine.search(long_ago))


def test_muting_and_forgetting_count_at_once(make_index: Callable[..., Index]) -> None:
    with SearchEngine(make_index(*documents()), ENCODER) as engine:
        query = Query("turbine blade", user_id="ann")
        everyone = engine.search("turbine blade")
        engine.record([Event("ann", "d05", "like", NOW)])
        assert not same(engine.search(query), everyone)
        engine.readers.mute("ann", "d05")
        found = engine.interests("ann")
        assert found is not None
        assert [(one.name, one.muted, one.weight) for one in found.likes] == [("d05", True, 0.0)]
        assert same(engine.search(query), everyone)
        engine.readers.unmute("ann", "d05")
        assert not same(engine.search(query), everyone)
        engine.forget("ann")
        assert engine.interests("ann") is None
        assert same(engine.search(query), everyone)
        assert "ann" not in repr(vars(engine._readership.profiles))


@given(data=st.data())
@settings(deadline=None, max_examples=25)
def test_increments_are_the_same_as_a_rebuild(
    tmp_path_factory: pytest.TempPathFactory, home: Index, data: st.DataObject
) -> None:
    from engine.personal.profiles import Profiles
    from engine.personal.store import ReaderStore

    given_ = data.draw(
        st.lists(
            st.tuples(
                st.sampled_from([f"d{n:02}" for n in range(30)]),
                st.sampled_from(["read", "like", "dislike"]),
                st.sampled_from([None, 0, 1, 50]),
            ),
            min_size=1,
            max_size=30,
        )
    )
    made = [
        Event("ann", doc, kind, None if days is None else NOW - timedelta(days=days))
        for doc, kind, days in given_
    ]
    reader = home.reader()
    asked = PersonalSettings()
    with SearchEngine(home, ENCODER) as any_engine:
        encoder = any_engine._encoder
    folder = tmp_path_factory.mktemp("increments")
    with ReaderStore.open(folder) as store:
        kept = Profiles(store, encoder, asked)
        at = NOW.timestamp() + 1
        for event in made:
            store.add([event], now=NOW)
            one_by_one = kept.profile("ann", reader, at)
        fresh = Profiles(store, encoder, asked).profile("ann", reader, at)
    folder = tmp_path_factory.mktemp("at-once")
    with ReaderStore.open(folder) as store:
        store.add(data.draw(st.permutations(made)), now=NOW)
        at_once = Profiles(store, encoder, asked).profile("ann", reader, at)
    assert one_by_one is not None
    assert fresh is not None
    assert at_once is not None
    assert said(one_by_one.interests) == said(fresh.interests) == said(at_once.interests)
    assert one_by_one.tilt.proposed is not None
    assert np.array_equal(one_by_one.tilt.proposed, at_once.tilt.proposed)  # type: ignore[arg-type]


def test_a_flood_from_one_reader_changes_nobody_elses_list(make_index: Callable[..., Index]) -> None:
    with SearchEngine(make_index(*documents()), ENCODER) as engine:
        engine.record([Event("ann", "d05", "like", NOW)])
        before = engine.search(Query("turbine", user_id="ann"), k=30)
        engine.record(
            [Event("mob", f"d{n % 60:02}", "like", NOW + timedelta(seconds=n % 3000)) for n in range(9000)]
        )
        assert same(before, engine.search(Query("turbine", user_id="ann"), k=30))


def test_what_others_read_together_counts_once_it_is_learnt(make_index: Callable[..., Index]) -> None:
    from engine.personal.learning import learn

    with SearchEngine(make_index(*documents()), ENCODER, first_stage(depth=3)) as engine:
        query = Query("turbine", user_id="ann")
        engine.record([Event("ann", "d05", "read", NOW), Event("ann", "d06", "read", NOW)])
        engine.record(
            Event(f"o{n}", doc, "read", NOW) for n in range(20) for doc in ("d05", "d06", "d40", "d41")
        )
        before = {hit.doc_id for hit in whole(engine, query, engine.settings)}
        learn(engine.readers)
        hits = {hit.doc_id: hit for hit in whole(engine, query, engine.settings)}
        assert {"d40", "d41"} <= hits.keys()  # others' reading proposes, too
        reasons = hits["d40"].ledger.because
        assert {one.doc_id for one in reasons if one.source == "together"} == {"d05", "d06"}
        assert before != hits.keys() or hits["d40"].ledger.because
        # A flood that is learnt changes nothing; what others are erased of, does.
        engine.record(
            Event("mob", f"d{n % 60:02}", "like", NOW + timedelta(seconds=n % 3000)) for n in range(9000)
        )
        learn(engine.readers)
        after = {hit.doc_id: hit for hit in whole(engine, query, engine.settings)}
        assert {doc: hit.score for doc, hit in after.items()} == {doc: hit.score for doc, hit in hits.items()}
        engine.readers.forget(*(f"o{n}" for n in range(20)))
        learn(engine.readers)
        last = whole(engine, query, engine.settings)
        assert not any(one.source == "together" for hit in last for one in hit.ledger.because)


def test_a_broken_store_leaves_everyones_list_and_a_notice(make_index: Callable[..., Index]) -> None:
    index = make_index(*documents())
    with SearchEngine(index, ENCODER) as engine:
        engine.record([Event("ann", "d05", "like", NOW)])
        everyone = engine.search("turbine")
    (index.path / "readers" / "default.db").write_bytes(b"not a database at all" * 500)
    with SearchEngine(index, ENCODER) as engine:
        found = engine.search(Query("turbine", user_id="ann"))
    assert found.hits == everyone.hits
    assert "everyone's list" in found.notices[-1]


def test_tenants_do_not_mix(make_index: Callable[..., Index]) -> None:
    index = make_index(*documents())
    with SearchEngine(index, ENCODER, tenant="one") as engine:
        engine.record([Event("ann", "d05", "like", NOW)])
        assert engine.interests("ann") is not None
    with SearchEngine(index, ENCODER, tenant="two") as engine:
        assert engine.interests("ann") is None
        assert same(engine.search("turbine"), engine.search(Query("turbine", user_id="ann")))


def test_why_not_names_the_interests(engine: SearchEngine, home: Index) -> None:
    query = Query("turbine", user_id="bob", strength=8.0)
    everyone = engine.search("turbine", k=5)
    found = {hit.doc_id for hit in engine.search(query, k=5).hits}
    gone = next(hit for hit in everyone.hits if hit.doc_id not in found and hit.doc_id != "d02")
    answer = engine.why_not(query, gone.doc_id, k=5)
    assert answer.stage == "interests"
    assert f"Without the reader's interests it is number {gone.rank}." in str(answer)
    assert engine.why_not(query, "d02").stage == "left out"
    asked = first_stage(depth=3)
    new = next(hit for hit in whole(engine, query, asked) if hit.ledger.fused_rank is None and hit.rank > 2)
    below = engine.why_not(query, new.doc_id, k=2, settings=asked)
    assert (below.stage, below.rank) == ("below", new.rank)
    assert "it is not in the list" in str(below)
