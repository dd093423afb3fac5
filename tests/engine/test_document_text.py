"""Reading a document: the text, offsets and passages are those of what was indexed, wherever one looks."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import InvalidQuery, NoSuchDocument, SearchEngine, SearchError
from engine.document_text import LONGEST_TEXT
from indexer.document import Document
from indexer.index import Index

from .conftest import ENCODER, FIRST

Make = Callable[..., Index]


@given(which=st.integers(0, 61), start=st.integers(-50, 900), end=st.one_of(st.none(), st.integers(-50, 900)))
@settings(deadline=None, max_examples=60)
def test_a_stretch_is_what_was_indexed(
    search_engine: SearchEngine, corpus: list[Document], which: int, start: int, end: int | None
) -> None:
    document = corpus[which]
    found = search_engine.document(document.doc_id, start=start, end=end)
    size = len(document.text)
    first = min(max(start, 0), size)
    last = max(first, size if end is None else min(end, size))
    assert (found.start, found.end, found.text) == (first, last, document.text[first:last])
    assert (found.title, found.source, dict(found.metadata)) == (
        document.title,
        document.source,
        document.metadata,
    )
    assert found.length == size
    # By the slow way: all passages, those that have a character of it.
    whole = search_engine.document(document.doc_id)
    assert whole.passage_count == len(whole.passages)
    assert found.passages == tuple(
        passage
        for passage in whole.passages
        if any(first <= at < last for at in range(passage.start, passage.end))
    )


def test_a_long_document_is_read_piece_by_piece(make_index: Make) -> None:
    text = "\n\n".join(f"Paragraph {n} speaks of turbine number {n}." for n in range(5000))
    engine = SearchEngine(make_index(Document("long", text)), ENCODER, FIRST)
    pieces, ordinals, at = [], [], 0
    while True:
        found = engine.document("long", start=at)
        assert len(found.text) <= LONGEST_TEXT
        pieces.append(found.text)
        for passage in found.passages:
            assert passage.start < found.end
            assert passage.end > found.start
            if not ordinals or passage.ordinal > ordinals[-1]:
                ordinals.append(passage.ordinal)
        at = found.end
        if at == found.length:
            break
    assert len(pieces) > 2
    assert "".join(pieces) == text
    assert ordinals == list(range(found.passage_count))
    assert engine.document("long", start=at).passages == ()


def test_pages_and_headings_come_along(make_index: Make) -> None:
    text = "# Wings\n\nThe wing is long.\n\n# Engines\n\nThe engine is loud."
    made = Document(
        "d", text, "Planes", {"day": date(2020, 2, 3), "tags": ("a", "b")}, "x.pdf", pages=(0, 28)
    )
    engine = SearchEngine(make_index(made), ENCODER, FIRST)
    found = engine.document("d", start=30)
    assert found.page == 2
    assert found.pages == (0, 28)
    assert [passage.headings[-1:] for passage in found.passages] == [("Engines",)]
    assert engine.document("d").page == 1
    told = json.loads(json.dumps(found.to_json()))
    assert told["metadata"] == {"day": "2020-02-03", "tags": ["a", "b"]}
    assert told["passages"][0]["page"] == 2
    assert told["text"] == text[30:]


@pytest.mark.parametrize("doc_id", ["nope", "", "\ud800", 7, None])
def test_an_unknown_document_is_told(search_engine: SearchEngine, doc_id: str) -> None:
    with pytest.raises(NoSuchDocument, match="has no document") as caught:
        search_engine.document(doc_id)
    assert caught.value.status == 404
    with pytest.raises(NoSuchDocument):
        search_engine.summarise(doc_id)


def test_an_unknown_document_has_no_keyphrases(search_engine: SearchEngine) -> None:
    with pytest.raises(NoSuchDocument):
        search_engine.keyphrases(["nope"])


@pytest.mark.parametrize("wrong", [{"start": 1.5}, {"end": "7"}, {"start": True}, {"start": None}])
def test_what_is_no_offset_is_refused(search_engine: SearchEngine, wrong: dict[str, int]) -> None:
    with pytest.raises(InvalidQuery, match=r"whole number"):
        search_engine.document("d01", **wrong)


def test_a_closed_engine_reads_nothing(make_index: Make) -> None:
    engine = SearchEngine(make_index(Document("d", "Some text.")), ENCODER, FIRST)
    engine.close()
    with pytest.raises(SearchError, match="closed"):
        engine.document("d")
