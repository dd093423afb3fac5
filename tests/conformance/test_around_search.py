"""What a page needs around a search, on both backends: documents, those like them, completions, orders, marks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine import NoSuchDocument, Query, SearchEngine, SearchSettings
from engine.document_text import LONGEST_TEXT

from .conftest import SHARDS, Backend, fill
from .corpus import documents
from .test_searching import NEAR, Pair

WIDE = SearchSettings(depth=10_000)

pytestmark = pytest.mark.elasticsearch


@pytest.fixture(scope="module")
def engines(both: tuple[Backend, Backend]) -> Iterator[Pair]:
    made: list[SearchEngine] = []
    for backend in both:
        index = backend.create(shards=SHARDS)
        fill(index, documents())
        index.close()
        made.append(backend.engine(index.place))
    yield Pair(*made)
    for engine in made:
        engine.close()


def test_every_document_reads_the_same(engines: Pair) -> None:
    for document in documents():
        for start, end in ((0, None), (len(document.text) // 3, len(document.text) // 2), (7, 7)):
            one = engines.local.document(document.doc_id, start=start, end=end)
            assert engines.elastic.document(document.doc_id, start=start, end=end) == one
            assert one.text == document.text[start : one.end]
            assert len(one.text) <= LONGEST_TEXT
    with pytest.raises(NoSuchDocument):
        engines.elastic.document("nope")


@pytest.mark.parametrize("filters", [None, {"lang": "de"}])
def test_the_same_documents_are_alike(engines: Pair, filters: dict[str, object] | None) -> None:
    for document in documents():
        one = engines.local.similar(document.doc_id, k=8, filters=filters)
        other = engines.elastic.similar(document.doc_id, k=8, filters=filters)
        assert other.notices == one.notices
        assert [item.score for item in other] == pytest.approx([item.score for item in one], abs=NEAR)
        words = {item.doc_id: set(item.words) for item in one}
        for item in other:
            assert item.doc_id != document.doc_id
            assert set(item.words) == words.get(item.doc_id, set(item.words))


def test_the_same_is_completed(engines: Pair) -> None:
    texts = ["tu", "turbine ", "turbine b", "b", "s", "涡", "叶片", "πτ", "un", "zzz", "t", "the "]
    for text in texts:
        assert engines.elastic.complete(text, k=12) == engines.local.complete(text, k=12)
    assert any(engines.local.complete(text) for text in texts)


@pytest.mark.parametrize("field", ["year", "published", "lang", "tags", "open"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_the_same_order_by_a_field(engines: Pair, field: str, sign: str) -> None:
    query = Query("turbine blade cooling", sort=sign + field)
    one = engines.local.search(query, k=300, settings=WIDE)
    other = engines.elastic.search(query, k=300, settings=WIDE)
    assert other.found == one.found == len(one.hits)
    values = [hit.metadata.get(field) for hit in one.hits]
    assert [hit.metadata.get(field) for hit in other.hits] == values
    assert [hit.score for hit in other.hits] == pytest.approx([hit.score for hit in one.hits], abs=NEAR)


def test_the_same_sentences_are_marked(engines: Pair) -> None:
    hits = engines.local.search("turbine blade cooling", k=20, settings=WIDE).hits
    marks = engines.local.mark("turbine blade cooling", hits, characters=20_000)
    assert engines.elastic.mark("turbine blade cooling", hits, characters=20_000) == marks
    assert any(mark for row in marks for mark in row)
