"""The bodies of the indexes, and metadata as they hold it."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.document import metadata_to_json
from indexer.elastic.shape import metadata
from indexer.elastic.shape.mappings import (
    FORMAT,
    Made,
    documents_body,
    format_of,
    metadata_body,
    passages_body,
)
from indexer.encoder.hashing import HashingEncoder
from indexer.errors import InvalidDocument, InvalidSettings
from indexer.field_values import field_row, number_form
from indexer.identity import EncoderIdentity
from indexer.splitter import SplitterSettings
from indexer.token_sample import fit_coding

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


def made(dim: int = 64, quantisation: Any = "int8", coding: bool = True) -> Made:
    identity = EncoderIdentity("hashing", "auto", f"hashing:{dim}", dim, 0.1)
    fitted = fit_coding(HashingEncoder(dim)) if coding else None
    return Made(
        "english", "analyser-1", identity, SplitterSettings(100, 10), fitted, quantisation, "2026-11-23"
    )


def objects(mapping: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a mapping and every object in it."""
    yield mapping
    for field in mapping.get("properties", {}).values():
        if field.get("type") == "object":
            yield from objects(field)


@pytest.mark.parametrize("body_of", [passages_body, documents_body])
def test_nothing_is_mapped_that_is_not_listed(body_of: Any) -> None:
    body = body_of(made(), shards=3, replicas=2)
    for each in objects(body["mappings"]):
        assert each.get("dynamic") == "strict" or each.get("enabled") is False
    assert (body["settings"]["number_of_shards"], body["settings"]["number_of_replicas"]) == (3, 2)
    assert body["settings"]["similarity"]["quire"] == {"type": "BM25", "k1": 1.2, "b": 0.75}
    json.dumps(body)


@pytest.mark.parametrize("body_of", [passages_body, documents_body])
def test_terms_are_scored_and_not_stored(body_of: Any) -> None:
    mapping = body_of(made(), shards=1, replicas=0)["mappings"]
    scored = {name for name, field in mapping["properties"].items() if field.get("analyzer") == "whitespace"}
    assert scored <= set(mapping["_source"]["excludes"]) <= set(mapping["properties"])
    assert "text" not in scored or body_of is documents_body


@pytest.mark.parametrize(
    ("quantisation", "kind"),
    [("int8", "int8_hnsw"), ("int4", "int4_hnsw"), ("bbq", "bbq_hnsw"), ("none", "hnsw")],
)
def test_vectors_are_kept_as_was_chosen(quantisation: str, kind: str) -> None:
    vector = passages_body(made(quantisation=quantisation), shards=1, replicas=0)["mappings"]["properties"][
        "vector"
    ]
    assert vector["index_options"]["type"] == kind
    assert (vector["dims"], vector["similarity"]) == (64, "dot_product")


@pytest.mark.parametrize(("dim", "quantisation"), [(63, "int4"), (32, "bbq"), (5000, "int8")])
def test_what_cannot_be_quantised_so_is_refused(dim: int, quantisation: str) -> None:
    with pytest.raises(InvalidSettings, match="choose"):
        passages_body(made(dim, quantisation, coding=False), shards=1, replicas=0)


def test_codes_are_there_only_where_tokens_are_kept() -> None:
    assert "codes" in passages_body(made(), shards=1, replicas=0)["mappings"]["properties"]
    without = passages_body(made(coding=False), shards=1, replicas=0)["mappings"]
    assert "codes" not in without["properties"]
    assert "codes" not in without["_source"]["excludes"]


@pytest.mark.parametrize("coding", [True, False])
def test_how_an_index_was_made_comes_back_from_its_mapping(coding: bool) -> None:
    before = made(coding=coding)
    meta = json.loads(json.dumps(passages_body(before, shards=1, replicas=0)["mappings"]["_meta"]))
    after = Made.from_meta(meta)
    assert format_of(meta) == str(FORMAT)
    assert (after.encoder, after.passages, after.quantisation) == (before.encoder, before.passages, "int8")
    assert (after.coding is not None) is coding
    if after.coding is not None and before.coding is not None:
        assert np.array_equal(after.coding.axes, before.coding.axes)


