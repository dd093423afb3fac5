"""A place in a document survives the way through its URL; what makes no sense there is left out."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.service.box.urls.asked import Asked
from engine.service.box.urls.place import Place

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)


@settings(deadline=None, max_examples=100)
@given(
    doc_id=WORDS,
    text=WORDS.map(lambda text: " ".join(text.split())),
    start=st.none() | st.integers(0, 10**9),
    length=st.integers(1, 10**6),
    at=st.none() | st.integers(0, 10**9),
)
def test_a_url_says_all_of_it(doc_id: str, text: str, start: int | None, length: int, at: int | None) -> None:
    asked = Asked(text, (("kind", "a&b"),), since=date(2001, 2, 3), page=3, strength=2.0, language="zh")
    end = None if start is None else start + length
    place = Place(doc_id, start, end, at, asked)
    url = urlsplit(place.url())
    assert Place.of(parse_qsl(url.query, keep_blank_values=True)) == place


@pytest.mark.parametrize(
    ("start", "end"),
    [("5", "5"), ("9", "5"), ("-1", "5"), ("x", "5"), ("٣", "5"), ("1" * 5000, "2"), ("3", "")],
)
def test_a_passage_that_is_none_is_left_out(start: str, end: str) -> None:
    place = Place.of([("id", "a"), ("start", start), ("end", end)])
    assert (place.start, place.end) == (None, None)


def test_pages_of_the_same_document_keep_the_search_and_no_place() -> None:
    place = Place("a b", 3, 9, 20, Asked("heat"))
    assert place.page_of("/similar") == "/similar?id=a%20b&q=heat"
    assert place.whole("c") == "/document?id=c&q=heat"
    assert place.passage(1, 2) == "/document?id=a%20b&start=1&end=2&q=heat#passage"
