"""Bad files: each becomes a failure that says what is wrong, and costs nothing else."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest
from reader_files import document, docx_bytes, epub_members, pdf_bytes, reason, zipped

from indexer.document import Document, ReadFailure
from indexer.errors import InvalidSettings
from indexer.readers import SUPPORTED_SUFFIXES, ReadOptions, read_corpus

BOMB = b"0" * (40 << 20)


def encrypted_pdf() -> bytes:
    from fpdf import FPDF

    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica")
    pdf.cell(text="secret")
    pdf.set_encryption(owner_password="a", user_password="b")
    return bytes(pdf.output())


def encrypted_zip(data: bytes) -> bytes:
    """Set the bit that says that a member is encrypted, in its local and its central header."""
    content = bytearray(data)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(signature)
        while at >= 0:
            content[at + offset] |= 1
            at = content.find(signature, at + 4)
    return bytes(content)


def entity_bomb() -> str:
    rows = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY l0 "lol">{rows}]><d>&l9;</d>'


EXTERNAL = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]><d>&x;</d>'
BOOK = epub_members({"a.xhtml": "<p>text</p>"})
WORD = docx_bytes("text")

ZOO: list[tuple[str, bytes, str]] = [
    *((f"empty{suffix}", b"", "empty") for suffix in sorted(SUPPORTED_SUFFIXES)),
    ("blank.txt", b" \n\t\r\n", "white space"),
    ("blank.md", b"\n\n", "white space"),
    ("blank.html", b"<html><body><script>x</script></body></html>", "without text"),
    ("comment.rst", b".. only a comment\n", "nothing to index"),
    ("binary.txt", bytes(range(256)) * 8, "binary"),
    ("binary.md", b"\x00\x01\x02\x03" * 100, "binary"),
    ("binary.html", b"\x00\x01\x02\x03" * 100, "binary"),
    ("binary.jsonl", b"\x00\x01\x02\x03" * 100, "binary"),
    ("binary.csv", b"\x00\x01\x02\x03" * 100, "binary"),
    ("png.pdf", b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "no PDF"),
    ("cut.pdf", pdf_bytes("Some text.")[:150], "damaged"),
    ("locked.pdf", encrypted_pdf(), "encrypted"),
    ("scan.pdf", pdf_bytes(" "), "OCR"),
    ("text.docx", b"not a zip at all", "no zip file"),
    ("cut.docx", WORD[: len(WORD) // 2], "no zip file"),
    ("old.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "encrypted"),
    ("locked.docx", encrypted_zip(WORD), "encrypted"),
    ("other.docx", zipped({"a.txt": "x"}), "word/document.xml"),
    ("none.docx", docx_bytes(), "without text"),
    ("bomb.docx", zipped({"word/document.xml": BOMB}), "bomb"),
    ("lol.docx", zipped({"word/document.xml": entity_bomb()}), "entities"),
    ("external.docx", zipped({"word/document.xml": EXTERNAL}), "entities"),
    ("broken.docx", zipped({"word/document.xml": "<a><b></a>"}), "well-formed"),
    ("locked.epub", encrypted_zip(zipped(BOOK)), "encrypted"),
    ("bomb.epub", zipped({**BOOK, "OEBPS/a.xhtml": BOMB}), "bomb"),
    ("lol.epub", zipped({**BOOK, "OEBPS/book.opf": entity_bomb()}), "entities"),
    ("nothing.epub", zipped({"mimetype": "application/epub+zip"}), "META-INF/container.xml"),
    ("missing.epub", zipped({k: v for k, v in BOOK.items() if "a.xhtml" not in k}), "OEBPS/a.xhtml"),
    (
        "drm.epub",
        zipped({**BOOK, "META-INF/encryption.xml": '<e><EncryptionMethod Algorithm="http://x/aes256"/></e>'}),
        "DRM",
    ),
    ("pictures.epub", zipped(epub_members({"a.xhtml": "<img src='x'/>"})), "without text"),
    ("deep.html", b"<div>" * 5000 + b"text", "deep"),
    ("wide.html", b"<p " + b" ".join(b"a%d=1" % n for n in range(20_000)) + b">text", "attributes"),
    ("bomb.txt.gz", gzip.compress(BOMB), "bomb"),
    ("cut.txt.gz", gzip.compress(b"text " * 1000)[:-12], "gzip"),
    ("no.txt.gz", b"plain", "gzip"),
    ("bomb.jsonl.gz", gzip.compress(BOMB), "bomb"),
    ("no.jsonl.gz", b"plain", "gzip"),
    ("odd.xyz", b"\x00\x01" * 100, "does not read"),
]


@pytest.mark.parametrize(("name", "data", "said"), ZOO, ids=[name for name, _, _ in ZOO])
def test_says_what_is_wrong(name: str, data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    assert said in reason(tmp_path / name)


def test_one_of_each_costs_nothing_else(tmp_path: Path) -> None:
    for name, data, _ in ZOO:
        (tmp_path / name).write_bytes(data)
    (tmp_path / "good.txt").write_text("Still here.")
    reader = read_corpus(tmp_path)
    items = list(reader)
    assert [item.doc_id for item in items if isinstance(item, Document)] == ["good.txt"]
    assert len([item for item in items if isinstance(item, ReadFailure)]) == len(ZOO) - 1
    assert reader.skipped == {".xyz": 1}


@pytest.mark.parametrize(
    ("name", "data", "options", "said"),
    [
        ("a.txt", b"x" * 101, ReadOptions(max_file_bytes=100), "max_file_bytes"),
        ("a.txt", b"x" * 101, ReadOptions(max_text_chars=100), "max_text_chars"),
        ("a.html", b"<p>" + b"x" * 101, ReadOptions(max_text_chars=100), "max_text_chars"),
        ("a.rst", b"x" * 101, ReadOptions(max_text_chars=100), "max_text_chars"),
        ("a.docx", docx_bytes("x" * 101), ReadOptions(max_text_chars=100), "max_text_chars"),
        ("a.docx", docx_bytes("x" * 101), ReadOptions(max_uncompressed_bytes=100), "max_uncompressed_bytes"),
        (
            "a.txt.gz",
            gzip.compress(b"x" * 101),
            ReadOptions(max_uncompressed_bytes=100),
            "max_uncompressed_bytes",
        ),
        ("a.pdf", pdf_bytes("one", "two", "three"), ReadOptions(max_pages=2), "max_pages"),
        ("a.pdf", pdf_bytes("word " * 30), ReadOptions(max_text_chars=100), "max_text_chars"),
    ],
)
def test_limits(name: str, data: bytes, options: ReadOptions, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    assert said in reason(tmp_path / name, options)
    assert document(tmp_path / name).text


def test_twenty_million_characters_are_allowed() -> None:
    assert ReadOptions().max_text_chars >= 20_000_000


def test_a_zip_that_lies_about_its_size(tmp_path: Path) -> None:
    data = bytearray(zipped({"word/document.xml": b"<a>" + b" " * 5000 + b"</a>"}))
    at = data.find(b"PK\x01\x02")
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    (tmp_path / "a.docx").write_bytes(data)
    assert "damaged part" in reason(tmp_path / "a.docx") or "well-formed" in reason(tmp_path / "a.docx")


def test_a_zip_whose_members_lie_before_its_beginning(tmp_path: Path) -> None:
    data = bytearray(WORD)
    at = data.rfind(b"PK\x05\x06") + 16
    data[at : at + 4] = (int.from_bytes(data[at : at + 4], "little") + 100_000).to_bytes(4, "little")
    (tmp_path / "a.docx").write_bytes(data)
    said = reason(tmp_path / "a.docx")
    assert "damaged" in said
    assert "report" not in said


def test_stored_members_are_checked(tmp_path: Path) -> None:
    buffer = io.BytesIO(zipped({"word/document.xml": "<a>text</a>"}, zipfile.ZIP_STORED))
    (tmp_path / "a.docx").write_bytes(buffer.getvalue().replace(b"<a>text", b"<a>tesx"))
    assert "damaged part word/document.xml" in reason(tmp_path / "a.docx")


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_pages": 0},
        {"max_text_chars": -1},
        {"ignore": "*.txt"},
        {"id_fields": ()},
        {"text_fields": "text"},
    ],
)
def test_options_are_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidSettings):
        ReadOptions(**wrong)  # type: ignore[arg-type]