def test_a_mapping_of_somebody_elses_is_told() -> None:
    assert format_of({"owner": "somebody"}) == ""
    with pytest.raises(ValueError, match="quantisation"):
        Made.from_meta({**made().to_meta(), "quantisation": "int3"})


@given(st.text(min_size=1, max_size=40).filter(lambda name: "\0" not in name))
@settings(max_examples=150)
def test_any_name_becomes_one_that_is_safe_and_comes_back(name: str) -> None:
    name = name.encode("utf-8", "replace").decode()
    safe = metadata.escaped(name)
    assert safe.isascii()
    assert not set(safe) & set('. *~"\\/,#?<>|\t\n')
    assert metadata.unescaped(safe) == name


@given(st.lists(TEXT, min_size=2, max_size=2))
@settings(max_examples=100)
def test_strings_keep_equality_and_order(pair: list[str]) -> None:
    for tail in ("", "x" * 9000):
        left, right = (metadata.string_form(text + tail) for text in pair)
        assert (left == right) == (pair[0] == pair[1])
        if pair[0] < pair[1] and not tail:
            assert left.encode() < right.encode()


def test_a_long_string_fits_into_a_term_and_stays_itself() -> None:
    long = "漢" * 40_000
    form = metadata.string_form(long)
    assert len(form.encode()) <= 32_766
    assert metadata.is_shortened(form)
    assert form == metadata.string_form(long)
    assert form != metadata.string_form(long + "字")
    whole = "漢" * 8191
    assert metadata.string_form(whole) == whole
    assert len(whole.encode()) <= 32_766


@pytest.mark.parametrize(
    ("value", "expected"),
    [(3, 3.0), (2.5, 2.5), (-0.0, 0.0), (math.inf, sys.float_info.max), (-(10**400), -sys.float_info.max)],
)
def test_numbers_are_finite(value: float, expected: float) -> None:
    assert repr(number_form(value)) == repr(expected)


@given(st.datetimes(timezones=st.sampled_from([None, UTC, timezone(timedelta(hours=-5, minutes=30))])))
@settings(max_examples=100)
def test_times_are_whole_milliseconds_of_what_filters_compare(value: datetime) -> None:
    milliseconds = metadata.date_form(value)
    _, _, seconds = field_row(value)
    assert seconds is not None
    assert 0 <= seconds * 1000 - milliseconds < 1 + 1e-3 * abs(seconds) / 2**20


def test_a_date_is_its_midnight() -> None:
    assert metadata.date_form(date(1970, 1, 2)) == 86_400_000
    assert metadata.date_form(date(1969, 12, 31)) == -86_400_000
    assert metadata.date_form(date(1, 1, 1)) == -62_135_596_800_000


def test_values_of_each_kind_have_a_place_of_their_own() -> None:
    found = metadata.stored({"a.b": (1, "x", True, date(1970, 1, 1)), "none": (), "one": 2.5}, as_json=True)
    assert found == {
        "a%2Eb": {
            "n": [1.0],
            "s": ["x"],
            "b": [True],
            "d": [0],
            "j": ["1", '"x"', "true", '{"$date": "1970-01-01"}'],
        },
        "one": {"n": [2.5], "j": ["2.5"]},
    }


@given(st.one_of(TEXT, st.integers(), st.floats(allow_nan=False), st.booleans(), st.dates()))
@settings(max_examples=100)
def test_a_value_as_json_is_as_metadata_writes_it(value: Any) -> None:
    assert f'{{"x": {metadata.json_form(value)}}}' == metadata_to_json({"x": value})


def test_the_fields_of_a_mapping_are_those_that_were_put() -> None:
    pairs = metadata.kinds_of({"a.b": (1, "x"), "when": date(2000, 1, 1), "empty": (), "ok?": True})
    for as_json in (True, False):
        body = metadata_body(pairs, as_json=as_json)
        found = metadata.fields_in(body)
        assert {(name, kind) for name, kinds in found.items() for kind in kinds} == pairs
    assert metadata.fields_in({}) == {}


def test_a_name_that_is_too_long_is_refused() -> None:
    with pytest.raises(InvalidDocument, match="shorten"):
        metadata.stored({"n" * 501: 1}, as_json=False)
    assert metadata.stored({"n" * 500: 1}, as_json=False)
