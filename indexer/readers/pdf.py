"""PDF: text by pdfium, page by page, with page numbers kept; `pdf_layout` makes paragraphs of its lines.

pdfium is not safe for threads, so that one lock holds for all reading of PDFs in the process.
"""

from __future__ import annotations

import ctypes
import threading
from typing import TYPE_CHECKING

from indexer.document import MetadataValue
from indexer.readers.content import Content, TextBuilder, Unreadable
from indexer.readers.dates import to_date
from indexer.readers.options import ReadOptions
from indexer.readers.pdf_layout import Line, write_pages

if TYPE_CHECKING:
    import pypdfium2

_LOCK = threading.Lock()
_HEAD = 1024


def read_pdf(data: bytes, options: ReadOptions) -> Content:
    """Return the content of a PDF.

    Raises:
        Unreadable: it is damaged, wants a password, has no text (scanned pages), or is past a limit.
    """
    if b"%PDF-" not in data[:_HEAD]:
        raise Unreadable("is no PDF, though its name says so (no %PDF- at its head)")
    with _LOCK:
        pages, information = _extract(data, options)
    if not any(pages):
        raise Unreadable(
            f"has {len(pages)} pages without text, scanned perhaps: run text recognition (OCR) on it"
        )
    builder = TextBuilder(options.max_text_chars)
    write_pages(pages, builder)
    text = builder.text()
    title = " ".join(information.get("Title", "").split())
    if not title or title.lower().endswith((".doc", ".docx", ".tex", ".dvi", ".indd", ".qxd")):
        first = next((block for block in builder.blocks if block.kind == "heading"), None)
        title = " ".join(text[first.start : first.end].split()) if first else ""
    return Content(text, title, tuple(builder.blocks), builder.pages(), _metadata(information, len(pages)))


def _metadata(information: dict[str, str], pages: int) -> dict[str, MetadataValue]:
    metadata: dict[str, MetadataValue] = {"pages": pages}
    if author := information.get("Author", "").strip():
        metadata["author"] = author
    if day := to_date(information.get("CreationDate", "")):
        metadata["date"] = day
    return metadata


def _extract(data: bytes, options: ReadOptions) -> tuple[list[list[Line]], dict[str, str]]:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise Unreadable("is encrypted: save it without a password") from error
        raise Unreadable(f"is damaged, or no PDF ({error})") from error
    try:
        if len(document) > options.max_pages:
            raise Unreadable(f"has {len(document):,} pages, more than {options.max_pages:,}: raise max_pages")
        characters, pages = 0, []
        for number in range(len(document)):
            lines = _page(document, number)
            characters += sum(len(line.text) for line in lines)
            if characters > options.max_text_chars:
                raise Unreadable(
                    f"has more than {options.max_text_chars:,} characters of text: raise max_text_chars"
                )
            pages.append(lines)
        return pages, document.get_metadata_dict()
    except pypdfium2.PdfiumError as error:
        raise Unreadable(f"is damaged inside ({error})") from error
    finally:
        document.close()


def _page(document: pypdfium2.PdfDocument, number: int) -> list[Line]:
    import pypdfium2

    try:
        page = document[number]
    except pypdfium2.PdfiumError:
        return []
    try:
        textpage = page.get_textpage()
        try:
            return _lines(textpage)
        finally:
            textpage.close()
    finally:
        page.close()


def _lines(textpage: pypdfium2.PdfTextPage) -> list[Line]:
    """Return the lines of a page, in the order of its content.

    pdfium counts UTF-16 units, hence the detour: a unit's place in the text is its character index.
    """
    import pypdfium2.raw as pdfium

    count = textpage.count_chars()
    if count <= 0:
        return []
    buffer = (ctypes.c_ushort * (count + 1))()
    written = pdfium.FPDFText_GetText(textpage.raw, 0, count, buffer) - 1
    units = bytes(buffer)[: 2 * max(written, 0)]
    lines, at = [], 0
    for raw_line in units.decode("utf-16-le", errors="replace").split("\n"):
        length = len(raw_line.encode("utf-16-le", errors="replace")) // 2
        text = raw_line.rstrip("\r")
        lead = len(text) - len(text.lstrip())
        if text.strip():
            first, last = at + lead, at + len(text.rstrip().encode("utf-16-le", errors="replace")) // 2 - 1
            begin, end = _box(textpage, first), _box(textpage, last)
            lines.append(Line(text.strip(), begin[0], end[2], begin[1], begin[3] - begin[1]))
        at += length + 1
    return lines


def _box(textpage: pypdfium2.PdfTextPage, index: int) -> tuple[float, float, float, float]:
    """Return a character's left, bottom, right and top in points; zeros where pdfium knows no place for it."""
    import pypdfium2

    try:
        left, bottom, right, top = textpage.get_charbox(index, loose=True)
    except pypdfium2.PdfiumError:
        return 0.0, 0.0, 0.0, 0.0
    return left, bottom, right, top
