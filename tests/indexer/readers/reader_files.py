"""Files to read, made by other software than the readers: python-docx, fpdf2, zipfile."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from indexer.document import Document, ReadFailure
from indexer.readers import ReadOptions, read_corpus


def outcome(path: Path, options: ReadOptions | None = None) -> Document | ReadFailure:
    """The one thing that a file becomes."""
    (item,) = read_corpus(path, options)
    return item


def document(path: Path, options: ReadOptions | None = None) -> Document:
    item = outcome(path, options)
    assert isinstance(item, Document), item
    return item


def reason(path: Path, options: ReadOptions | None = None) -> str:
    item = outcome(path, options)
    assert isinstance(item, ReadFailure), item
    assert item.source == str(path)
    return item.reason


def outline(item: Document) -> list[tuple[str, int, str]]:
    return [(block.kind, block.level, item.text[block.start : block.end]) for block in item.blocks]


def zipped(members: Mapping[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


CONTAINER = (
    '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
    '<rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/>'
    "</rootfiles></container>"
)


NAV_ITEM = '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'


def epub_members(chapters: Mapping[str, str], spine: list[str] | None = None) -> dict[str, str | bytes]:
    """An EPUB 3 book; `chapters` maps file names to bodies, `spine` gives their order."""
    items = "".join(
        f'<item id="{n}" href="{n}" media-type="application/xhtml+xml"/>' for n in sorted(chapters)
    )
    refs = "".join(f'<itemref idref="{n}"/>' for n in spine or list(chapters))
    opf = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The Book</dc:title>'
        "<dc:creator>Ada</dc:creator><dc:creator>Bob</dc:creator><dc:language>en</dc:language>"
        "<dc:date>1999-05-01</dc:date></metadata>"
        f"<manifest>{NAV_ITEM}{items}</manifest>"
        f'<spine><itemref idref="nav"/>{refs}</spine></package>'
    )
    links = "".join(f'<li><a href="{n}">Label of {n}</a></li>' for n in chapters)
    pages: dict[str, str | bytes] = {
        f"OEBPS/{n}": f'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>{b}</body></html>'
        for n, b in chapters.items()
    }
    return {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OEBPS/book.opf": opf,
        "OEBPS/nav.xhtml": f"<html><body><nav><ol>{links}</ol></nav></body></html>",
        **pages,
    }


def docx_bytes(*paragraphs: str) -> bytes:
    from docx import Document as Word

    word = Word()
    for paragraph in paragraphs:
        word.add_paragraph(paragraph)
    buffer = io.BytesIO()
    word.save(buffer)
    return buffer.getvalue()


def pdf_bytes(*pages: str) -> bytes:
    from fpdf import FPDF

    pdf = FPDF()
    pdf.set_font("Helvetica", size=11)
    for page in pages:
        pdf.add_page()
        pdf.multi_cell(0, 6, page)
    return bytes(pdf.output())
