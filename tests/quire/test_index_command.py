"""`quire index` and what looks after an index: outcomes, messages, exit statuses."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from indexer.document import Document
from indexer.index import Index

Quire = Callable[..., Result]


def documents(index: Path) -> dict[str, str]:
    from indexer.transfer import export_documents

    with Index.open(index) as opened:
        return {document.doc_id: document.text for document in export_documents(opened)}


def test_a_folder_is_indexed_and_the_summary_counts_it(quire: Quire, folder: Path, tmp_path: Path) -> None:
    result = quire("index", folder, tmp_path / "index")
    assert result.exit_code == 0
    assert result.stdout.startswith("4 added in ")
    assert "The index holds 4 documents in " in result.stdout
    assert set(documents(tmp_path / "index")) == {"lighthouse.md", "harbour.md", "notes/tide.txt", "zh.md"}


def test_again_it_takes_in_only_what_changed(quire: Quire, folder: Path, index: Path) -> None:
    assert quire("index", folder, index, "-q").stdout.startswith("4 unchanged in ")
    (folder / "harbour.md").write_text("# Harbour\n\nEmpty now.\n")
    (folder / "new.txt").write_text("A new file about anchors.\n")
    (folder / "zh.md").unlink()
    report = json.loads(quire("index", folder, index, "-q", "--json").stdout)
    assert (report["added"], report["updated"], report["unchanged"], report["deleted"]) == (1, 1, 2, 0)
    assert report["documents"] == 5
    report = json.loads(quire("index", folder, index, "-q", "--json", "--delete-missing").stdout)
    assert (report["unchanged"], report["deleted"], report["documents"]) == (4, 1, 4)
    assert set(documents(index)) == {"lighthouse.md", "harbour.md", "notes/tide.txt", "new.txt"}


def test_a_bad_file_is_named_the_rest_is_indexed_and_the_status_says_so(
    quire: Quire, folder: Path, tmp_path: Path
) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing more")
    failures = tmp_path / "failures.jsonl"
    result = quire("index", folder, tmp_path / "index", "--failures", failures)
    assert result.exit_code == 1
    assert "broken.pdf" in result.stderr
    assert "1 document skipped" in result.stdout
    assert "The index holds 4 documents" in result.stdout
    [failure] = [json.loads(line) for line in failures.read_text().splitlines()]
    assert failure["source"].endswith("broken.pdf")
    assert failure["reason"]


def test_many_bad_files_do_not_drown_the_user(quire: Quire, folder: Path, tmp_path: Path) -> None:
    for number in range(25):
        (folder / f"broken{number:02}.pdf").write_bytes(b"%PDF-1.7\nnothing more")
    result = quire("index", folder, tmp_path / "index")
    assert result.exit_code == 1
    assert result.stderr.count("skipped ") == 20
    assert (
        "25 documents skipped, see above (5 more than shown; --failures FILE writes them all)"
        in result.stdout
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere", "index"], "there is no nowhere; the sources come first, the index last"),
        (["docs"], "Missing argument"),
        (["docs", "docs"], "docs is both a source and the index"),
        (["docs", "docs/harbour.md"], "docs/harbour.md is a file; the index, a folder, comes last"),
        (["docs", "index", "--tokens", "3"], "indexing.tokens (--tokens): tokens is a whole number from 16"),
        (
            ["docs", "index", "--precision", "fp8"],
            "precision must be one of auto, fp32, int8, bf16; found 'fp8'",
        ),
        (["docs", "index", "--language", "klingon"], "klingon"),
    ],
)
def test_a_command_line_that_cannot_be_meant_is_refused(
    quire: Quire, folder: Path, arguments: list[str], says: str
) -> None:
    result = quire("index", *arguments)
    assert result.exit_code == 2, result.output
    assert says in " ".join(result.stderr.split())
    assert "Traceback" not in result.output


def test_a_folder_of_something_else_is_not_made_an_index(quire: Quire, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "photos"
    other.mkdir()
    (other / "cat.jpg").write_bytes(b"x")
    result = quire("index", folder, other)
    assert result.exit_code == 3
    assert "photos" in result.stderr
    assert [path.name for path in other.iterdir()] == ["cat.jpg"]


def test_an_index_keeps_the_settings_it_was_made_with(quire: Quire, folder: Path, index: Path) -> None:
    result = quire("index", folder, index, "--tokens", "64")
    assert result.exit_code == 2
    assert "was made with tokens 256, and --tokens says 64" in " ".join(result.stderr.split())
    assert quire("index", folder, index, "-q", "--tokens", "256").exit_code == 0


def test_ignored_files_stay_out(quire: Quire, folder: Path, tmp_path: Path) -> None:
    assert quire("index", folder, tmp_path / "index", "-q", "--ignore", "*.md").exit_code == 0
    assert set(documents(tmp_path / "index")) == {"notes/tide.txt"}


def test_stats_say_what_there_is(quire: Quire, records: Path) -> None:
    lines = quire("stats", records).stdout.splitlines()
    told = {line[:11].strip(): line[11:] for line in lines if line[:11].strip()}
    assert told["documents"] == "3"
    assert told["passages"] == "3"
    assert "year (number)" in told["fields"]
    assert "lang (string)" in told["fields"]
    assert json.loads(quire("stats", records, "--json").stdout)["documents"] == 3


def test_delete_says_what_was_not_there(quire: Quire, records: Path) -> None:
    result = quire("delete", records, "r1", "nope")
    assert result.exit_code == 1
    assert result.stdout == "1 document deleted.\n"
    assert "there is no document 'nope'" in result.stderr
    result = quire("delete", records, "--from", "-", stdin="r2\n\nr3\n")
    assert result.exit_code == 0
    assert result.stdout == "2 documents deleted.\n"
    assert documents(records) == {}
    assert quire("delete", records).exit_code == 2


def test_verify_finds_damage_and_repairs_it(quire: Quire, index: Path) -> None:
    result = quire("verify", index)
    assert result.exit_code == 0
    assert "is sound: 4 documents" in result.stdout
    [vectors] = index.rglob("vectors*")
    data = bytearray(vectors.read_bytes())
    data[len(data) // 2] ^= 0x40
    vectors.write_bytes(bytes(data))
    result = quire("verify", index)
    assert result.exit_code == 1
    assert "vectors" in result.stdout
    assert "quire verify --repair" in result.stdout
    assert quire("verify", "--repair", index).exit_code == 0
    assert quire("verify", index).exit_code == 0


def test_compact_gives_room_back_and_loses_nothing(quire: Quire, folder: Path, index: Path) -> None:
    (folder / "harbour.md").write_text("# Harbour\n\nEmpty now.\n")
    assert quire("index", folder, index, "-q").exit_code == 0
    before = documents(index)
    result = quire("compact", index)
    assert result.exit_code == 0
    assert " MB before, " in result.stdout
    assert documents(index) == before
    assert quire("verify", index).exit_code == 0


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_what_was_exported_comes_back_the_same(
    quire: Quire, records: Path, tmp_path: Path, name: str
) -> None:
    file = tmp_path / name
    assert quire("export", records, file).stdout == f"3 documents written to {file}.\n"
    opened = gzip.open(file, "rt", encoding="utf-8") if name.endswith("gz") else file.open(encoding="utf-8")
    with opened as lines:
        exported = [json.loads(line) for line in lines]
    assert [record["doc_id"] for record in exported] == ["r1", "r2", "r3"]
    assert quire("export", records).stdout == "".join(
        json.dumps(record, ensure_ascii=False) + "\n" for record in exported
    )
    copy = tmp_path / "copy"
    assert quire("import", file, copy, "-q").exit_code == 0
    again = [json.loads(line) for line in quire("export", copy).stdout.splitlines()]
    assert again == exported


def test_a_damaged_export_is_read_as_far_as_it_goes(quire: Quire, tmp_path: Path) -> None:
    good = json.dumps({"doc_id": "a", "text": "All about anchors."})
    (tmp_path / "out.jsonl").write_text(f'{good}\n{{"doc_id": 3}}\nnot json\n')
    result = quire("import", tmp_path / "out.jsonl", tmp_path / "copy")
    assert result.exit_code == 1
    assert "out.jsonl:2" in result.stderr
    assert "out.jsonl:3" in result.stderr
    assert documents(tmp_path / "copy") == {"a": "All about anchors."}


@pytest.mark.parametrize("command", ["stats", "verify", "compact", "export"])
def test_what_is_no_index_is_an_error_of_one_line(quire: Quire, tmp_path: Path, command: str) -> None:
    result = quire(command, tmp_path / "nowhere")
    assert result.exit_code == 3
    assert result.stderr.startswith("quire: ")
    assert len(result.stderr.splitlines()) == 1
    assert "nowhere" in result.stderr


def test_a_second_writer_is_told_who_is_writing(quire: Quire, folder: Path, index: Path) -> None:
    with Index.open(index) as opened, opened.writer() as writer:
        writer.add(Document("x", "y"))
        result = quire("index", folder, index, "-q")
    assert result.exit_code == 3
    assert len(result.stderr.splitlines()) == 1


def test_token_vectors_are_kept_unless_told_otherwise(quire: Quire, folder: Path, tmp_path: Path) -> None:
    made, without = tmp_path / "with", tmp_path / "without"
    assert quire("index", folder, made, "-q").exit_code == 0
    assert quire("index", folder, without, "-q", "--no-token-vectors").exit_code == 0
    assert "tokens     vectors of those of " in quire("stats", made).stdout
    assert "tokens     no vectors of single tokens" in quire("stats", without).stdout
    stats = json.loads(quire("stats", without, "--json").stdout)
    assert (stats["token_vectors"], stats["token_megabytes"]) == (None, 0.0)
    stats = json.loads(quire("stats", made, "--json").stdout)
    assert stats["token_vectors"] == stats["vectors"] > 0


def test_token_vectors_cannot_be_changed_later(quire: Quire, folder: Path, tmp_path: Path) -> None:
    made, without = tmp_path / "with", tmp_path / "without"
    quire("index", folder, made, "-q")
    quire("index", folder, without, "-q", "--no-token-vectors")
    assert quire("index", folder, made, "-q", "--token-vectors").exit_code == 0
    assert quire("index", folder, without, "-q").exit_code == 0  # said nothing, so goes on as it was made
    refused = quire("index", folder, made, "-q", "--no-token-vectors")
    assert refused.exit_code == 2
    assert "made with token vectors, and --no-token-vectors says otherwise" in " ".join(
        refused.stderr.split()
    )
    refused = quire("index", folder, without, "-q", "--token-vectors")
    assert refused.exit_code == 2
    assert "made without token vectors, and --token-vectors says otherwise" in " ".join(
        refused.stderr.split()
    )


def test_an_import_makes_token_vectors_as_the_configuration_says(
    quire: Quire, folder: Path, tmp_path: Path
) -> None:
    made, target = tmp_path / "with", tmp_path / "imported"
    quire("index", folder, made, "-q")
    quire("export", made, tmp_path / "all.jsonl")
    assert quire("import", tmp_path / "all.jsonl", target, "-q").exit_code == 0
    with Index.open(target) as index, Index.open(made) as other:
        assert index.stats().token_vectors == other.stats().token_vectors
        assert index.verify().sound
