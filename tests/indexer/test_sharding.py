"""A corpus split among workers."""

from __future__ import annotations

import math
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.document import Document, ReadFailure
from indexer.errors import InvalidSettings
from indexer.filters import Range
from indexer.index import Index
from indexer.pipeline import index_corpus
from indexer.readers import read_corpus
from indexer.sharding import WHOLE, Shard
from small_corpus import CountingEncoder, make_document


@given(st.text(max_size=30), st.integers(1, 40))
@settings(max_examples=100)
def test_every_document_falls_to_one_shard(doc_id: str, count: int) -> None:
    assert sum(doc_id in Shard(number, count) for number in range(1, count + 1)) == 1
    assert doc_id in WHOLE


def test_shards_are_of_about_one_size_and_never_change() -> None:
    sizes = Counter(next(n for n in range(1, 9) if f"doc-{at}" in Shard(n, 8)) for at in range(4000))
    assert min(sizes.values()) > 400
    assert [f"doc-{at}" in Shard(1, 4) for at in range(8)] == [
        f"doc-{at}" in Shard.parse(" 1/4 ") for at in range(8)
    ]
    assert "caf\ud800" in Shard(1, 2) or "caf\ud800" in Shard(2, 2), "names that are no text have a shard too"


@pytest.mark.parametrize("text", ["3", "0/4", "5/4", "1/0", "a/b", "-1/4", "1/4/2", "", "1.0/4"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(InvalidSettings, match="shard is written as"):
        Shard.parse(text)


def test_files_of_other_shards_are_not_opened(tmp_path: Path) -> None:
    for at in range(30):
        (tmp_path / f"{at}.txt").write_text(f"text {at}")
    (tmp_path / "broken.pdf").write_bytes(b"no pdf")
    (tmp_path / "records.jsonl").write_text('{"_id": "r1", "text": "one"}\n{"_id": "r2", "text": "two"}\n')
    read: list[str] = []
    failed = 0
    for number in (1, 2, 3):
        for item in read_corpus(tmp_path, shard=Shard(number, 3)):
            if isinstance(item, ReadFailure):
                failed += 1
            else:
                assert item.doc_id in Shard(number, 3) or item.doc_id.startswith("r")
                read.append(item.doc_id)
    assert Counter(read) == Counter([f"{at}.txt" for at in range(30)] + ["r1", "r2"] * 3)
    assert failed == 1, "what cannot be read is told by one worker"


def test_the_shards_together_make_the_whole_and_delete_only_their_own(tmp_path: Path) -> None:
    index = Index.create(tmp_path / "index", encoder=CountingEncoder())
    index_corpus(index, [make_document(number) for number in range(20)])
    corpus = [make_document(number) for number in range(5, 30)]
    reports = [
        index_corpus(index, corpus, shard=Shard(number, 4), delete_missing=True) for number in range(1, 5)
    ]
    assert sum(report.added for report in reports) == 10
    assert sum(report.unchanged for report in reports) == 15
    assert sum(report.deleted for report in reports) == 5
    assert {document.doc_id for document in index.documents()} == {document.doc_id for document in corpus}


def test_a_number_beyond_the_largest_double_is_no_reason_to_stop(tmp_path: Path) -> None:
    index = Index.create(tmp_path / "index", encoder=CountingEncoder())
    documents = [Document("huge", "x", metadata={"n": 10**400, "m": -math.inf}), make_document(1)]
    assert index_corpus(index, documents).added == 2
    assert index.verify().sound
    found = index.reader().select(Range("n", gte=sys.float_info.max))
    assert found is not None
    assert found.count == 1
