"""Pages join up exactly, in any process, after any change; a token that is not ours is refused."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Hit, InvalidCursor, InvalidQuery, Query, SearchEngine, SearchSettings
from engine.frozen import MAX_FROZEN
from indexer.document import Document
from indexer.index import Index

from .conftest import ENCODER, FIRST, WORDS, documents, fill, first_stage

ALL = first_stage(depth=10_000)


def pages(engine: SearchEngine, text: str, k: int, asked: SearchSettings) -> list[Hit]:
    found: list[Hit] = []
    ranking = engine.search(text, k=k, settings=asked, explain=True)
    while True:
        found += ranking.hits
        if ranking.cursor is None:
            return found
        assert len(ranking.hits) == k
        ranking = engine.search(text, k=k, settings=asked, cursor=ranking.cursor, explain=True)


@given(
    text=st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join),
    k=st.sampled_from([3, 8, 25]),
    depth=st.sampled_from([20, 200]),
    asked=st.sampled_from(
        [
            first_stage(),
            first_stage(fusion="rrf", grouping="mean"),
            first_stage(diversity=0.4, facets=("lang",)),
            first_stage(fusion="dbsf", grouping="sum", alpha=0.2),
            first_stage(alpha=0.0),
        ]
    ),
)
@settings(deadline=None, max_examples=20)
def test_pages_in_a_row_are_one_big_page(
    search_engine: SearchEngine, text: str, k: int, depth: int, asked: SearchSettings
) -> None:

    asked = replace(asked, depth=depth)
    found = search_engine.search(text, k=k, settings=asked).found
    big = search_engine.search(text, k=found, settings=asked, explain=True)
    assert big.cursor is None
    assert big.found == len(big.hits)
    assert pages(search_engine, text, k, asked) == list(big.hits)


@given(
    text=st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join),
    k=st.sampled_from([3, 8, 25]),
    depth=st.sampled_from([20, 200]),
    asked=st.sampled_from(
        [
            SearchSettings(),
            SearchSettings(rerank_depth=7, rerank_passages=2, passages_per_hit=1),
            SearchSettings(diversity=0.4, rerank_depth=20, rerank_weight=2.0),
            SearchSettings(fusion="rrf", grouping="sum", rerank_depth=1000),
            SearchSettings(budget_ms=0),
        ]
    ),
)
@settings(deadline=None, max_examples=20)
def test_pages_of_a_reranked_list_join_up(
    reranking_engine: SearchEngine, text: str, k: int, depth: int, asked: SearchSettings
) -> None:
    asked = replace(asked, depth=depth)
    first = reranking_engine.search(text, k=k, settings=asked)
    big = reranking_engine.search(text, k=first.found, settings=asked, explain=True)
    assert pages(reranking_engine, text, k, asked) == list(big.hits)
    second = reranking_engine.search(text, k=k, settings=asked, cursor=first.cursor)
    assert second.reranked_depth == first.reranked_depth == big.reranked_depth
    assert second.notices[: len(first.notices)] == first.notices
    assert "rerank" not in second.timings


def test_a_page_keeps_notices_facets_and_correction(index: Index) -> None:
    asked = first_stage(facets=("year",))
    first = SearchEngine(index, ENCODER, FIRST).search("turbnie", k=3, settings=asked)
    assert first.notices
    assert first.suggestions
    # Another engine, as in another process.
    second = SearchEngine(index, ENCODER, FIRST).search("turbnie", k=3, settings=asked, cursor=first.cursor)
    assert (second.notices, second.suggestions, second.facets) == (
        first.notices,
        first.suggestions,
        first.facets,
    )
    assert second.hits[0].rank == 4
    assert second.hits[0].passages[0].snippet.highlights


def test_a_cursor_is_safe_in_an_address(search_engine: SearchEngine) -> None:
    cursor = search_engine.search("turbine", k=1).cursor
    assert cursor is not None
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?# ")


def test_the_page_size_may_change_between_pages(search_engine: SearchEngine) -> None:
    big = search_engine.search("turbine", k=1000, settings=ALL).hits
    first = search_engine.search("turbine", k=2, settings=ALL)
    second = search_engine.search("turbine", k=7, cursor=first.cursor, settings=ALL)
    third = search_engine.search("turbine", k=1000, cursor=second.cursor, settings=ALL)
    assert first.hits + second.hits + third.hits == big
    assert third.cursor is None
    assert third.notices == ()


def test_the_end_of_an_incomplete_list_is_told(search_engine: SearchEngine, corpus: list[Document]) -> None:
    asked = first_stage(depth=10)
    first = search_engine.search("turbine", k=3, settings=asked)
    assert first.found < len(corpus)
    last = search_engine.search("turbine", k=1000, settings=asked, cursor=first.cursor)
    assert len(first.hits + last.hits) == first.found
    assert last.cursor is None
    assert "more documents may match" in last.notices[0]


def test_the_list_stands_while_the_index_changes(make_index: Callable[..., Index]) -> None:
    index = make_index(*documents())
    engine = SearchEngine(index, ENCODER, FIRST)
    big = engine.search("turbine", k=1000, settings=ALL)
    first = engine.search("turbine", k=5, settings=ALL)
    gone = [big.hits[7].doc_id, big.hits[9].doc_id]
    fill(index, [Document("new", "turbine turbine turbine")], gone)
    assert engine.refresh()
    second = engine.search("turbine", k=10, cursor=first.cursor, settings=ALL)
    expected = [hit for hit in big.hits[5:] if hit.doc_id not in gone][:10]
    assert [(hit.doc_id, hit.score, hit.rank) for hit in second.hits] == [
        (hit.doc_id, hit.score, hit.rank) for hit in expected
    ]
    assert any("2 documents" in notice for notice in second.notices)
    assert any("index has changed" in notice for notice in second.notices)
    third = engine.search("turbine", k=1000, cursor=second.cursor, settings=ALL)
    assert [hit.doc_id for hit in third.hits] == [hit.doc_id for hit in big.hits[17:]]


def test_a_document_made_shorter_since_is_still_shown(make_index: Callable[..., Index]) -> None:
    index = make_index(*documents())
    engine = SearchEngine(index, ENCODER, FIRST)
    first = engine.search("turbine", k=1)
    fill(index, [replace(document, text="Nothing.") for document in documents()])
    engine.refresh()
    second = engine.search("turbine", k=20, cursor=first.cursor)
    assert len(second.hits) == 20
    assert all(passage.snippet.text == "Nothing." for hit in second.hits for passage in hit.passages)


@pytest.mark.parametrize(
    "changed",
    [
        {"query": "blade"},
        {"query": Query("turbine", user_id="somebody")},
        {"filters": {"lang": "en"}},
        {"settings": SearchSettings(alpha=0.1)},
    ],
)
def test_a_cursor_of_another_query(search_engine: SearchEngine, changed: dict[str, object]) -> None:
    cursor = search_engine.search("turbine", k=1).cursor
    asked = {"query": "turbine", "cursor": cursor, **changed}
    with pytest.raises(InvalidCursor, match="another query"):
        search_engine.search(**asked)  # type: ignore[arg-type]


@given(place=st.floats(0, 1), change=st.sampled_from(["cut", "swap", "drop", "add"]))
@settings(deadline=None, max_examples=60)
def test_a_damaged_cursor(search_engine: SearchEngine, place: float, change: str) -> None:
    cursor = search_engine.search("turbine", k=1).cursor
    assert cursor is not None
    at = min(int(place * len(cursor)), len(cursor) - 1)
    other = "A" if cursor[at] != "A" else "B"
    broken = {
        "cut": cursor[:at],
        "swap": cursor[:at] + other + cursor[at + 1 :],
        "drop": cursor[:at] + cursor[at + 1 :],
        "add": cursor[:at] + "-" + cursor[at:],
    }[change]
    try:
        ranking = search_engine.search("turbine", k=1, cursor=broken)
    except InvalidCursor:
        return
    # The last character of base64 may hold bits that say nothing.
    assert at == len(cursor) - 1
    assert ranking == search_engine.search("turbine", k=1, cursor=cursor)


@pytest.mark.parametrize(
    "token", ["", "x", "é", "....", "AAAA", "\ud800", base64.urlsafe_b64encode(b"{}").decode(), 3]
)
def test_what_is_no_cursor(search_engine: SearchEngine, token: str) -> None:
    with pytest.raises(InvalidQuery):
        search_engine.search("turbine", cursor=token)


def _content(token: str) -> dict[str, object]:
    return json.loads(zlib.decompress(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))))


def _token(content: object) -> str:
    return base64.urlsafe_b64encode(zlib.compress(json.dumps(content).encode())).rstrip(b"=").decode()


@pytest.mark.parametrize("value", [None, "x", -1, 1e308, [], {}, [[None]], [1] * 3, True])
def test_a_forged_cursor_breaks_nothing(search_engine: SearchEngine, value: object) -> None:
    cursor = search_engine.search("turbine", k=1).cursor
    assert cursor is not None
    for key in _content(cursor):
        forged = {**_content(cursor), key: value}
        try:
            search_engine.search("turbine", k=3, cursor=_token(forged))
        except InvalidCursor:
            continue
        assert (
            key in ("g", "a", "n", "e", "r", "at", "m", "y", "f", "b", "t")
            or value == []
            or (key, value) == ("v", 1)
        )


def test_a_bomb_is_no_cursor(search_engine: SearchEngine) -> None:
    bomb = base64.urlsafe_b64encode(zlib.compress(b" " * (64 << 20))).decode()
    with pytest.raises(InvalidCursor):
        search_engine.search("turbine", cursor=bomb)


def test_the_list_is_bounded_unless_k_asks_for_more(make_index: Callable[..., Index]) -> None:
    count = MAX_FROZEN + 30
    index = make_index(*(Document(f"{n:05}", f"turbine w{n}") for n in range(count)))
    engine = SearchEngine(index, ENCODER, FIRST)
    asked = first_stage(depth=5000)
    assert engine.search("turbine", k=10, settings=asked).found == MAX_FROZEN
    last = engine.search("turbine", k=count, settings=asked).hits[-1].doc_id
    answer = engine.why_not("turbine", last, settings=asked)
    assert answer.stage == "below"
    assert "1,000 documents score higher" in str(answer)
    every = engine.search("turbine", k=count + 5, settings=asked)
    assert len(every.hits) == every.found == count
    assert every.cursor is None
