"""Files cut short, changed by a bit, or deleted: rebuilt where SQLite can, refused with advice where not."""

from __future__ import annotations

import errno
import random
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from indexer.document import Document
from indexer.encoder.hashing import HashingEncoder
from indexer.errors import IndexCorrupt, IndexFull, IndexingError, IndexNotFound
from indexer.filters import Eq
from indexer.index import Index
from indexer.local.lexical import LexicalWriter
from indexer.pipeline import index_corpus
from indexer.protocol import Clause, LexicalQuery
from indexer.transfer import export_documents
from small_corpus import make_document

COUNT = 40


@pytest.fixture
def index(tmp_path: Path) -> Index:
    index = Index.create(tmp_path / "index", encoder=HashingEncoder(32), exact_up_to=20)
    index_corpus(index, (make_document(number) for number in range(COUNT)))
    return index


def reopened(index: Index) -> Index:
    index.close()
    return Index.open(index.path, encoder=HashingEncoder(32), exact_up_to=20)


def assert_whole(index: Index) -> None:
    reader = index.reader()
    for number in range(COUNT):
        query = LexicalQuery((Clause((f"number{number}",)),))
        assert reader.doc_ids(reader.lexical(query, 10).documents) == [f"doc-{number:03}"]
    assert len(reader.dense(index.encoder.encode_query("harbour"), COUNT)) == COUNT
    assert index.verify().sound, index.verify().problems


def files(index: Index, pattern: str) -> list[Path]:
    found = sorted(index.path.glob(pattern))
    assert found, pattern
    return found


def delete(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.unlink()  # snapshots share files by hard links: damage only this one
    path.write_bytes(content[: len(content) // 2])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.unlink()
    path.write_bytes(content)


DERIVED = [
    "epoch-1/lexical-*/*.idx",
    "epoch-1/lexical-*/*.term",
    "epoch-1/lexical-*/meta.json",
    "epoch-1/whole-*/*.idx",
    "epoch-1/whole-*/*.term",
    "epoch-1/whole-*/meta.json",
    "epoch-1/vectors.f32",
]


@pytest.mark.parametrize("damage", [delete, empty, cut])
@pytest.mark.parametrize("pattern", [*DERIVED, "epoch-1/graph-*.hnsw", "manifest.json"])
def test_a_missing_or_short_derived_file_is_rebuilt_on_open(
    index: Index, pattern: str, damage: Callable[[Path], None]
) -> None:
    for path in files(index, pattern):
        damage(path)
    assert_whole(reopened(index))


@pytest.mark.parametrize("pattern", [*DERIVED, "epoch-1/graph-*.hnsw"])
def test_a_flipped_bit_in_a_derived_file_is_found_and_mended(index: Index, pattern: str) -> None:
    for path in files(index, pattern)[-1:]:
        flip(path)
    try:
        damaged = reopened(index)
        report = damaged.verify()
    except IndexingError as error:  # some bits are noticed on opening already
        pytest.fail(f"a derived file's damage must not keep the index from opening: {error}")
    assert not report.sound
    assert all(problem.repairable for problem in report.problems)
    damaged.rebuild()
    assert_whole(damaged)


def test_a_flipped_bit_in_the_manifest_is_mended_on_open(index: Index) -> None:
    flip(index.path / "manifest.json")
    assert_whole(reopened(index))


@pytest.mark.parametrize("name", ["lexical", "whole"])
def test_a_writer_mends_before_it_goes_on(index: Index, name: str) -> None:
    for path in files(index, f"epoch-1/{name}-*/*.term"):
        delete(path)
    with index.writer() as writer:
        writer.add(Document("another", "goes on"))
    assert index.verify().sound
    assert index.reader().document_count == COUNT + 1


@pytest.mark.parametrize("damage", [delete, empty, cut])
def test_a_damaged_truth_is_refused_or_found(index: Index, damage: Callable[[Path], None]) -> None:
    index.close()
    damage(files(index, "epoch-1/truth.sqlite")[0])
    try:
        report = Index.open(index.path, encoder=HashingEncoder(32)).verify()
    except (IndexCorrupt, IndexNotFound) as error:
        message = str(error)
    else:
        assert not any(problem.repairable for problem in report.problems)
        message = "; ".join(problem.found for problem in report.problems)
    assert re.search("index the documents again|truth.sqlite is missing|integrity check|malformed", message)


def held(index: Index) -> tuple[list[Document], list[int], list[str]]:
    reader = index.reader()
    odd = reader.select(Eq("parity", "odd"))
    assert odd is not None
    passages = [str(reader.passages(reader.passages_of(int(n)))) for n in reader.live_documents()]
    return list(export_documents(index)), np.flatnonzero(odd.mask).tolist(), passages


def test_no_flipped_bit_of_the_truth_goes_unnoticed(index: Index) -> None:
    """Wherever a bit flips, opening or verify notices, or nothing of what is stored has changed."""
    expected = held(index)
    index.close()
    path = files(index, "epoch-1/truth.sqlite")[0]
    content = path.read_bytes()
    used = [at for at, byte in enumerate(content) if byte]
    choose = random.Random(7)
    noticed = 0
    for _ in range(60):
        changed = bytearray(content)
        changed[choose.choice(used)] ^= 1 << choose.randrange(8)
        path.write_bytes(changed)
        try:
            opened = Index.open(index.path, encoder=HashingEncoder(32), exact_up_to=20)
            if opened.verify().sound:
                assert held(opened) == expected
            else:
                noticed += 1
            opened.close()
        except IndexingError:
            noticed += 1
    assert noticed > 20
    path.write_bytes(content)
    assert_whole(reopened(index))


@pytest.mark.parametrize("step", [5, 20])
def test_a_full_disk_loses_nothing_committed(small_disk: Path, step: int) -> None:
    index = Index.create(small_disk / "index", encoder=HashingEncoder(32))
    committed = 0

    def add_more() -> None:
        with index.writer() as writer:
            for number in range(committed, committed + step):
                writer.add(make_document(number, words=400))

    with pytest.raises(IndexFull, match="the disk is full") as caught:  # noqa: PT012 - which commit fails is open
        while True:
            add_more()
            committed += step
    assert "safe" in str(caught.value)
    assert committed
    (small_disk / "ballast").unlink()
    index = reopened(index)
    assert index.verify().sound
    assert index.reader().document_count >= committed
    index_corpus(index, (make_document(number, words=400) for number in range(committed + step)))
    assert index.verify().sound
    assert index.reader().document_count == committed + step


def test_tantivys_thread_stopped_by_a_full_disk_is_named_so(small_disk: Path) -> None:
    """tantivy says only that a thread was killed, at whatever call comes next."""
    writer = LexicalWriter(small_disk / "lexical")
    with suppress(OSError), (small_disk / "more").open("wb", buffering=0) as file:
        while file.write(bytes(1 << 12)):
            pass

    def fill() -> None:
        for number in range(20_000):
            writer.add(number, number, ["title"], [], [f"word{number}", "and", "more"])
        writer.commit()

    with pytest.raises(OSError, match=r"tantivy says|No space") as caught:
        fill()
    assert caught.value.errno == errno.ENOSPC
