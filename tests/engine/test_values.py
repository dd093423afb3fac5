"""Settings, queries, errors, ordering, facets: the small values."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields, replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine
from engine.errors import (
    TRANSLATION,
    InvalidQuery,
    InvalidSearchSettings,
    SearchError,
    search_error,
    translated,
)
from engine.facets import check_facets, counted
from engine.query import Query, as_query, check_k
from engine.ranking import order_documents
from engine.settings import SearchSettings
from indexer import errors as indexing
from indexer.filters import And, Eq


def _all_subclasses(kind: type[Exception]) -> set[type[Exception]]:
    return {kind}.union(*(_all_subclasses(child) for child in kind.__subclasses__()))


def test_every_indexing_error_is_translated() -> None:
    ours = {kind for kind in _all_subclasses(indexing.IndexingError) if kind.__module__ == indexing.__name__}
    assert ours == set(TRANSLATION)


@pytest.mark.parametrize("kind", sorted(TRANSLATION, key=lambda kind: kind.__name__))
def test_a_translated_error_keeps_its_message_and_cause(kind: type[indexing.IndexingError]) -> None:
    original = {
        indexing.CorpusFormatError: lambda: indexing.CorpusFormatError("a.csv", 3, "what happened"),
        indexing.FingerprintMismatch: lambda: indexing.FingerprintMismatch("encoder", "what happened", "b"),
    }.get(kind, lambda: kind("what happened"))()
    with pytest.raises(TRANSLATION[kind], match="what happened") as caught, translated():
        raise original
    assert caught.value.__cause__ is original
    assert 400 <= caught.value.status < 600


def test_an_unknown_indexing_error_is_translated_like_its_parent() -> None:
    class Other(indexing.IndexLocked):
        pass

    assert type(search_error(Other("x"))) is TRANSLATION[indexing.IndexLocked]


@pytest.mark.parametrize(
    "values",
    [
        {"alpha": -0.1},
        {"alpha": 1.1},
        {"alpha": float("nan")},
        {"alpha": "0.5"},
        {"alpha": True},
        {"depth": 0},
        {"depth": 2.0},
        {"fusion": "best"},
        {"grouping": "median"},
        {"group_top": 0},
        {"rrf_k": 0},
        {"diversity": 2},
        {"passages_per_hit": 0},
        {"snippet_chars": 1},
        {"facets": "year"},
        {"facets": (1,)},
        {"title_weight": -1},
        {"document_share": 1.1},
        {"rerank_depth": -1},
        {"rerank_depth": 1001},
        {"rerank_passages": 0},
        {"rerank_weight": -0.1},
        {"late_weight": float("inf")},
        {"gist_weight": -0.1},
        {"neighbours_weight": "much"},
        {"budget_ms": -1},
        {"budget_ms": 0.5},
        {"budget_ms": "none"},
        {"reranker": ""},
        {"reranker": None},
        {"title_weight": 0, "headings_weight": 0, "body_weight": 0},
    ],
)
def test_impossible_settings_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(InvalidSearchSettings, match=next(iter(values))):
        SearchSettings(**values)  # type: ignore[arg-type]


def test_a_fingerprint_changes_with_every_setting() -> None:
    other = SearchSettings(
        alpha=0.1,
        depth=7,
        fusion="rrf",
        rrf_k=7,
        grouping="sum",
        group_top=7,
        document_share=0.7,
        title_weight=7,
        headings_weight=7,
        body_weight=7,
        passages_per_hit=7,
        snippet_chars=77,
        diversity=0.7,
        facets=("year",),
        reranker="another",
        rerank_depth=7,
        rerank_passages=7,
        late_weight=0.7,
        gist_weight=0.7,
        neighbours_weight=0.7,
        rerank_weight=0.7,
        budget_ms=77,
    )
    base = SearchSettings()
    prints = {base.fingerprint}
    for setting in fields(SearchSettings):
        value = getattr(other, setting.name)
        assert value != getattr(base, setting.name), f"give {setting.name} another value in this test"
        prints.add(replace(base, **{setting.name: value}).fingerprint)
    assert len(prints) == len(fields(SearchSettings)) + 1


def test_equal_settings_have_equal_fingerprints() -> None:
    assert (
        SearchSettings(title_weight=1, facets=["a"]).fingerprint
        == SearchSettings(title_weight=1.0, facets=("a",)).fingerprint
    )  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [None, 3, b"bytes"])
def test_a_query_is_text(text: object) -> None:
    with pytest.raises(InvalidQuery, match="string"):
        as_query(text)  # type: ignore[arg-type]


def test_filters_of_a_query_and_of_a_call_both_hold() -> None:
    query = as_query(Query("x", filters=Eq("a", 1)), {"b": 2})
    assert query.filters == And((Eq("a", 1), Eq("b", 2)))


@pytest.mark.parametrize("filters", [{"a": object()}, {"a": {}}, 3, "a"])
def test_filters_that_are_none(filters: object) -> None:
    with pytest.raises(InvalidQuery):
        as_query("x", filters)  # type: ignore[arg-type]


@pytest.mark.parametrize("k", [-1, 1.0, "3", None, True])
def test_k_is_a_count(k: object) -> None:
    with pytest.raises(InvalidQuery, match="whole number"):
        check_k(k)  # type: ignore[arg-type]


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.text(max_size=3)), unique_by=lambda pair: pair[1])
)
def test_order_is_by_score_then_id(rows: list[tuple[float, str]]) -> None:
    order = order_documents([score for score, _ in rows], [name for _, name in rows])
    assert [rows[i] for i in order] == sorted(rows, key=lambda row: (-row[0], row[1]))


def test_facets_stand_by_frequency_then_kind_then_value() -> None:
    found = {
        "tag": [("b", 2), ("c", 5), ("a", 2)],
        "year": [(1, 1), (date(2024, 1, 1), 1), (1999, 2), (True, 1)],
    }
    counts = counted(found)
    assert counts["tag"] == (("c", 5), ("a", 2), ("b", 2))
    assert [(type(value), value, count) for value, count in counts["year"]] == [
        (int, 1999, 2),
        (bool, True, 1),
        (date, date(2024, 1, 1), 1),
        (int, 1, 1),
    ]


def test_a_facet_nobody_knows() -> None:
    with pytest.raises(InvalidQuery, match=r"'yaer'.*'year'") as caught:
        check_facets(("yaer",), ("year", "lang"))
    assert caught.value.suggestion == "year"


def test_public_names_are_all_there() -> None:
    for name in engine.__all__:
        assert getattr(engine, name).__module__.startswith("engine.")
    assert sorted(engine.__all__) == engine.__all__
    with pytest.raises(AttributeError):
        _ = engine.nothing_of_the_kind


def test_importing_the_engine_loads_nothing_heavy() -> None:
    heavy = "torch onnxruntime transformers tokenizers numpy tantivy"
    code = f"import engine, sys; sys.exit(','.join(set('{heavy}'.split()) & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_search_errors_know_their_status() -> None:
    for kind in _all_subclasses(SearchError):
        assert 400 <= kind.status < 600
