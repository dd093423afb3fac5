"""PDF: paragraphs, pages, headings, running heads and hyphens."""

from __future__ import annotations

import pydoc_data.topics
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pypdfium2
import pytest
from reader_files import document, outline, pdf_bytes

from indexer.readers.content import TextBuilder
from indexer.readers.pdf_layout import Line, without_running_lines, write_pages


def article(path: Path, topics: list[str], running: bool = True) -> list[str]:
    """Write real prose over several pages, with a running head and page numbers; return the paragraphs."""
    from fpdf import FPDF

    class Article(FPDF):
        def header(self) -> None:
            if running:
                self.set_font("Helvetica", "", 9)
                self.cell(0, 8, "The Journal of Examples, volume 3", align="C")
                self.ln(12)

        def footer(self) -> None:
            if running:
                self.set_y(-15)
                self.set_font("Helvetica", "", 9)
                self.cell(0, 8, f"Page {self.page_no()}", align="C")

    pdf = Article()
    pdf.set_title("The Article")
    pdf.set_author("Ada")
    pdf.set_creation_date(datetime(2024, 4, 5, tzinfo=UTC))
    pdf.add_page()
    written = []
    for topic in topics:
        pdf.set_font("Helvetica", "B", 16)
        pdf.multi_cell(0, 9, topic, align="L", new_x="LMARGIN", new_y="NEXT")
        pdf.set_font("Helvetica", "", 11)
        for part in pydoc_data.topics.topics[topic].split("\n\n"):
            text = " ".join(part.split()).encode("ascii", "replace").decode()
            if re.match(r"[A-Z][a-z]", text) and not text.endswith("*"):
                pdf.multi_cell(0, 5.5, text, align="L", new_x="LMARGIN", new_y="NEXT")
                pdf.ln(4)
                written.append(text)
    pdf.output(str(path))
    return written


def test_an_article(tmp_path: Path) -> None:
    topics = ["assignment", "try", "with", "class", "function"]
    written = article(tmp_path / "a.pdf", topics)
    item = document(tmp_path / "a.pdf")
    assert item.title == "The Article"
    assert dict(item.metadata) == {"author": "Ada", "date": date(2024, 4, 5), "pages": len(item.pages)}
    found = outline(item)
    assert [text for kind, _, text in found if kind == "heading"] == topics
    assert "The Journal of Examples" not in item.text
    assert not re.search(r"\bPage \d+\b", item.text)
    words = re.findall(r"\w+", item.text)
    expected = [word for word in re.findall(r"\w+", " ".join([*topics, *written]))]
    assert sorted(words) == sorted(expected)
    paragraphs = {text for kind, _, text in found if kind == "paragraph"}
    assert sum(text in paragraphs for text in written) >= 0.9 * len(written)


def test_pages_are_where_pdfium_has_them(tmp_path: Path) -> None:
    article(tmp_path / "a.pdf", ["assignment", "try"], running=False)
    item = document(tmp_path / "a.pdf")
    source = pypdfium2.PdfDocument(tmp_path / "a.pdf")
    assert len(item.pages) == len(source) > 2
    for number, start in enumerate(item.pages):
        end = [*item.pages, len(item.text)][number + 1]
        page = source[number]
        expected = page.get_textpage().get_text_range()
        assert "".join(item.text[start:end].split()) == "".join(expected.split())
    source.close()


def test_blank_pages_count(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf_bytes("First.", " ", "Third."))
    item = document(path)
    assert item.text == "First.\n\nThird."
    assert item.pages[0] == 0
    assert item.text[item.pages[2] :] == "Third."


def lines(*texts: str, top: float = 700.0, size: float = 12.0, left: float = 50.0) -> list[Line]:
    return [Line(text, left, left + 6.0 * len(text), top - 14.0 * n, size) for n, text in enumerate(texts)]


def text_of(pages: list[list[Line]]) -> str:
    builder = TextBuilder(10_000)
    write_pages(pages, builder)
    return builder.text()


def test_hyphens() -> None:
    assert text_of([lines("The infor-", "mation flows.")]) == "The information flows."
    assert (
        text_of([lines("A well-known and", "a well-", "known case.")])
        == "A well-known and a well-known case."
    )
    assert text_of([lines("The Anglo-", "Saxon kings.")]) == "The Anglo-Saxon kings."
    assert text_of([lines("Soft\u00ad", "ware and infor\ufffe", "mation.")]) == "Software and information."
    assert text_of([lines("It was - as ever -", "late.")]) == "It was - as ever - late."


def test_dots_before_the_number_of_a_page_are_one_mark() -> None:
    assert (
        text_of([lines("Index . . . . . . . . . 32", top=700), lines("Notes........7", top=500)])
        == "Index … 32\n\nNotes … 7"
    )
    assert text_of([lines("Wait... what. . . ?")]) == "Wait... what. . . ?"


def test_chinese_lines_are_joined_without_spaces() -> None:
    assert (
        text_of([lines("信息检索研究的是怎样", "从大量文档中找出内容。")])
        == "信息检索研究的是怎样从大量文档中找出内容。"
    )


def test_a_paragraph_runs_on_to_the_next_page() -> None:
    builder = TextBuilder(10_000)
    write_pages([lines("One begins here", "and goes"), lines("on over the page.", "Two.")], builder)
    text = builder.text()
    assert text.startswith("One begins here and goes on over the page.")
    assert [text[at:][:2] for at in builder.pages()] == ["On", "on"]


def test_running_lines_are_dropped_only_where_sure() -> None:
    pages = [
        [
            *lines("A Running Head", top=800),
            *lines(f"Body {word}.", f"more of {word}", f"{word} again", f"and {word}", f"so {word}"),
            *lines(str(n), top=20),
        ]
        for n, word in enumerate(["one", "two", "three", "four"], 1)
    ]
    kept = without_running_lines(pages)
    assert [page[0].text for page in kept] == [
        "Body one.",
        "Body two.",
        "Body three.",
        "Body four.",
    ]
    assert all(len(page) == 5 for page in kept)
    assert without_running_lines(pages[:2]) == pages[:2]


@pytest.mark.parametrize(
    ("heads", "kept"),
    [
        (
            [
                "Chapter 1: Tools 7",
                "8 Chapter 1: Tools",
                "9",
                "Notes 10",
                "Notes 11",
                "12 Notes",
                "Notes 13",
                "Notes 14",
            ],
            0,
        ),
        ([f"{n} Slide {word}" for n, word in enumerate("abcdefgh", 1)], 8),
        (["In 1990", "the 1850s", "there were 12", "of 30", "", "or 4", "5 more", "x"], 8),
    ],
)
def test_running_heads_that_change_are_told_by_the_number_of_the_page(heads: list[str], kept: int) -> None:
    bodies = [[f"{word} {of}" for of in ("begins", "goes on", "and on", "ends")] for word in "stuvwxyz"]
    pages = [[*lines(head, top=800), *lines(*body)] for head, body in zip(heads, bodies, strict=True)]
    for page, before in zip(without_running_lines(pages), pages, strict=True):
        assert page == before[0 if kept else 1 :]


def test_threads_may_read_at_once(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    article(tmp_path / "a.pdf", ["try"])
    with ThreadPoolExecutor(4) as pool:
        texts = set(pool.map(lambda _: document(tmp_path / "a.pdf").text, range(8)))
    assert len(texts) == 1
