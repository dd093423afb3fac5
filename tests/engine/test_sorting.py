"""A sorted list is the list by score, put in the order of a field: by a slow plain version, over all pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Hit, InvalidCursor, InvalidQuery, Query, Ranking, SearchEngine, SearchSettings
from engine.sorting import check_sort, sorted_places
from indexer.document import Document, MetadataValue
from indexer.index import Index

from .conftest import ENCODER, FIRST, WORDS, first_stage

EAST = timezone(timedelta(hours=8))
NUMBERS = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False)
MOMENTS = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1))


def plainly(values: list[list[float]], falling: bool) -> list[int]:
    """Return the places in order: take the one with the best value left again and again, of equals the first."""
    left = [place for place, found in enumerate(values) if found]
    order = []
    while left:
        best = left[0]
        for place in left[1:]:
            if falling and max(values[place]) > max(values[best]):
                best = place
            if not falling and min(values[place]) < min(values[best]):
                best = place
        order.append(best)
        left.remove(best)
    return order + [place for place, found in enumerate(values) if not found]


@given(values=st.lists(st.lists(NUMBERS, max_size=3), max_size=12), falling=st.booleans())
@settings(deadline=None, max_examples=80)
def test_numbers_are_sorted_as_the_plain_version_does(values: list[list[float]], falling: bool) -> None:
    documents: list[dict[str, MetadataValue]] = [{"n": tuple(found), "m": 1} for found in values]
    limit = 1.7976931348623157e308
    as_compared = [[max(-limit, min(float(value), limit)) for value in found] for found in values]
    assert sorted_places("-n" if falling else "n", documents) == plainly(as_compared, falling)


@given(values=st.lists(st.none() | st.dates() | MOMENTS | MOMENTS.map(lambda at: at.replace(tzinfo=EAST))))
@settings(deadline=None, max_examples=80)
def test_dates_and_moments_go_by_time(values: list[date | datetime | None]) -> None:
    def moment(value: date | datetime) -> datetime:
        if not isinstance(value, datetime):
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        return value if value.tzinfo else value.replace(tzinfo=UTC)

    documents: list[dict[str, MetadataValue]] = [{} if value is None else {"day": value} for value in values]
    order = [values[place] for place in sorted_places("day", documents)]
    dated = [moment(value) for value in order if value is not None]
    assert dated == sorted(dated)
    assert order[len(dated) :] == [None] * (len(values) - len(dated))


def test_strings_go_by_letters_whatever_their_case_and_width() -> None:
    names = ["banana", "Apple", "apple", "ＡＰＰＬＥ", "Äpfel", "cherry", "Banana", "水"]
    documents: list[dict[str, MetadataValue]] = [{"name": name} for name in names]
    order = [names[place] for place in sorted_places("name", documents)]
    assert order == ["Apple", "apple", "ＡＰＰＬＥ", "Banana", "banana", "cherry", "Äpfel", "水"]
    assert [names[place] for place in sorted_places("-name", documents)] == order[::-1]


def test_kinds_do_not_mix() -> None:
    values: list[MetadataValue] = ["1", 3, True, date(1970, 1, 1), "0", False, 2.5]
    order = [values[place] for place in sorted_places("x", [{"x": value} for value in values])]
    assert order == [False, True, 2.5, 3, date(1970, 1, 1), "0", "1"]


def test_a_list_of_no_values_is_no_value() -> None:
    assert sorted_places("-x", [{"x": ()}, {}, {"x": "a"}]) == [2, 0, 1]


def test_an_unknown_field_is_refused(search_engine: SearchEngine) -> None:
    check_sort("", ())
    for sort, meant in (("yaer", "year"), ("-yaer", "-year")):
        with pytest.raises(InvalidQuery, match=r"'yaer' to sort by.*'-?year'") as caught:
            search_engine.search(Query("turbine", sort=sort))
        assert caught.value.suggestion == meant
    with pytest.raises(InvalidQuery, match="none"):
        check_sort("-", ())
    with pytest.raises(InvalidQuery, match="sort is the name"):
        Query("turbine", sort=None)  # type: ignore[arg-type]
    with pytest.raises(InvalidQuery, match="to sort by"):  # though there is nothing to look for
        search_engine.search(Query("", sort="nothing"))


def pages(engine: SearchEngine, query: Query, k: int, asked: SearchSettings) -> list[Ranking]:
    found = [engine.search(query, k=k, settings=asked)]
    while found[-1].cursor is not None:
        found.append(engine.search(query, k=k, settings=asked, cursor=found[-1].cursor))
    return found


def values_of(hit: Hit, field: str) -> list[float]:
    value = hit.metadata.get(field, ())
    values = value if isinstance(value, tuple) else (value,)
    return [float(str(one)[1:]) if field == "tags" else float(str(one)) for one in values]


@given(
    text=st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join),
    field=st.sampled_from(["year", "tags"]),
    falling=st.booleans(),
    k=st.sampled_from([1, 4, 30]),
    asked=st.sampled_from(
        [first_stage(), first_stage(diversity=0.4, depth=20), SearchSettings(rerank_depth=20, depth=20)]
    ),
)
@settings(deadline=None, max_examples=25)
def test_all_pages_hold_what_is_found_by_score_in_the_order_of_the_field(
    reranking_engine: SearchEngine, text: str, field: str, falling: bool, k: int, asked: SearchSettings
) -> None:
    sort = "-" + field if falling else field
    by_score = [hit for page in pages(reranking_engine, Query(text), k, asked) for hit in page.hits]
    sorted_pages = pages(reranking_engine, Query(text, sort=sort), k, asked)
    hits = [hit for page in sorted_pages for hit in page.hits]
    expected = [by_score[place] for place in plainly([values_of(hit, field) for hit in by_score], falling)]
    assert [(hit.doc_id, hit.score, hit.ledger) for hit in hits] == [
        (hit.doc_id, hit.score, hit.ledger) for hit in expected
    ]
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert {page.found for page in sorted_pages} == {len(by_score)}


def test_a_list_that_may_lack_something_says_so(make_index: Callable[..., Index]) -> None:
    added = [Document(f"d{n:02}", f"turbine blade {n}", metadata={"year": n % 7}) for n in range(40)]
    engine = SearchEngine(make_index(*added), ENCODER, FIRST)
    part = engine.search(Query("turbine", sort="-year"), k=5, settings=first_stage(depth=10))
    assert any(f"{part.found} best candidates are in the order of 'year'" in line for line in part.notices)
    whole = engine.search(Query("turbine", sort="-year"), k=5, settings=first_stage(depth=1000))
    assert whole.notices == ()
    assert [hit.metadata["year"] for hit in whole.hits] == [6, 6, 6, 6, 6]
    assert "sort" in whole.timings


def test_a_cursor_belongs_to_the_order(search_engine: SearchEngine) -> None:
    cursors = {
        sort: search_engine.search(Query("turbine", sort=sort), k=2).cursor for sort in ("", "year", "-year")
    }
    for sort, cursor in cursors.items():
        for other in cursors.keys() - {sort}:
            with pytest.raises(InvalidCursor, match="another query"):
                search_engine.search(Query("turbine", sort=other), k=2, cursor=cursor)


def test_why_not_answers_for_the_order_by_score(search_engine: SearchEngine) -> None:
    for doc_id in ("d01", "d17", "d40"):
        plain = search_engine.why_not("turbine", doc_id, k=3)
        assert search_engine.why_not(Query("turbine", sort="-year"), doc_id, k=3) == plain
