"""Numbers and ids."""

from __future__ import annotations

from hashlib import blake2b

from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.elastic.names import build_of, concrete, documents_alias, passages_alias
from indexer.elastic.shape.numbers import (
    CHUNK,
    chunk_id,
    chunk_starts,
    document_number,
    passage_id,
    passage_number,
    record_id,
    routing,
)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
@settings(max_examples=100)
def test_the_number_of_a_document_is_the_beginning_of_a_hash(doc_id: str) -> None:
    number = document_number(doc_id)
    bits = "".join(f"{byte:08b}" for byte in blake2b(doc_id.encode(), digest_size=8).digest())
    assert number == int(bits[:62], 2)
    assert 0 <= number < 2**62


def test_passages_follow_their_document_in_order() -> None:
    number = document_number("hamlet")
    assert [passage_number(number, ordinal) for ordinal in range(3)] == [number, number + 1, number + 2]
    assert passage_number(2**62 - 1, 2**31) < 2**63, "and fit into 64 bits with a sign"


def test_ids_tell_passages_pieces_of_text_and_records_apart() -> None:
    ids = {f(12, at) for f in (passage_id, chunk_id) for at in (0, 1, CHUNK)} | {
        record_id(12),
        record_id(120),
    }
    assert len(ids) == 8
    assert routing(12) == record_id(12)


def test_a_text_is_cut_where_no_character_is_lost() -> None:
    assert list(chunk_starts(0)) == []
    assert list(chunk_starts(CHUNK)) == [0]
    assert list(chunk_starts(CHUNK + 1)) == [0, CHUNK]


def test_an_index_is_known_by_alias_and_build() -> None:
    alias = passages_alias("books")
    assert (alias, documents_alias("books")) == ("books-passages", "books-documents")
    assert concrete(alias, 12) == "books-passages-000012"
    assert build_of("books-passages-000012", alias) == 12
    assert build_of("books-passages-passages-000012", alias) == 0, "that is another index's"
    assert build_of("books-passages-extra", alias) == 0
