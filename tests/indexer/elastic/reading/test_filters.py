"""Filters mean to Elasticsearch what they mean to everybody: an interpreter of its queries against a plain reading."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.document import MetadataValue, Scalar
from indexer.elastic.reading.filters import MOST_TERMS, field_path, filter_body
from indexer.elastic.shape.metadata import kinds_of, stored
from indexer.errors import InvalidFilter
from indexer.field_values import field_rows, read_as
from indexer.filters import And, Eq, Exists, Filter, In, Not, Or, Range, filter_from_json
from indexer.protocol import FieldKind

Metadata = Mapping[str, MetadataValue]

scalars: st.SearchStrategy[Scalar] = st.one_of(
    st.sampled_from(["", "a", "b", "ab", "true", "3", "2020-01-02", "é", "😀", "￿"]),
    st.sampled_from([0, 1, 3, -1, 2.5, 1e300, 2**70, math.inf, -math.inf]),
    st.booleans(),
    st.sampled_from([date(2020, 1, 2), datetime(2020, 1, 2, 3, 4, 5, 600_000), date(1, 1, 1)]),
)
names = st.sampled_from(["x", "y.z", "%", "*"])
documents = st.lists(
    st.dictionaries(names, st.one_of(scalars, st.lists(scalars, max_size=3).map(tuple))),
    min_size=1,
    max_size=6,
)
bounds = st.one_of(st.none(), scalars)
leaves = st.one_of(
    st.builds(Eq, names, scalars),
    st.builds(In, names, st.lists(scalars, max_size=3).map(tuple)),
    st.builds(Exists, names),
    st.tuples(names, bounds, bounds, bounds, bounds)
    .filter(lambda parts: any(bound is not None for bound in parts[1:]))
    .map(lambda parts: Range(*parts)),
)
filters = st.recursive(
    leaves,
    lambda parts: st.one_of(
        st.builds(And, st.lists(parts, max_size=3).map(tuple)),
        st.builds(Or, st.lists(parts, max_size=3).map(tuple)),
        st.builds(Not, parts),
    ),
    max_leaves=5,
)


def matches(body: Any, meta: Mapping[str, Any]) -> bool:
    """Return whether Elasticsearch would say that a document with this `meta` object matches."""
    ((kind, asked),) = body.items()
    if kind == "match_none":
        return False
    if kind == "bool":
        assert set(asked) <= {"filter", "must_not", "should", "minimum_should_match"}
        return (
            all(matches(part, meta) for part in asked.get("filter", ()))
            and not any(matches(part, meta) for part in asked.get("must_not", ()))
            and ("should" not in asked or any(matches(part, meta) for part in asked["should"]))
        )
    if kind == "exists":
        return bool(values(meta, asked["field"]))
    ((path, wanted),) = asked.items()
    found = values(meta, path)
    if kind == "terms":
        assert 0 < len(wanted) <= MOST_TERMS
        return any(one == two and type(one) is type(two) for one in found for two in wanted)
    assert kind == "range"
    return any(all(within(value, how, bound) for how, bound in wanted.items()) for value in found)


def values(meta: Mapping[str, Any], path: str) -> list[Any]:
    top, name, kind = path.split(".")
    assert top == "meta"
    found: list[Any] = meta.get(name, {}).get(kind, [])
    return found


def within(value: Any, how: str, bound: Any) -> bool:
    if isinstance(value, str):  # keywords are compared by their bytes
        value, bound = value.encode(), bound.encode()
    return {
        "gte": value >= bound,
        "gt": value > bound,
        "lte": value <= bound,
        "lt": value < bound,
    }[how]


def said(filters: Filter, metadata: Metadata, fields: Mapping[str, frozenset[FieldKind]]) -> bool:
    """Return whether a document matches, read plainly: kind by kind, as the embedded index compares values."""
    match filters:
        case And(parts):
            return all([said(part, metadata, fields) for part in parts])
        case Or(parts):
            return any([said(part, metadata, fields) for part in parts])
        case Not(inner):
            return not said(inner, metadata, fields)
        case Exists(name):
            return any(row[0] == name for row in field_rows(metadata))
        case Eq(name, value):
            return said(In(name, (value,)), metadata, fields)
        case In(name, wanted):
            asked = [plain(read_as(name, value, fields)) for value in wanted]
            return any(row[0] == name and plain_row(row) in asked for row in field_rows(metadata))
        case Range():
            limits = {
                how: plain(read_as(filters.field, bound, fields))
                for how in ("gte", "gt", "lte", "lt")
                if (bound := getattr(filters, how)) is not None
            }
            rows = [plain_row(row) for row in field_rows(metadata) if row[0] == filters.field]
            return any(
                all(kind == bound[0] and within(value, how, bound[1]) for how, bound in limits.items())
                for kind, value in rows
            )


def plain(value: Scalar) -> tuple[FieldKind, Any]:
    ((_, kind, text, number),) = field_rows({"it": value})
    return kind, text if kind == "string" else number


def plain_row(row: tuple[str, FieldKind, str | None, float | None]) -> tuple[FieldKind, Any]:
    _, kind, text, number = row
    return kind, text if kind == "string" else number


def known(found: list[dict[str, MetadataValue]]) -> dict[str, frozenset[FieldKind]]:
    kinds: dict[str, set[FieldKind]] = {}
    for metadata in found:
        for name, kind in kinds_of(metadata):
            kinds.setdefault(name, set()).add(kind)
    return {name: frozenset(found) for name, found in kinds.items()}


@given(documents, filters)
def test_the_same_documents_match(found: list[dict[str, MetadataValue]], asked: Filter) -> None:
    fields = known(found)
    try:
        body = filter_body(asked, fields)
    except InvalidFilter:
        return
    for metadata in found:
        assert matches(body, stored(metadata, as_json=False)) == said(asked, metadata, fields)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Eq("yeer", 1), "no document has a field 'yeer'; did you mean 'year'?"),
        (In("yeer", ()), "no document has a field 'yeer'"),
        (Exists("nothing"), "no document has a field 'nothing'. The fields are: lang, year"),
        (Eq("year", "soon"), "the field 'year' holds values of kind date and number; 'soon' is none"),
        (Range("year", gte=3, lt=date(2020, 1, 1)), "different kinds: ['date', 'number']"),
        (
            And((Eq("lang", "en"), Not(Eq("lang", 3)))),
            "the field 'lang' holds values of kind string; 3 is none",
        ),
    ],
)
def test_what_cannot_be_asked_is_said(asked: Filter, words: str) -> None:
    fields = {"year": frozenset({"number", "date"}), "lang": frozenset({"string"})}
    with pytest.raises(InvalidFilter) as refused:
        filter_body(asked, fields)  # type: ignore[arg-type]
    assert words in str(refused.value)


def test_what_is_no_number_is_equal_to_nothing_and_beside_nothing() -> None:
    fields: dict[str, frozenset[FieldKind]] = {"x": frozenset({"number"})}
    meta = stored({"x": 1.0}, as_json=False)
    for asked in (Eq("x", math.nan), Range("x", gte=math.nan), Range("x", gte=0, lt=math.nan)):
        assert not matches(filter_body(asked, fields), meta)
    assert matches(filter_body(In("x", (math.nan, 1)), fields), meta)


def test_more_values_than_one_list_takes_are_several() -> None:
    body = filter_body(In("x", tuple(range(MOST_TERMS + 1))), {"x": frozenset({"number"})})
    assert [len(part["terms"]["meta.x.n"]) for part in body["bool"]["should"]] == [MOST_TERMS, 1]


def test_names_are_escaped() -> None:
    body = filter_body(filter_from_json({"a.b*": "c"}), {"a.b*": frozenset({"string"})})
    assert body == {"terms": {"meta.a%2Eb%2A.s": ["c"]}}
    assert field_path("Größe", "date") == "meta.Gr%C3%B6%C3%9Fe.d"


@pytest.mark.parametrize("join", [lambda one, other: one & other, lambda one, other: one | other])
def test_long_chains_are_not_deep(join: Callable[[Filter, Filter], Filter]) -> None:
    chain: Filter = Eq("x", 0)
    for value in range(1, 3000):
        chain = join(chain, Eq("x", value))
    body = filter_body(chain, {"x": frozenset({"number"})})
    parts = body["bool"].get("filter") or body["bool"]["should"]
    assert [part["terms"]["meta.x.n"] for part in parts] == [[float(value)] for value in range(3000)]
