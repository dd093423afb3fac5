"""Which files of a folder are read, in which order, under which names."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reader_files import docx_bytes, pdf_bytes, reason

from indexer.document import Document, ReadFailure
from indexer.readers import ReadOptions, read_corpus


def tree(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"The file {name}.")


def names(path: Path | list[Path], options: ReadOptions | None = None) -> list[str]:
    items = list(read_corpus(path, options))
    assert all(isinstance(item, Document) for item in items), items
    return [item.doc_id for item in items if isinstance(item, Document)]


def test_sorted_names_relative_to_the_root(tmp_path: Path) -> None:
    tree(tmp_path, "b.txt", "a/z.md", "a/b/c.txt", "C.txt", "a.txt", "中文/文.txt")
    assert names(tmp_path) == ["C.txt", "a/b/c.txt", "a/z.md", "a.txt", "b.txt", "中文/文.txt"]


def test_a_file_by_itself_has_its_own_name(tmp_path: Path) -> None:
    tree(tmp_path, "a/one.txt")
    assert names(tmp_path / "a" / "one.txt") == ["one.txt"]


def test_hidden_only_on_request(tmp_path: Path) -> None:
    tree(tmp_path, ".secret.txt", ".git/x.txt", "seen.txt")
    assert names(tmp_path) == ["seen.txt"]
    assert names(tmp_path, ReadOptions(hidden=True)) == [".git/x.txt", ".secret.txt", "seen.txt"]


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git as the oracle of ignore rules")
@given(
    rules=st.lists(
        st.sampled_from(
            [
                "*.md",
                "!b.md",
                "a/",
                "/b.md",
                "a/*.txt",
                "**/c",
                "!a/b/",
                "# note",
                "",
                "c/**",
                "b*",
                "!*.txt",
                "[ab].txt",
            ]
        ),
        max_size=4,
    ),
    inner=st.lists(st.sampled_from(["*.md", "!*.md", "/b.txt", "c", "!b.txt"]), max_size=2),
)
@settings(deadline=None, max_examples=25)
def test_ignore_rules_are_gits(
    rules: list[str], inner: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("rules")
    tree(root, "a.txt", "b.md", "a/b.txt", "a/b.md", "a/b/c.txt", "c/c.md", "b/c/a.txt", "b/b.txt")
    for folder, lines in ((root, rules), (root / "a", inner)):
        (folder / ".quireignore").write_text("\n".join(lines) + "\n")
        (folder / ".gitignore").write_text("\n".join(lines) + "\n")
    git = ["git", "-C", str(root), "-c", "core.excludesFile=/dev/null"]
    subprocess.run([*git, "init", "-q"], check=True)
    listed = subprocess.run(
        [*git, "ls-files", "--others", "--exclude-standard", "-z"], check=True, capture_output=True, text=True
    )
    visible = {name for name in listed.stdout.split("\0") if name and not name.endswith("ignore")}
    assert set(names(root)) == visible


def test_ignore_option(tmp_path: Path) -> None:
    tree(tmp_path, "a.txt", "drafts/b.txt", "c.md")
    assert names(tmp_path, ReadOptions(ignore=("drafts/", "*.md"))) == ["a.txt"]


def test_link_loops_end_and_each_folder_is_read_once(tmp_path: Path) -> None:
    tree(tmp_path, "a/one.txt", "b/two.txt")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "b" / "self").symlink_to(".")
    (tmp_path / "c").symlink_to(tmp_path / "a")
    reader = read_corpus(tmp_path)
    assert [item.doc_id for item in reader if isinstance(item, Document)] == ["a/one.txt", "b/two.txt"]
    assert reader.skipped == {"linked folder": 3}
    assert names(tmp_path, ReadOptions(follow_links=True)) == ["a/one.txt", "b/two.txt"]


def test_linked_files_are_read_and_dangling_links_reported(tmp_path: Path) -> None:
    tree(tmp_path / "out", "target.txt")
    root = tmp_path / "root"
    root.mkdir()
    (root / "good.txt").symlink_to(tmp_path / "out" / "target.txt")
    (root / "bad.txt").symlink_to(tmp_path / "nowhere")
    first, second = read_corpus(root)
    assert isinstance(first, ReadFailure)
    assert first.source == str(root / "bad.txt")
    assert "No such file" in first.reason
    assert isinstance(second, Document)
    assert second.doc_id == "good.txt"


def test_other_kinds_are_counted_not_reported(tmp_path: Path) -> None:
    tree(tmp_path, "a.txt")
    for name in ("x.png", "y.png", "z.py", "empty"):
        (tmp_path / name).write_bytes(b"" if name == "empty" else b"\x89PNG\x00\x01")
    os.mkfifo(tmp_path / "pipe.txt")
    reader = read_corpus(tmp_path)
    assert [type(item) for item in reader] == [Document]
    assert reader.skipped == {".png": 2, ".py": 1, "(no suffix)": 1, "no ordinary file": 1}


def test_documents_of_formats_that_are_not_read_are_reported(tmp_path: Path) -> None:
    (tmp_path / "letter.doc").write_bytes(b"\xd0\xcf\x11\xe0")
    assert "convert it to DOCX" in reason(tmp_path / "letter.doc")


def test_files_without_a_suffix_by_their_content(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("Read this.")
    (tmp_path / "paper").write_bytes(pdf_bytes("A page."))
    (tmp_path / "letter").write_bytes(docx_bytes("Dear reader"))
    (tmp_path / "page").write_text("<!DOCTYPE html><p>Hello")
    (tmp_path / "run").write_text("#!/bin/sh\necho")
    (tmp_path / "core").write_bytes(bytes(range(256)) * 20)
    reader = read_corpus(tmp_path)
    texts = {item.doc_id: item.text for item in reader if isinstance(item, Document)}
    assert texts == {"README": "Read this.", "paper": "A page.", "letter": "Dear reader", "page": "Hello"}
    assert reader.skipped == {"(no suffix)": 2}


def test_beir_folders(tmp_path: Path) -> None:
    records = [{"_id": "7", "title": "T", "text": "x", "metadata": {"year": 1999}}]
    for name, pack in (("one", False), ("two", True)):
        folder = tmp_path / name
        (folder / "qrels").mkdir(parents=True)
        data = "".join(json.dumps(record) + "\n" for record in records).encode()
        (folder / ("corpus.jsonl.gz" if pack else "corpus.jsonl")).write_bytes(
            gzip.compress(data) if pack else data
        )
        (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "query"}\n')
        (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\t7\t1\n")
    for root, count in ((tmp_path / "one", 1), (tmp_path / "two", 1), (tmp_path, 2)):
        items = list(read_corpus(root))
        assert [item.doc_id for item in items if isinstance(item, Document)] == ["7"] * count
        assert len(items) == count
    (item,) = read_corpus(tmp_path / "two")
    assert isinstance(item, Document)
    assert (item.title, item.text, dict(item.metadata)) == ("T", "x", {"year": 1999})


def test_missing_paths_and_unreadable_folders_are_failures(tmp_path: Path) -> None:
    assert "No such file" in reason(tmp_path / "nothing.txt")
    assert "No such file" in reason(tmp_path / "nothing")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_forbidden_files_are_failures(tmp_path: Path) -> None:
    tree(tmp_path, "a.txt", "d/b.txt")
    (tmp_path / "a.txt").chmod(0)
    (tmp_path / "d").chmod(0)
    try:
        assert [isinstance(item, ReadFailure) for item in read_corpus(tmp_path)] == [True, True]
    finally:
        (tmp_path / "d").chmod(0o700)


def test_files_that_vanish_while_walking(tmp_path: Path) -> None:
    tree(tmp_path, "a.txt", "b.txt", "c.txt")
    reader = read_corpus(tmp_path)
    first = next(reader)
    (tmp_path / "b.txt").unlink()
    rest = list(reader)
    assert [type(item) for item in [first, *rest]] == [Document, ReadFailure, Document]


def test_several_roots_and_names_that_clash(tmp_path: Path) -> None:
    tree(tmp_path, "x/a.txt", "y/a.txt", "y/b.txt")
    items = list(read_corpus([tmp_path / "x", tmp_path / "y"]))
    assert [item.doc_id for item in items if isinstance(item, Document)] == ["a.txt", "b.txt"]
    (clash,) = (item for item in items if isinstance(item, ReadFailure))
    assert clash.source == str(tmp_path / "y" / "a.txt")
    assert "another of the given folders" in clash.reason


def test_packed_documents(tmp_path: Path) -> None:
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress("Grüße".encode()))
    (item,) = read_corpus(tmp_path)
    assert isinstance(item, Document)
    assert (item.doc_id, item.text, item.title) == ("a.txt.gz", "Grüße", "a")


def test_names_that_are_no_unicode(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.txt"
    with open(path, "wb") as file:
        file.write(b"text")
    assert names(tmp_path) == ["caf\ufffd.txt"]
