"""DOCX and EPUB: structure, order, what is left out."""

from __future__ import annotations

import io
from datetime import date, datetime
from pathlib import Path

from reader_files import NAV_ITEM, document, epub_members, outline, zipped

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'


def test_docx_structure(tmp_path: Path) -> None:
    from docx import Document as Word

    word = Word()
    word.core_properties.title = "The Report"
    word.core_properties.author = "Ada"
    word.core_properties.modified = datetime(2024, 2, 3, 4, 5)
    word.add_heading("Report", 0)
    word.add_heading("Part One", 1)
    word.add_paragraph("Plain text with\ttab and\nbreak.")
    word.add_paragraph("first", style="List Bullet")
    word.add_paragraph("second", style="List Number 2")
    table = word.add_table(2, 2)
    for row in range(2):
        for column in range(2):
            table.cell(row, column).text = f"r{row} c{column}"
    word.add_heading("Deeper", 3)
    word.add_paragraph("")
    word.add_paragraph("中文段落。")
    path = tmp_path / "a.docx"
    word.save(str(path))
    item = document(path)
    assert item.title == "The Report"
    assert dict(item.metadata) == {"author": "Ada", "date": date(2024, 2, 3)}
    assert outline(item) == [
        ("heading", 1, "Report"),
        ("heading", 1, "Part One"),
        ("paragraph", 0, "Plain text with\ttab and\nbreak."),
        ("list", 1, "first"),
        ("list", 2, "second"),
        ("table", 0, "r0 c0 | r0 c1\nr1 c0 | r1 c1"),
        ("heading", 3, "Deeper"),
        ("paragraph", 0, "中文段落。"),
    ]


def test_docx_title_from_the_first_heading_then_the_file(tmp_path: Path) -> None:
    from docx import Document as Word

    for name, heading, expected in (("x.docx", "Found", "Found"), ("y.docx", "", "y")):
        word = Word()
        if heading:
            word.add_heading(heading, 1)
        word.add_paragraph("text")
        buffer = io.BytesIO()
        word.save(buffer)
        (tmp_path / name).write_bytes(buffer.getvalue())
        assert document(tmp_path / name).title == expected


def test_docx_revisions_boxes_and_notes(tmp_path: Path) -> None:
    body = (
        "<w:p><w:r><w:t>kept </w:t></w:r><w:ins><w:r><w:t>added</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom></w:p>"
        '<w:p><w:pPr><w:outlineLvl w:val="1"/></w:pPr><w:r><w:t>Outlined</w:t></w:r></w:p>'
        '<w:p><w:pPr><w:numPr><w:ilvl w:val="2"/><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>item</w:t></w:r></w:p>'
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>controlled</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        "<w:p><w:r><mc:AlternateContent><mc:Choice><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent>"
        "</mc:Choice><mc:Fallback><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent></mc:Fallback>"
        "</mc:AlternateContent></w:r></w:p>"
    )
    path = tmp_path / "a.docx"
    path.write_bytes(
        zipped(
            {
                "word/document.xml": f"<w:document {W} {MC}><w:body>{body}</w:body></w:document>",
                "word/footnotes.xml": f"<w:footnotes {W}><w:footnote><w:p><w:r><w:t>a note</w:t></w:r></w:p>"
                "</w:footnote></w:footnotes>",
            }
        )
    )
    assert outline(document(path)) == [
        ("paragraph", 0, "kept added"),
        ("heading", 2, "Outlined"),
        ("list", 3, "item"),
        ("paragraph", 0, "controlled"),
        ("paragraph", 0, "boxed"),
        ("paragraph", 0, "a note"),
    ]


def test_docx_nested_deep(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    deep = "<w:sdt>" * 20_000 + "<w:p><w:r><w:t>deep</w:t></w:r></w:p>" + "</w:sdt>" * 20_000
    path.write_bytes(zipped({"word/document.xml": f"<w:document {W}>{deep}</w:document>"}))
    assert document(path).text == "deep"


def test_epub_follows_the_spine(tmp_path: Path) -> None:
    chapters = {
        "z.xhtml": "<h1>First</h1><p>One.</p><ul><li>a</li></ul>",
        "sub/a b.xhtml": "<p>No heading here.</p>",
        "m.xhtml": "<h2>Last</h2><pre>code</pre>",
    }
    members = epub_members(chapters, ["z.xhtml", "sub/a b.xhtml", "m.xhtml"])
    path = tmp_path / "book.epub"
    path.write_bytes(zipped({name.replace("%20", " "): text for name, text in members.items()}))
    item = document(path)
    assert item.title == "The Book"
    assert dict(item.metadata) == {"author": ("Ada", "Bob"), "language": "en", "date": date(1999, 5, 1)}
    assert outline(item) == [
        ("heading", 1, "First"),
        ("paragraph", 0, "One."),
        ("list", 1, "a"),
        ("heading", 1, "Label of sub/a b.xhtml"),
        ("paragraph", 0, "No heading here."),
        ("heading", 2, "Last"),
        ("code", 0, "code"),
    ]


def test_epub_2_with_an_ncx_and_obfuscated_fonts(tmp_path: Path) -> None:
    members = epub_members({"a.xhtml": "<p>text</p>"})
    opf = str(members["OEBPS/book.opf"])
    members["OEBPS/book.opf"] = opf.replace(
        NAV_ITEM,
        '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>',
    )
    members["OEBPS/toc.ncx"] = (
        '<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "http://www.daisy.org/z3986/2005/ncx-2005-1.dtd">'
        "<ncx><navMap><navPoint><navLabel><text>Chapter\n One</text></navLabel>"
        '<content src="a.xhtml#top"/></navPoint></navMap></ncx>'
    )
    members["META-INF/encryption.xml"] = (
        '<e><EncryptionMethod Algorithm="http://www.idpf.org/2008/embedding"/></e>'
    )
    path = tmp_path / "book.epub"
    path.write_bytes(zipped(members))
    assert outline(document(path)) == [("heading", 1, "Chapter One"), ("paragraph", 0, "text")]
