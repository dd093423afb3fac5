"""Whatever a file holds, reading it neither raises nor meets an error that no reader expected."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from reader_files import docx_bytes, epub_members, pdf_bytes, zipped

from indexer.document import Document, ReadFailure
from indexer.readers import SUPPORTED_SUFFIXES, read_corpus

SUFFIXES = [*sorted(SUPPORTED_SUFFIXES), ".md.gz", ".jsonl.gz", ".csv.gz", "", ".xyz"]
SEEDS = {
    ".txt": b"Chapter I\n\nOne.\n- a\n- b\n\f\nTwo \xe4\xb8\xad\n",
    ".md": b"---\ntitle: a\ndate: 2024-01-02\n---\n# H\n\n> - a\n>   1. b\n\n|a|b|\n|-|-|\n|1|2|\n\n```\nx\n```\n",
    ".html": b"<html lang=en><title>T</title><body><nav><a href=x>y</a></nav><main><h1>T</h1><table><tr><td>1<td>2"
    b"</table><ul><li>a<ul><li>b</ul></ul><pre>x\n</pre><p>text<br>more</main>",
    ".rst": b"T\n=\n\n:Date: 2020-01-01\n\n.. note:: x\n\n.. foo:: bar\n   :opt: 1\n\n   baz\n"
    b"\n- a\n\n  - b\n\n== ==\na  b\n== ==\n1  2\n== ==\n",
    ".jsonl": b'{"_id": "1", "text": "a", "metadata": {"y": [1, null]}}\n{"id": 2, "title": "t"}\n',
    ".csv": b'id,title,text\n1,"a, b","c\nd"\n2,x,y\n',
    ".docx": docx_bytes("One", "Two"),
    ".epub": zipped(epub_members({"a.xhtml": "<h1>A</h1><p>x</p>", "b.xhtml": "<p>y</p>"})),
    ".pdf": pdf_bytes("Some text of a page.", "More text."),
}
EXPECTED_TO_FAIL = "made its reader fail"


def check(data: bytes, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{suffix}"
        path.write_bytes(data)
        for item in read_corpus(path):
            if isinstance(item, ReadFailure):
                assert EXPECTED_TO_FAIL not in item.reason, item
                assert item.reason
                assert item.source.startswith(str(path))
            else:
                check_structure(item)


def check_structure(item: Document) -> None:
    at = 0
    for block in item.blocks:
        assert at <= block.start < block.end <= len(item.text)
        assert item.text[block.start : block.end].strip()
        at = block.end
    assert all(0 <= page <= len(item.text) for page in item.pages)
    assert list(item.pages) == sorted(item.pages)


@given(data=st.binary(max_size=2000), suffix=st.sampled_from(SUFFIXES))
@example(b"", ".txt")
@example(b"\xff\xfe", ".txt")
@example(b"\x00" * 100, ".txt")
@example(b"\x1f\x8b", ".md.gz")
@example(b"---\n*a: &a\n---\n", ".md")
@example(b"{" * 100_000, ".jsonl")
@example(b"[" * 100_000, ".jsonl")
@example(b'{"id": ' + b"9" * 5000 + b', "text": ""}', ".jsonl")
@example(b'id,text\n1,"' + b"x\n" * 1000, ".csv")
@settings(deadline=None, max_examples=150)
def test_arbitrary_bytes(data: bytes, suffix: str) -> None:
    check(data, suffix)


@given(
    text=st.text(max_size=400),
    suffix=st.sampled_from(SUFFIXES),
    codec=st.sampled_from(["utf-8", "utf-16", "gb18030"]),
)
@example("\r\r\n \n", ".md", "utf-8")
@example("* * *\n- - - x\n#\n===\n", ".md", "utf-8")
@settings(deadline=None, max_examples=200)
def test_arbitrary_text(text: str, suffix: str, codec: str) -> None:
    check(text.encode(codec, errors="surrogatepass" if codec == "utf-8" else "replace"), suffix)


@pytest.mark.parametrize("suffix", SEEDS)
@given(data=st.data())
@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
def test_damaged_files(suffix: str, data: st.DataObject) -> None:
    content = bytearray(SEEDS[suffix])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content)))
        length = data.draw(st.integers(0, 8))
        content[at : at + length] = data.draw(
            st.binary(max_size=8) | st.sampled_from([b"\n\n", b"    ", b"<b>", b"\x00"])
        )
    check(
        bytes(content[: data.draw(st.integers(0, len(content)))])
        if data.draw(st.booleans())
        else bytes(content),
        suffix,
    )
