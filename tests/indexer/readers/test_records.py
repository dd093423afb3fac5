"""JSONL, CSV and TSV: records stream, fields map, a bad line costs only itself."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tracemalloc
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reader_files import document, reason

from indexer.document import Document, ReadFailure
from indexer.readers import ReadOptions, read_corpus


def lines(path: Path, *records: object) -> Path:
    path.write_bytes(
        b"".join((r if isinstance(r, bytes) else json.dumps(r).encode()) + b"\n" for r in records)
    )
    return path


def test_fields_become_what_they_are(tmp_path: Path) -> None:
    record = {
        "id": 7,
        "title": "T",
        "text": ["one", "two"],
        "year": 1999,
        "when": "2024-05-06",
        "tags": ["a", "b", None],
        "none": None,
        "author": {"name": "Ada", "born": 1815},
        "metadata": {"lang": "en"},
    }
    item = document(lines(tmp_path / "a.jsonl", record))
    assert (item.doc_id, item.title, item.text) == ("7", "T", "one\n\ntwo")
    assert item.source == f"{tmp_path / 'a.jsonl'}:1"
    assert dict(item.metadata) == {
        "year": 1999,
        "when": "2024-05-06",
        "tags": ("a", "b"),
        "author.name": "Ada",
        "author.born": 1815,
        "lang": "en",
    }


def test_fields_are_named_by_options(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "a.jsonl",
        {"key": "k", "head": "H", "story": "S", "day": "2024-05-06", "at": "2024-05-06T07:08:09Z"},
    )
    options = ReadOptions(
        id_fields=("key",), title_fields=("head",), text_fields=("story",), date_fields=("day", "at")
    )
    item = document(path, options)
    assert (item.doc_id, item.title, item.text) == ("k", "H", "S")
    assert dict(item.metadata) == {
        "day": date(2024, 5, 6),
        "at": datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC),
    }


BAD: list[tuple[object, str]] = [
    (b"{not json", "not valid JSON"),
    (b'{"id": 1, "text": NaN}', "not valid JSON"),
    (b"[1, 2]", "expected an object"),
    (b'"text"', "expected an object"),
    (b"\xff\xfe{}", "not UTF-8"),
    (b"[" * 200_000, "nested too deep"),
    ({"text": "no id"}, "id_fields"),
    ({"id": None, "text": "x"}, "id_fields"),
    ({"id": 1.5, "text": "x"}, "float"),
    ({"id": True, "text": "x"}, "bool"),
    ({"id": "1", "body_text": "x"}, "text_fields"),
    ({"id": "1", "text": {"a": 1}}, "expected a string"),
    ({"id": "x" * 2000, "text": "x"}, "1024"),
    ({"id": "1", "text": "x", "day": "yesterday"}, "ISO 8601"),
]


def test_a_bad_line_costs_only_itself(tmp_path: Path) -> None:
    records: list[object] = []
    for number, (bad, _) in enumerate(BAD):
        records += [f'{{"id": "good{number}", "text": "检索系统"}}'.encode(), bad]
    path = lines(
        tmp_path / "a.jsonl",
        *records,
        b"",
        '{"id": "last", "text": "检索系统先建立索引，再按相关程度排列结果"}'.encode(),
    )
    items = list(read_corpus(path, ReadOptions(date_fields=("day",))))
    good = [item.doc_id for item in items if isinstance(item, Document)]
    assert good == [*(f"good{n}" for n in range(len(BAD))), "last"]
    failures = [item for item in items if isinstance(item, ReadFailure)]
    assert [f.source for f in failures] == [f"{path}:{2 * n + 2}" for n in range(len(BAD))]
    for failure, (_, said) in zip(failures, BAD, strict=True):
        assert said in failure.reason


def test_lone_surrogates_and_nuls_are_replaced(tmp_path: Path) -> None:
    item = document(
        lines(tmp_path / "a.jsonl", rb'{"id": "\ud800", "text": "a\ud800b\u0000c", "\udfff": "\udc00"}')
    )
    assert (item.doc_id, item.text, dict(item.metadata)) == (
        "\ufffd",
        "a\ufffdb\ufffdc",
        {"\ufffd": "\ufffd"},
    )
    item.text.encode()


def test_empty_text_is_a_document_without_words(tmp_path: Path) -> None:
    item = document(lines(tmp_path / "a.jsonl", {"_id": "471", "title": "", "text": ""}))
    assert (item.doc_id, item.text, item.title, item.blocks) == ("471", "", "", ())


def test_a_line_past_the_limit_is_skipped(tmp_path: Path) -> None:
    long = {"id": "long", "text": "x" * 3_000_000}
    path = lines(tmp_path / "a.jsonl", {"id": "1", "text": "a"}, long, {"id": "2", "text": "b"})
    first, failure, last = read_corpus(path, ReadOptions(max_record_bytes=1_000))
    assert isinstance(failure, ReadFailure)
    assert failure.source.endswith(":2")
    assert isinstance(first, Document)
    assert isinstance(last, Document)
    assert (first.doc_id, last.doc_id) == ("1", "2")


def test_other_encodings(tmp_path: Path) -> None:
    for codec in ("utf-8-sig", "utf-16", "gb18030"):
        path = tmp_path / f"{codec}.jsonl"
        path.write_bytes(
            "".join(f'{{"id": "{n}", "text": "检索系统先建立索引"}}\r\n' for n in range(40)).encode(codec)
        )
        items = list(read_corpus(path))
        assert [item.text for item in items if isinstance(item, Document)] == ["检索系统先建立索引"] * 40


def test_a_truncated_gzip_keeps_what_came_before(tmp_path: Path) -> None:
    data = gzip.compress(b"".join(b'{"id": "%d", "text": "%d"}\n' % (n, n * 7919) for n in range(20_000)))
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(data[: len(data) // 2])
    *items, failure = read_corpus(path)
    assert isinstance(failure, ReadFailure)
    assert "gzip" in failure.reason
    assert len(items) > 5_000
    assert all(isinstance(item, Document) for item in items[:-1])


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.csv"])
def test_memory_does_not_grow_with_the_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    body = "word " * 400
    rows = (
        (f"{n},{body}\n" for n in range(10_000))
        if name == "a.csv"
        else (json.dumps({"id": n, "text": body}) + "\n" for n in range(10_000))
    )
    text = ("id,text\n" if name == "a.csv" else "") + "".join(rows)
    path.write_bytes(gzip.compress(text.encode(), 1) if name.endswith("gz") else text.encode())
    del text
    options = ReadOptions(max_ratio=10_000)
    tracemalloc.start()
    count = sum(isinstance(item, Document) for item in read_corpus(path, options))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 10_000
    assert peak < 8 << 20


def table(path: Path, rows: list[list[Any]], **options: Any) -> Path:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, **options).writerows(rows)
    path.write_text(buffer.getvalue(), newline="")
    return path


CELL = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], include_characters="\n\r\t"), max_size=12
)


@given(rows=st.lists(st.tuples(CELL, CELL, CELL), max_size=6), delimiter=st.sampled_from(",;\t|"))
@settings(max_examples=100)
def test_tables_come_back_as_written(
    rows: list[tuple[str, str, str]], delimiter: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    named = [[f"n{number}", *row] for number, row in enumerate(rows)]
    path = table(
        tmp_path_factory.mktemp("t") / "a.csv",
        [["id", "title", "text", "extra"], *named],
        delimiter=delimiter,
    )
    items = list(read_corpus(path))
    assert all(isinstance(item, Document) for item in items), items
    found = [
        (i.doc_id, i.title, i.text, i.metadata.get("extra", "")) for i in items if isinstance(i, Document)
    ]
    assert found == [tuple(row) for row in named]


def test_tables_name_the_line_and_go_on(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(
        b'id,text,year\n1,"two\nlines",1999\n2,short\n3,"x"y,2000\n\n4,caf\xe9,1\n9,\xe6\xa3\x80\xe7\xb4\xa2\xe6\xa3\x80\xe7\xb4\xa2\xe6\xa3\x80\xe7\xb4\xa2\xe6\xa3\x80\xe7\xb4\xa2\xe6\xa3\x80\xe7\xb4\xa2\xe6\xa3\x80\xe7\xb4\xa2\xe6\xa3\x80\xe7\xb4\xa2\xe6\xa3\x80\xe7\xb4\xa2,9\n,none,1\n5,good,n/a\n6,good,7\n'
    )
    items = list(read_corpus(path, ReadOptions(number_fields=("year",))))
    assert [(i.doc_id, dict(i.metadata)) for i in items if isinstance(i, Document)] == [
        ("1", {"year": 1999}),
        ("9", {"year": 9}),
        ("6", {"year": 7}),
    ]
    failures = {i.source.rpartition(":")[2]: i.reason for i in items if isinstance(i, ReadFailure)}
    assert list(failures) == ["4", "5", "7", "9", "10"]
    assert "2 fields" in failures["4"]
    assert "no row" in failures["5"]
    assert "UTF-8" in failures["7"]
    assert "id_fields" in failures["9"]
    assert "expected a number" in failures["10"]


def test_a_table_without_an_id_column_is_one_failure(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", [["name", "text"], ["1", "a"], ["2", "b"]])
    assert "no column for the id" in reason(path)
    assert (
        document(
            table(tmp_path / "b.csv", [["name", "text"], ["1", "a"]]), ReadOptions(id_fields=("name",))
        ).doc_id
        == "1"
    )


def test_tsv_and_long_fields(tmp_path: Path) -> None:
    item = document(table(tmp_path / "a.tsv", [["id", "text"], ["1", "x, y; " * 60_000]], delimiter="\t"))
    assert len(item.text) == 360_000
