"""The query language: what is understood, what is simply words, and that nothing breaks it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.syntax import MAX_OPERATORS, Part, parse
from indexer.filters import Eq, Not, Or, Range
from indexer.protocol import FieldKind

FIELDS: dict[str, frozenset[FieldKind]] = {
    "lang": frozenset({"string"}),
    "year": frozenset({"number"}),
    "due": frozenset({"date"}),
    "open": frozenset({"bool"}),
    "code": frozenset({"string", "number"}),
}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("+must", [Part("must", "+")]),
        ("-not", [Part("not", "-")]),
        ('"a phrase"', [Part("a phrase", quoted=True)]),
        ("“a phrase”", [Part("a phrase", quoted=True)]),
        ('-"a phrase"', [Part("a phrase", "-", quoted=True)]),
        ("title:word", [Part("word", field="title")]),
        ('+headings:"two words"', [Part("two words", "+", quoted=True, field="headings")]),
        ("-body:word", [Part("word", "-", field="body")]),
    ],
)
def test_operators(text: str, parts: list[Part]) -> None:
    parsed = parse(text, FIELDS)
    assert list(parsed.parts) == parts
    assert parsed.plain == ""
    assert not parsed.notices


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        ("lang:en", [Eq("lang", "en")]),
        ("+lang:en", [Eq("lang", "en")]),
        ("-lang:en", [Not(Eq("lang", "en"))]),
        ('lang:"old english"', [Eq("lang", "old english")]),
        ('lang:"a,b"', [Eq("lang", "a,b")]),
        ("lang:en,de", [Or((Eq("lang", "en"), Eq("lang", "de")))]),
        ("year:1999", [Eq("year", 1999)]),
        ("year:-3.5", [Eq("year", -3.5)]),
        ("year:>=2000", [Range("year", gte=2000)]),
        ("year:<2000", [Range("year", lt=2000)]),
        ("year:2000..2010", [Range("year", gte=2000, lte=2010)]),
        ("year:..2010", [Range("year", lte=2010)]),
        ("year:2000..", [Range("year", gte=2000)]),
        ("due:2024-06-30", [Range("due", gte=date(2024, 6, 30), lt=date(2024, 7, 1))]),
        ("due:2024-02", [Range("due", gte=date(2024, 2, 1), lt=date(2024, 3, 1))]),
        ("due:2023..2024", [Range("due", gte=date(2023, 1, 1), lt=date(2025, 1, 1))]),
        ("due:>2024", [Range("due", gte=date(2025, 1, 1))]),
        ("due:<=2024", [Range("due", lt=date(2025, 1, 1))]),
        ("open:true", [Eq("open", True)]),
        ("code:42", [Or((Eq("code", "42"), Eq("code", 42)))]),
        ("code:x42", [Eq("code", "x42")]),
    ],
)
def test_conditions(text: str, filters: list[object]) -> None:
    parsed = parse(text, FIELDS)
    assert list(parsed.filters) == filters
    assert parsed.plain == parsed.positive == ""
    assert not parsed.notices


@pytest.mark.parametrize(
    "text",
    [
        "12:30",
        "https://example.org/a?b=c",
        "C:\\dir",
        "std::vector",
        "--help",
        "C++",
        "a - b",
        "re: hello",
        "rock+roll",
        "+",
        '5" disk',
    ],
)
def test_what_is_simply_words(text: str) -> None:
    parsed = parse(text, FIELDS)
    assert parsed.plain == parsed.positive == text
    assert not parsed.parts
    assert not parsed.filters
    assert not parsed.notices


@pytest.mark.parametrize(
    ("text", "plain", "told"),
    [
        ('"never closed', "never closed", "not closed"),
        ("lagn:en", "lagn en", "Did you mean lang:"),
        ("nofield:en", "nofield en", "no field 'nofield'"),
        ("year:soon", "year soon", "holds numbers"),
        ("due:2024-13", "due 2024-13", "holds dates"),
        ("year:1..x", "year 1..x", "holds numbers"),
        ("open:maybe", "open maybe", "true or false"),
    ],
)
def test_what_does_not_fit_is_plain_words_and_a_notice(text: str, plain: str, told: str) -> None:
    parsed = parse(text, FIELDS)
    assert parsed.plain == plain
    assert not parsed.filters
    assert len(parsed.notices) == 1
    assert told in parsed.notices[0]


def test_an_excluded_unknown_field_stays_excluded() -> None:
    parsed = parse("good -nofield:bad", FIELDS)
    assert parsed.plain == parsed.positive == "good"
    assert parsed.parts == (Part("nofield bad", "-"),)


def test_positive_leaves_out_what_is_unwanted_and_conditions() -> None:
    parsed = parse('find +this "and that" title:too -not lang:en', FIELDS)
    assert parsed.positive == "find this and that too"


def test_operators_beyond_the_limit_are_words() -> None:
    text = " ".join(f"+w{n}" for n in range(MAX_OPERATORS + 3))
    parsed = parse(text, FIELDS)
    assert len(parsed.parts) == MAX_OPERATORS
    assert parsed.plain == " ".join(f"+w{n}" for n in range(MAX_OPERATORS, MAX_OPERATORS + 3))
    assert len(parsed.notices) == 1


@given(st.text(max_size=60) | st.text(alphabet='+-":,.<>=“” ayearlangtitle12', max_size=60))
@settings(deadline=None, max_examples=300)
def test_any_text_is_a_query_and_no_letter_of_plain_text_is_lost(text: str) -> None:
    parsed = parse(text, FIELDS)
    if not parsed.parts and not parsed.filters and not parsed.notices:
        assert parsed.plain.split() == text.split()
