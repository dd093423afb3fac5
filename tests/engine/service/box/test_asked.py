"""A URL holds all of a search: reading what is written gives the same again, and nothing in a URL does harm."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qsl, urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.service.box.urls.asked import ORDERS, STRONGEST, Asked
from indexer.filters import And, In, Range

_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
_DAYS = st.none() | st.dates()
ASKED = st.builds(
    Asked,
    text=_TEXT.map(lambda text: " ".join(text.split())),
    chosen=st.lists(st.tuples(_TEXT.filter(bool), _TEXT.filter(bool)), max_size=5, unique=True).map(tuple),
    since=_DAYS,
    until=_DAYS,
    order=st.sampled_from(ORDERS),
    page=st.integers(1, 1000),
    personal=st.booleans(),
    strength=st.integers(0, int(STRONGEST * 100)).map(lambda hundredths: hundredths / 100),
    language=st.sampled_from(["", "en", "zh"]),
    usual=st.tuples(st.booleans(), st.sampled_from([0.5, 1.0, 2.0])),
)


def read(url: str, usual: tuple[bool, float] = (True, 1.0)) -> Asked:
    return Asked.of(parse_qsl(urlsplit(url).query, keep_blank_values=True), usual)


@settings(deadline=None, max_examples=300)
@given(ASKED)
def test_what_a_url_says_is_what_was_asked(asked: Asked) -> None:
    assert read(asked.url, asked.usual) == asked


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["q", "page", "from", "to", "sort", "personal", "strength", "f.x", "f."]), _TEXT
        )
    )
)
def test_any_url_asks_for_something(pairs: list[tuple[str, str]]) -> None:
    asked = Asked.of(pairs)
    assert 1 <= asked.page
    assert 0 <= asked.strength <= STRONGEST
    assert read(asked.url) == asked
    asked.query("ada", "date")


def test_numbers_that_are_none_are_as_usual() -> None:
    asked = Asked.of([("page", "nan"), ("strength", "inf"), ("from", "2020-13-40"), ("sort", "title")])
    assert asked == Asked(strength=STRONGEST)
    assert Asked.of([("page", "-3"), ("strength", "nan")]) == Asked()


def test_values_of_one_field_are_alternatives_and_fields_are_not() -> None:
    asked = Asked.of(
        [("q", "x"), ("f.kind", "a"), ("f.kind", "b"), ("f.sound", "true"), ("to", "2001-02-03")]
    )
    query = asked.query(None, "date")
    expected = (In("kind", ("a", "b")), In("sound", ("true",)), Range("date", lt=date(2001, 2, 4)))
    assert query.filters == And(expected)


def test_the_last_day_there_is_can_be_chosen() -> None:
    assert Asked(until=date.max).query(None, "date").filters == Range("date", lte=date.max)


def test_without_dates_in_the_index_dates_and_their_order_say_nothing() -> None:
    query = Asked(text="x", since=date(2000, 1, 1), order="-date").query(None, "")
    assert query.filters is None
    assert query.sort == ""


def test_dates_are_sorted_by_the_field_of_dates() -> None:
    assert Asked(order="-date").query(None, "issued").sort == "-issued"
    assert Asked(order="date").query(None, "issued").sort == "issued"


def test_a_change_goes_to_the_first_page_and_a_choice_is_made_and_unmade() -> None:
    asked = Asked(text="x", page=4)
    chosen = asked.with_choice("kind", "a")
    assert chosen.page == 1
    assert chosen.without_choice("kind", "a") == asked.but()
    assert chosen.narrowed
    assert not chosen.bare.narrowed


def test_what_a_browser_keeps_is_said_against_in_the_url() -> None:
    usual = (False, 2.0)
    asked = Asked.of([], usual)
    assert (asked.personal, asked.strength) == usual
    assert asked.url == "/"
    switched = asked.but(personal=True, strength=1.0)
    assert read(switched.url, usual) == switched
    assert "personal=on" in switched.url
    assert "strength=1" in switched.url


def test_operators_are_seen_and_taken_out() -> None:
    strict = Asked(text='"heat transfer" +plate -cone title:wing year:>=1950 e-mail 12:30')
    assert strict.strict
    assert strict.plain.text == "heat transfer plate cone wing >=1950 e-mail 12:30"
    assert not Asked(text="heat transfer, plate - cone").strict
