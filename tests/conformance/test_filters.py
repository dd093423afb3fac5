"""Which documents may answer: filters of every shape over values of every kind, and words that must or must not be."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.document import Document
from indexer.encoder.hashing import HashingEncoder
from indexer.errors import InvalidFilter
from indexer.filters import And, Eq, Exists, Filter, In, Not, Or, Range
from indexer.protocol import Clause, IndexReader

from .conftest import Backend, fill
from .plain import PlainIndex, matches

FIELDS = ("p", "q.r", "not")
STRINGS = ["a", "b", "é", "z", "2020", "", " a", "😀", "\ud7ff", "\uffee"]
LONG = [8_500, 8_501]
short = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([0.5, -1.5, 2.0**53, 1e300]),
    st.booleans(),
    st.sampled_from(STRINGS),
    st.dates(date(2020, 1, 1), date(2020, 1, 3)),
    st.sampled_from([datetime(2020, 1, 2, 5), datetime(2020, 1, 2, 5, tzinfo=UTC), datetime(1905, 6, 30)]),
)
# Strings that are too long for a term are told apart, and not put in order.
scalars = st.one_of(short, st.sampled_from(LONG).map(lambda length: "x" * length))
names = st.sampled_from(FIELDS)
same_kind = st.one_of(
    st.tuples(st.integers(-3, 3), st.integers(-3, 3)),
    st.tuples(*[st.sampled_from(["a", "b", "é", "z", "\uffee", "😀"])] * 2),
    st.tuples(*[st.dates(date(2020, 1, 1), date(2020, 1, 3))] * 2),
)
leaves = st.one_of(
    st.builds(Eq, names, scalars),
    st.builds(In, names, st.lists(scalars, max_size=3).map(tuple)),
    st.builds(Exists, names),
    st.builds(lambda name, low: Range(name, gte=low), names, short),
    st.builds(lambda name, high: Range(name, lt=high), names, short),
    st.builds(lambda name, pair: Range(name, gt=pair[0], lte=pair[1]), names, same_kind),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(inner, max_size=3).map(lambda parts: Or(tuple(parts))),
        inner.map(Not),
    ),
    max_leaves=6,
)


def rows() -> list[Document]:
    """Return documents of random metadata; the first has every field with a value of every kind."""
    chance = random.Random(2)
    values = [
        *range(-3, 4),
        0.5,
        -1.5,
        2.0**53,
        1e300,
        True,
        False,
        *STRINGS,
        *("x" * length for length in LONG),
    ]
    values += [
        date(2020, 1, 1),
        date(2020, 1, 2),
        date(2020, 1, 3),
        datetime(2020, 1, 2, 5),
        datetime(1905, 6, 30),
    ]
    every = {name: (0, "a", True, date(2020, 1, 1)) for name in FIELDS}
    made = [Document("0", "words", metadata=every)]
    for n in range(1, 90):
        metadata = {
            name: chance.choice(values) if chance.random() < 0.6 else tuple(chance.choices(values, k=n % 4))
            for name in FIELDS
            if chance.random() < 0.8
        }
        made.append(Document(str(n), "words", metadata=metadata))
    return made


@pytest.fixture(scope="module")
def varied(backend: Backend) -> Iterator[IndexReader]:
    """A reader of `rows`."""
    index = backend.create(encoder=HashingEncoder(8), passages=None)
    fill(index, rows())
    yield index.reader()
    index.close()


@settings(max_examples=150, deadline=None)
@given(trees)
def test_filters_mean_what_they_say(varied: IndexReader, condition: Filter) -> None:
    check(varied, rows(), condition)


def check(reader: IndexReader, documents: list[Document], condition: Filter) -> None:
    """Check which documents a filter lets through."""
    selection = reader.select(condition)
    assert selection is not None
    numbers = reader.live_documents()
    holds = selection.holds(numbers)
    found = {doc_id for doc_id, held in zip(reader.doc_ids(numbers), holds.tolist(), strict=True) if held}
    expected = {document.doc_id for document in documents if matches(condition, document.metadata)}
    assert found == expected
    assert selection.count == len(expected)
    assert [int(number) in selection for number in numbers[:5]] == holds[:5].tolist()


@pytest.mark.parametrize(
    "condition",
    [
        Eq("a", 1),
        Exists("a.b"),
        Eq("a.b", "dotted"),
        Eq("a.b.c", 2.5),
        Eq("_id", "not the server's"),
        Eq("meta", "inside"),
        Eq("not", True),
        Eq("100%", "per cent"),
        Eq("Größe", 3),
        Eq("größe", 3),
        Eq(" spaced ", "  spaces are kept  "),
        Exists(" spaced "),
        Eq('"quoted"\\', "quote"),
        Eq("tab\there", "a\nb"),
        Eq("*", "star"),
        Exists("*"),
        Eq("emoji😀", "😀"),
        Eq("n" * 300, "a long name"),
        Eq(".", "dot"),
        Eq("..", "dots"),
        Exists("note"),
        Eq("note", "x" * 40_000),
        Eq("note", "x" * 39_999 + "z"),
        Eq("note", "x" * 39_999 + "y"),
        Eq("tags", "y" * 33_000),
        In("tags", ("y" * 33_000, "t5")),
        Eq("number", 2**53),
        Range("number", gt=1e299),
        Range("number", gt=0, lt=1e-300),
        Eq("number", 0.1),
        Range("number", lt=0),
        Eq("when", date(1, 1, 1)),
        Range("when", gte=date(9999, 12, 31)),
        Eq("when", datetime(2024, 2, 29, 12, 30, 15)),
        Eq("when", datetime(2024, 2, 29, 12, 30, 15, 250_000)),
        Range("when", gt=datetime(2024, 2, 29, 12, 30, 15), lt=datetime(2024, 3, 1)),
        Range("when", lt=date(1970, 1, 1)),
        Eq("mixed", 7),
        Eq("mixed", "7"),
        Eq("mixed", True),
        Eq("mixed", "true"),
        Eq("mixed", date(2020, 1, 7)),
        Range("mixed", gte=0, lt=10),
        Range("mixed", gte="0"),
        Exists("tags"),
        Eq("作者", "王"),
        In("tags", ("涡轮", "t1")),
        Not(Exists("lang")),
        In("lang", ()),
        And(()),
        Or(()),
    ],
    ids=lambda condition: str(condition)[:60],
)
def test_fields_of_any_name_and_values_of_any_kind(
    reader: IndexReader, plain: PlainIndex, condition: Filter
) -> None:
    check(reader, list(plain.documents.values()), condition)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (Eq("year", "2004"), Eq("year", 2004)),
        (Range("year", gte="2004"), Range("year", gte=2004)),
        (Eq("open", "true"), Eq("open", True)),
        (Range("published", lt="2020-01-09"), Range("published", lt=date(2020, 1, 9))),
    ],
)
def test_strings_are_read_as_what_the_field_holds(
    reader: IndexReader, written: Filter, meant: Filter
) -> None:
    numbers = reader.live_documents()
    one, other = reader.select(written), reader.select(meant)
    assert one is not None
    assert other is not None
    assert one.count == other.count > 0
    np.testing.assert_array_equal(one.holds(numbers), other.holds(numbers))


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (Eq("yaer", 3), "no document has a field 'yaer'; did you mean 'year'?"),
        (Exists("colour"), "no document has a field 'colour'. The fields are:"),
        (Eq("year", "three"), "the field 'year' holds values of kind number; 'three' is none"),
        (Not(And((Range("lang", gte=3),))), "the field 'lang' holds values of kind string; 3 is none"),
        (Range("mixed", gte=3, lt="z"), "the bounds of the range on 'mixed' are of different kinds"),
    ],
)
def test_impossible_filters_are_refused_in_the_same_words(
    reader: IndexReader, condition: Filter, message: str
) -> None:
    with pytest.raises(InvalidFilter, match=re.escape(message)):
        reader.select(condition)


def test_nothing_asked_selects_nothing_in_particular(reader: IndexReader) -> None:
    assert reader.select() is None


CLAUSES = [
    (),
    (Clause(("turbin",)),),
    (Clause(("turbin", "blade")),),
    (Clause(("flutter",), "title"),),
    (Clause(("panel",), "headings"), Clause(("wing",), "body")),
    (Clause(("absent",)),),
    (Clause(("涡轮",)), Clause(("叶片",))),
]


@pytest.mark.parametrize("required", CLAUSES, ids=str)
@pytest.mark.parametrize("excluded", CLAUSES[:5], ids=str)
@pytest.mark.parametrize("condition", [None, Range("year", gte=2000)], ids=str)
def test_what_must_and_must_not_be_said(
    reader: IndexReader,
    plain: PlainIndex,
    required: tuple[Clause, ...],
    excluded: tuple[Clause, ...],
    condition: Filter | None,
) -> None:
    selection = reader.select(condition, required, excluded)
    if selection is None:
        assert condition is None
        assert not required
        assert not excluded
        return
    expected = plain.selected(condition, required, excluded)
    numbers = reader.live_documents()
    ids = np.array(reader.doc_ids(numbers), dtype=object)
    assert set(ids[selection.holds(numbers)]) == expected
    assert selection.count == len(expected)
