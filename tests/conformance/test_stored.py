"""What was put in comes out: documents, passages, texts, vectors, fields, counts."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.document import kind_of, metadata_to_json
from indexer.protocol import IndexReader

from .conftest import Names, Opened
from .corpus import ENCODER
from .plain import PlainIndex


def live(reader: IndexReader) -> dict[str, int]:
    """Return the number of every document."""
    numbers = reader.live_documents()
    return dict(zip(reader.doc_ids(numbers), numbers.tolist(), strict=True))


def test_the_counts_are_those_of_what_was_added(reader: IndexReader, plain: PlainIndex, home: Opened) -> None:
    assert reader.document_count == len(plain.documents)
    assert reader.passage_count == len(plain.passages)
    stats = home.stats()
    assert (stats.documents, stats.passages) == (len(plain.documents), len(plain.passages))
    assert stats.vectors == sum(passage.vector is not None for passage in plain.passages.values())
    assert stats.token_vectors == stats.vectors
    assert home.verify().sound


def test_an_index_says_what_it_was_made_with(reader: IndexReader, plain: PlainIndex, home: Opened) -> None:
    assert reader.analyser.fingerprint == home.analyser.fingerprint == plain.analyser.fingerprint
    assert reader.encoder_fingerprint == ENCODER.fingerprint == home.encoder_identity.fingerprint
    assert reader.unrelated_cosine == home.encoder_identity.unrelated
    assert reader.has_token_vectors
    assert home.keeps_token_vectors
    assert home.encoder is ENCODER


def test_every_document_is_there_as_it_was_given(reader: IndexReader, plain: PlainIndex) -> None:
    numbers = live(reader)
    assert sorted(numbers) == sorted(plain.documents)
    asked = sorted(numbers.values(), reverse=True)
    for stored in reader.documents(asked + asked[:3]):
        given_ = plain.documents[stored.doc_id]
        assert numbers[stored.doc_id] == stored.number
        assert (stored.title, stored.source) == (given_.title, given_.source)
        assert metadata_to_json(stored.metadata) == metadata_to_json(given_.metadata)
        assert {name: _kinds(value) for name, value in stored.metadata.items()} == {
            name: _kinds(value) for name, value in given_.metadata.items()
        }
        assert stored.length == len(given_.text)
        assert stored.passages == len(plain.of_document[stored.doc_id])
        assert stored.pages == tuple(given_.pages)
    assert [stored.number for stored in reader.documents(asked + asked[:3])] == asked + asked[:3]


def _kinds(value: object) -> object:
    return [type(item) for item in value] if isinstance(value, tuple) else type(value)


def test_documents_are_found_by_their_ids(reader: IndexReader, plain: PlainIndex) -> None:
    numbers = live(reader)
    for doc_id in plain.documents:
        stored = reader.find(doc_id)
        assert stored is not None
        assert stored.number == numbers[doc_id]
    for absent in ("absent", "D00", "Case", "é", "x" * 1023, ""):
        assert reader.find(absent) is None
    asked = ["zz", "absent", "aa", "../up", "zz", "x" * 1024, "x" * 1023, "混合"]
    assert reader.find_all(asked).tolist() == [numbers.get(doc_id, -1) for doc_id in asked]
    assert reader.find_all([]).tolist() == []
    assert reader.doc_ids(np.zeros(0, np.int64)) == []
    again = np.array([numbers["zz"], numbers["aa"], numbers["zz"]], dtype=np.int64)
    assert reader.doc_ids(again) == ["zz", "aa", "zz"]


def test_passages_are_those_of_the_splitter(reader: IndexReader, plain: PlainIndex) -> None:
    for doc_id, number in live(reader).items():
        found = reader.passages(reader.passages_of(number))
        assert [item.passage for item in found] == [
            plain.passages[key].passage for key in plain.of_document[doc_id]
        ]
        assert {item.document for item in found} <= {number}


def test_passages_of_several_documents_come_document_by_document(
    reader: IndexReader, plain: PlainIndex, names: Names
) -> None:
    numbers = live(reader)
    asked = ["zz", "empty", "long-2", "title only", "aa", "huge"]
    documents = np.array([numbers[doc_id] for doc_id in asked], dtype=np.int64)
    passages, owners = reader.passages_of_all(documents)
    assert names.keys(passages) == [key for doc_id in asked for key in plain.of_document[doc_id]]
    assert owners.tolist() == [numbers[key[0]] for key in names.keys(passages)]
    assert reader.passages_of_all(documents[:0])[0].tolist() == []
    backwards = passages[::-1]
    assert [item.number for item in reader.passages(backwards)] == backwards.tolist()
    assert reader.passages([]) == []


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["huge", "long-0", "中文-7", "words", "d00"]), st.integers(0), st.integers(0)
        ),
        min_size=1,
        max_size=6,
    )
)
def test_any_stretch_of_a_text_is_that_of_the_document(
    reader: IndexReader, plain: PlainIndex, asked: list[tuple[str, int, int]]
) -> None:
    spans, expected = [], []
    for doc_id, one, other in asked:
        text = plain.documents[doc_id].text
        start, end = sorted((one % (len(text) + 1), other % (len(text) + 1)))
        stored = reader.find(doc_id)
        assert stored is not None
        spans.append((stored.number, start, end))
        expected.append(text[start:end])
    assert reader.texts(spans) == expected
    assert [reader.text(*span) for span in spans[:2]] == expected[:2]


@pytest.mark.parametrize("edge", [65_535, 65_536, 65_537, 131_072])
def test_a_text_is_whole_where_a_store_may_have_cut_it(
    reader: IndexReader, plain: PlainIndex, edge: int
) -> None:
    text = plain.documents["huge"].text
    number = live(reader)["huge"]
    for start, end in (
        (edge - 3, edge + 3),
        (edge, edge + 1),
        (edge - 1, edge),
        (0, edge),
        (edge, len(text)),
    ):
        assert reader.text(number, start, end) == text[start:end]


def test_vectors_are_the_encoders(reader: IndexReader, plain: PlainIndex, names: Names) -> None:
    keys = sorted(plain.passages, reverse=True)
    found = reader.vectors(names.numbers(keys))
    nothing = np.zeros(ENCODER.dim, dtype=np.float32)
    expected = [plain.passages[key].vector for key in keys]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [nothing if v is None else v for v in expected], atol=1e-6)
    assert reader.vectors(names.numbers([])).shape == (0, ENCODER.dim)


def test_a_documents_vector_is_the_mean_of_its_passages(reader: IndexReader, plain: PlainIndex) -> None:
    numbers = live(reader)
    found = reader.document_vectors(np.array(list(numbers.values()), dtype=np.int64))
    expected = [plain.document_vector(doc_id) for doc_id in numbers]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    having = [vector for vector in expected if vector.any()]
    assert 0 < len(having) < len(expected)
    np.testing.assert_allclose(reader.document_centre(), np.mean(having, axis=0), atol=1e-5)
    np.testing.assert_array_equal(reader.document_centre(), reader.document_centre())


def test_fields_are_the_names_with_the_kinds_of_their_values(reader: IndexReader, plain: PlainIndex) -> None:
    expected: dict[str, set[str]] = {}
    for document in plain.documents.values():
        for name, value in document.metadata.items():
            for item in value if isinstance(value, tuple) else (value,):
                expected.setdefault(name, set()).add(kind_of(item))
    assert {name: set(kinds) for name, kinds in reader.fields().items()} == expected


def test_values_are_counted_once_a_document(reader: IndexReader, plain: PlainIndex) -> None:
    numbers = live(reader)
    for chosen in (list(numbers), [f"d{n:02}" for n in range(20)], ["repeated values"], []):
        for name in (
            "lang",
            "tags",
            "year",
            "mixed",
            "a",
            "a.b",
            "none",
            "作者",
            "when",
            "number",
            "open",
            "note",
        ):
            counts: dict[tuple[str, str], int] = {}
            for doc_id in chosen:
                value = plain.documents[doc_id].metadata.get(name, ())
                items = value if isinstance(value, tuple) else (value,)
                # Equal values are one, whether written 1 or 1.0 and in whichever time zone; true is none of them.
                for key in {(kind_of(item), _shown(item)) for item in items}:
                    counts[key] = counts.get(key, 0) + 1
            asked = np.array([numbers[doc_id] for doc_id in chosen], dtype=np.int64)
            found = reader.value_counts([name], asked)[name]
            assert {(kind_of(value), _shown(value)): count for value, count in found} == counts, name
            assert len(found) == len(counts)


def _shown(value: object) -> str:
    if isinstance(value, datetime) and value.tzinfo:
        value = value.astimezone(UTC)
    return repr(float(value)) if isinstance(value, int | float) else repr(value)
