"""Readers beside a writer: each sees one generation whole, whatever is being committed meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.encoder.hashing import HashingEncoder
from indexer.index import Index
from indexer.local import vectors
from indexer.protocol import Clause, LexicalQuery
from small_corpus import make_document

STEP = 3
COMMITS = 12


def look(index: Index) -> tuple[int, int]:
    """Return generation and documents of a reader, having checked that its stores agree with each other."""
    reader = index.reader()
    documents = reader.live_documents()
    ids = sorted(reader.doc_ids(documents))
    everything = LexicalQuery(tuple(Clause((f"number{at}",)) for at in range(STEP * COMMITS)))
    by_words = reader.lexical(everything, 10_000)
    by_meaning = reader.dense(HashingEncoder(32).encode_query("harbour"), 10_000)
    assert sorted(reader.doc_ids(np.unique(by_words.documents))) == ids
    assert sorted(reader.doc_ids(np.unique(by_meaning.documents))) == ids
    assert len(ids) == reader.document_count == STEP * reader.generation
    for stored in reader.documents(documents[-2:]):
        text = reader.text(stored.number, 0, stored.length)
        assert text == make_document(int(stored.doc_id[4:])).text
    return reader.generation, reader.document_count


def test_readers_see_whole_generations_while_a_writer_commits(tmp_path: Path) -> None:
    path = tmp_path / "index"
    Index.create(path, encoder=HashingEncoder(32), exact_up_to=20)
    done = threading.Event()
    seen: list[list[int]] = [[], []]
    failures: list[BaseException] = []

    def read(turn: int) -> None:
        shared = Index.open(path, encoder=HashingEncoder(32), exact_up_to=20)
        try:
            while not done.is_set():
                index = shared if turn else Index.open(path, encoder=HashingEncoder(32), exact_up_to=20)
                seen[turn].append(look(index)[0])
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=read, args=(turn,)) for turn in range(2)]
    for thread in threads:
        thread.start()
    writing = Index.open(path, encoder=HashingEncoder(32), exact_up_to=20)
    for start in range(0, STEP * COMMITS, STEP):
        with writing.writer() as writer:
            for number in range(start, start + STEP):
                writer.add(make_document(number))
    done.set()
    for thread in threads:
        thread.join()
    assert not failures
    for generations in seen:
        assert generations == sorted(generations)
        assert generations
    assert look(writing) == (COMMITS, STEP * COMMITS)


def test_a_reader_comes_while_the_first_vectors_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its generation has none of them, but the file must be there, as at any other moment."""
    path = tmp_path / "index"
    index = Index.create(path, encoder=HashingEncoder(32))
    seen: list[int] = []
    append = vectors.append

    def append_while_read(*arguments: Any) -> None:
        seen.append(Index.open(path, encoder=HashingEncoder(32)).reader().generation)
        append(*arguments)

    monkeypatch.setattr(vectors, "append", append_while_read)
    with index.writer() as writer:
        writer.add(make_document(1))
    assert seen
    assert set(seen) == {0}
