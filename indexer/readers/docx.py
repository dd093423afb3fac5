"""DOCX: the text of a Word document from its XML parts; headings and lists by their styles.

Deleted and moved-away revisions are left out, insertions kept. Footnotes and endnotes follow the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from indexer.document import MetadataValue
from indexer.readers.archive import Archive
from indexer.readers.content import Content, TextBuilder, Unreadable
from indexer.readers.dates import to_date
from indexer.readers.docx_styles import Styles
from indexer.readers.options import ReadOptions
from indexer.readers.safe_xml import local, parse_xml, text_of

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SKIPPED = frozenset("del moveFrom instrText Fallback pPr rPr sectPr tblPr trPr tcPr fldData delText".split())
_SPOKEN = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": "\t"}
_NOTES = ("word/footnotes.xml", "word/endnotes.xml")
_DOCUMENT = "word/document.xml"


def read_docx(data: bytes, options: ReadOptions) -> Content:
    """Return the content of a DOCX file.

    Raises:
        Unreadable: it is damaged, encrypted, of the old binary format, without text, or past a limit.
    """
    if data.startswith(_OLE):
        raise Unreadable("is encrypted, or of Word's old binary format: save it as DOCX without a password")
    with Archive(data, options) as archive:
        names = archive.names()
        styles = Styles(
            parse_xml(archive.read("word/styles.xml"), "word/styles.xml")
            if "word/styles.xml" in names
            else None
        )
        writer = _Writer(styles, TextBuilder(options.max_text_chars))
        writer.write(parse_xml(archive.read(_DOCUMENT), _DOCUMENT))
        for name in _NOTES:
            if name in names:
                writer.write(parse_xml(archive.read(name), name))
        core = (
            parse_xml(archive.read("docProps/core.xml"), "docProps/core.xml")
            if "docProps/core.xml" in names
            else None
        )
    builder = writer.builder
    if not builder.length:
        raise Unreadable("is a document without text: there is nothing to index")
    title = (text_of(core, "title") if core is not None else "") or writer.title
    return Content(builder.text(), title, tuple(builder.blocks), (), _metadata(core))


def _metadata(core: Element | None) -> dict[str, MetadataValue]:
    metadata: dict[str, MetadataValue] = {}
    if core is None:
        return metadata
    if author := text_of(core, "creator"):
        metadata["author"] = author
    if language := text_of(core, "language"):
        metadata["language"] = language
    if day := to_date(text_of(core, "modified")) or to_date(text_of(core, "created")):
        metadata["date"] = day
    return metadata


class _Writer:
    def __init__(self, styles: Styles, builder: TextBuilder) -> None:
        self.builder = builder
        self.title = ""
        self._styles = styles

    def write(self, root: Element) -> None:
        """Write the paragraphs and tables under `root`, in order."""
        stack = [root]
        while stack:
            element = stack.pop()
            tag = local(element.tag)
            if tag == "p":
                self._paragraph(element)
            elif tag == "tbl":
                self._table(element)
            elif tag not in _SKIPPED:
                stack.extend(reversed(element))

    def _paragraph(self, element: Element) -> None:
        text = _text(element)
        look = self._styles.look(element)
        if look.is_title and text.strip() and not self.title:
            self.title = " ".join(text.split())
        if look.heading:
            if look.heading == 1 and not self.title:
                self.title = " ".join(text.split())
            self.builder.add("heading", " ".join(text.split()), look.heading)
        elif look.list_level:
            self.builder.add("list", text, look.list_level)
        else:
            self.builder.add("paragraph", text)
        for box in _boxes(element):
            self.write(box)

    def _table(self, table: Element) -> None:
        rows = []
        for row in _below(table, "tr"):
            cells = [
                " ".join(" ".join(_text(part) for part in _below(cell, "p")).split())
                for cell in _below(row, "tc")
            ]
            if any(cells):
                rows.append(" | ".join(cells))
        self.builder.add("table", "\n".join(rows))


def _below(root: Element, name: str) -> Iterator[Element]:
    """Yield the elements of this name under `root` that are not inside another such element."""
    stack = list(reversed(root))
    while stack:
        element = stack.pop()
        tag = local(element.tag)
        if tag == name:
            yield element
        elif tag not in _SKIPPED:
            stack.extend(reversed(element))


def _boxes(paragraph: Element) -> Iterator[Element]:
    return _below(paragraph, "txbxContent")


def _text(paragraph: Element) -> str:
    parts: list[str] = []
    stack = list(reversed(paragraph))
    while stack:
        element = stack.pop()
        tag = local(element.tag)
        if tag == "t":
            parts.append(element.text or "")
        elif tag in _SPOKEN:
            parts.append(_SPOKEN[tag])
        elif tag not in _SKIPPED and tag != "txbxContent":
            stack.extend(reversed(element))
    return "".join(parts).replace("\u00ad", "")
