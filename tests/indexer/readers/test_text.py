"""Plain text, Markdown and encodings: the source kept as it is, the blocks where they are."""

from __future__ import annotations

import codecs
import itertools
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from reader_files import document, outline
from selectolax.lexbor import LexborHTMLParser

from indexer.document import Document
from indexer.encoder.hashing import HashingEncoder
from indexer.readers import ReadOptions
from indexer.readers.content import Unreadable
from indexer.readers.decode import decode
from indexer.readers.markdown import read_markdown
from indexer.readers.plain import read_plain
from indexer.splitter import Splitter

OPTIONS = ReadOptions()
CHINESE = (
    "信息检索研究的是怎样从大量文档中找出与用户需要有关的内容。检索系统先建立索引，再按相关程度排列结果。"
)
TRADITIONAL = (
    "資訊檢索研究的是怎樣從大量文件中找出與使用者需要有關的內容。檢索系統先建立索引，再按相關程度排列結果。"
)


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("Grüße – naïve café, “quoted”", "utf-8"),
        ("Grüße", "utf-8-sig"),
        ("Grüße, Übermut und Straße, für große Jungen; “schön” heißt hübsch.", "cp1252"),
        ("Les élèves français étaient à l’école où l’été s’achève déjà.", "cp1252"),
        ("Grüße mit Marke", "utf-16"),
        ("Plain English without a mark", "utf-16-le"),
        ("Plain English without a mark", "utf-16-be"),
        ("Grüße 中文", "utf-32"),
        (CHINESE, "gb18030"),
        (CHINESE, "utf-8"),
        (CHINESE, "utf-16"),
        (TRADITIONAL, "big5"),
        ("日本語の文章を読むための試験です。漢字とかなが混ざっています。カタカナもあります。", "shift_jis"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy, řekla paní učitelka.", "cp1250"),
        ("Zażółć gęślą jaźń, powiedział nauczyciel do swojej córki.", "cp1250"),
        ("Русский текст, который нужно прочитать без ошибок, в старой кодировке.", "cp1251"),
    ],
)
def test_encodings(text: str, codec: str) -> None:
    assert decode(text.encode(codec)) == text


def test_marks_of_byte_order_are_no_text(tmp_path: Path) -> None:
    for number, (mark, codec) in enumerate(
        [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")]
    ):
        path = tmp_path / f"{number}.txt"
        path.write_bytes(mark + "Text".encode(codec))
        assert document(path).text == "Text"


def test_damaged_utf8_stays_utf8() -> None:
    data = CHINESE.encode() + b"\xff" + CHINESE.encode()
    assert decode(data) == CHINESE + "\ufffd" + CHINESE


def test_nuls_in_text_are_replaced_one_for_one(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"some words with one\x00 nul " * 3)
    assert document(path).text == "some words with one\ufffd nul " * 3


def test_plain_text_structure(tmp_path: Path) -> None:
    source = (
        "PART I\r\n\r\nChapter One: Dawn\r\n\r\nIt was early\r\nand cold.\r\n\r\n"
        "- first\r\n- second\r\n  goes on\r\n\r\n"
        "Summary\n=======\nAll is well.\n\n第二章 归来\n\n　　他回来了。\n　　天黑了。\n"
    )
    path = tmp_path / "book.txt"
    path.write_bytes(source.encode())
    item = document(path)
    assert item.text == source
    assert item.title == "book"
    assert outline(item) == [
        ("heading", 1, "PART I"),
        ("heading", 2, "Chapter One: Dawn"),
        ("paragraph", 0, "It was early\r\nand cold."),
        ("list", 1, "- first"),
        ("list", 1, "- second\r\n  goes on"),
        ("heading", 1, "Summary"),
        ("paragraph", 0, "All is well."),
        ("heading", 2, "第二章 归来"),
        ("paragraph", 0, "他回来了。"),
        ("paragraph", 0, "天黑了。"),
    ]


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("The Title\n=========\n\nText.", "The Title"),
        ("\r\n The Title\r\n  =====\r\nText.", "The Title"),
        ("Text.\n\nNo Title\n========\n", ""),
        ("Section\n-------\n\nText.", ""),
        ("CHAPTER I\n\nText.", ""),
        ("Text.", ""),
    ],
)
def test_a_line_underlined_at_the_head_of_a_text_is_its_title(source: str, title: str) -> None:
    assert read_plain(source.encode(), OPTIONS).title == title


def test_a_sentence_that_begins_like_a_heading_is_none() -> None:
    content = read_plain(b"Part of the trouble was the rain.\n\nSection by section it fell.\n", OPTIONS)
    assert [block.kind for block in content.blocks] == ["paragraph", "paragraph"]


def test_form_feeds_part_pages() -> None:
    content = read_plain(b"one\n\ftwo\n\x0cthree", OPTIONS)
    assert [content.text[at:][:3] for at in content.pages] == ["one", "two", "thr"]
    assert [content.text[b.start : b.end] for b in content.blocks] == ["one", "two", "three"]


def test_long_lines_are_paragraphs_of_their_own() -> None:
    lines = ["word " * 60, "other " * 50]
    content = read_plain("\n".join(lines).encode(), OPTIONS)
    assert [content.text[b.start : b.end] for b in content.blocks] == [line.strip() for line in lines]


@given(
    st.lists(st.text(st.sampled_from("ab 中.-\t"), max_size=20), max_size=12),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
@settings(max_examples=200)
def test_every_word_is_in_a_block(lines: list[str], ending: str) -> None:
    source = "x" + ending + ending + ending.join(lines)
    content = read_plain(source.encode(), OPTIONS)
    assert content.text == source
    covered = "".join(content.text[b.start : b.end] for b in content.blocks)
    assert _letters(covered) == _letters(source)


def _letters(text: str) -> str:
    """The text without white space, and without dashes: a line of them is a rule, and in no block."""
    return "".join(text.replace("-", "").split())


MARKDOWN = """---
title: The Title
author: [Ada, Bob]
date: 2024-01-05
draft: false
nested: {a: 1}
---

Intro *with* emphasis
over two lines.

# First `code` #

Setext heading
--------------

- one
- two

  more of two
  1. inner
- three

> quoted
> ## Inside

| a | b |
|---|---|
| 1 | 2 |

```python
x = 1

y = 2
```

    indented

<!-- comment -->

<p>html</p>

[ref]: http://example.org
"""


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_markdown_structure(ending: str, tmp_path: Path) -> None:
    source = MARKDOWN.replace("\n", ending)
    path = tmp_path / "a.md"
    path.write_bytes(source.encode())
    item = document(path)
    head = source[: source.index("Intro")]
    assert item.text == blanked(source, head, "<!-- comment -->", "<p>", "</p>", "[ref]: http://example.org")
    assert item.title == "The Title"
    assert dict(item.metadata) == {"author": ("Ada", "Bob"), "date": date(2024, 1, 5), "draft": False}
    found = [(kind, level, text.replace(ending, "\n")) for kind, level, text in outline(item)]
    assert found == [
        ("paragraph", 0, "Intro *with* emphasis\nover two lines."),
        ("heading", 1, "First `code`"),
        ("heading", 2, "Setext heading"),
        ("list", 1, "- one"),
        ("list", 1, "- two"),
        ("list", 1, "more of two"),
        ("list", 2, "1. inner"),
        ("list", 1, "- three"),
        ("paragraph", 0, "> quoted"),
        ("heading", 2, "Inside"),
        ("table", 0, "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("code", 0, "```python\nx = 1\n\ny = 2\n```"),
        ("code", 0, "    indented"),
        ("paragraph", 0, "html"),
    ]


def blanked(text: str, *parts: str) -> str:
    """The text with spaces in place of these parts of it, their white space kept."""
    for part in parts:
        assert text.count(part) == 1
        text = text.replace(part, "".join(char if char.isspace() else " " for char in part))
    return text


@pytest.mark.parametrize(
    ("head", "fields"),
    [
        ("---\ntitle: A\nkind: note\n---\n", {"title": "A", "kind": "note"}),
        ("---\r\nkind: note\r\n...\r\n", {"kind": "note"}),
        ("---\n标题: 出发\n作者: [甲, 乙]\n---\n", {"标题": "出发", "作者": ("甲", "乙")}),
        (
            "---\ntitle: Deep: A Study\ndate: 2024-01-05\n---\n",
            {"title": "Deep: A Study", "date": date(2024, 1, 5)},
        ),
        ("---\ndate: 2021\n---\n", {"date": date(2021, 1, 1)}),
        ("---\ndate: some day\nkind: note\n---\n", {"kind": "note"}),
        (
            '+++\ntitle = "A"\ndate = 2024-01-05T10:00:00Z\ntags = ["x", "y"]\n+++\n',
            {"title": "A", "date": date(2024, 1, 5), "tags": ("x", "y")},
        ),
        ("---\n---\n", {}),
        ("<!-- a licence\n\nof two paragraphs -->\n", {}),
        ("[a]: http://example.org 'A'\n[b]: http://example.org\n", {}),
        ("<script>\nlet a = 1\n</script>\n", {}),
    ],
)
def test_passages_begin_after_what_is_no_content(head: str, fields: dict[str, object]) -> None:
    content = read_markdown(f"{head}\n# Words\n\nSome text.\n".encode(), OPTIONS)
    named = {"title": content.title} if "title" in fields else {}
    assert {**content.metadata, **named} == fields
    item = Document("d", content.text, content.title, blocks=content.blocks)
    assert len(item.text) == len(f"{head}\n# Words\n\nSome text.\n")
    assert [item.text[p.start : p.end] for p in Splitter(HashingEncoder()).split(item)] == [
        "# Words\n\nSome text."
    ]


@pytest.mark.parametrize(
    "source",
    [
        "---\n\nProse: between: rules.\nIt goes on.\n\n---\n",
        "---\n- one: two: three\n---\n",
        "---\nno end",
        "+++\nno = end",
        "+++\nno toml\n+++\n",
        "[^1]: Ibid.\n",
    ],
)
def test_what_only_looks_like_front_matter_is_text(source: str) -> None:
    content = read_markdown(source.encode(), OPTIONS)
    assert (content.text, content.metadata) == (source, {})


def test_a_file_of_front_matter_is_found_by_its_title_and_one_of_comments_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\ntitle: The Title\n---\n")
    item = document(tmp_path / "a.md")
    assert (item.title, item.text.strip(), item.blocks) == ("The Title", "", ())
    with pytest.raises(Unreadable, match="only front matter, comments"):
        read_markdown(b"<!-- nothing -->\n\n[a]: http://example.org\n", OPTIONS)


@given(
    st.lists(
        st.sampled_from(
            [
                "# said",
                "said",
                "- said [a]",
                "> said",
                "<!-- hid -->",
                "\n<!-- hid\n\nhid --> said",
                "[a]: http://hid.org",
                "> [b]: http://hid.org 'hid\nhid'",
                "- [c]: http://hid.org",
                "```\n<!-- said -->\n```",
                "<div class='hid'>said\n<!-- hid\n--></div>\n",
                "[said](http://hid.org)",
                "*[said*](<hid hid> 'hid')said",
                "参见[`said`]( hid(hid)hid (hid) )",
                "\n[said](hid\n'hid')\n",
                "[said][A] ![](hid)",
                "[said [said](hid)",
                "`[said](said)` \\[said](said)",
                "|a|said|\n|-|-|\n|[said](hid)|<br/>said|",
                "## [![hid](hid)](hid) said<br hid>\n",
                "said[0](said)",
                "",
                "",
            ]
        ),
        max_size=12,
    )
)
@settings(max_examples=200, deadline=None)
def test_markdown_says_what_the_rendered_page_says(parts: list[str]) -> None:
    """The oracle: the words that a browser shows of markdown-it's page."""
    source = "said\n\n" + "\n".join(parts)
    text = read_markdown(source.encode(), OPTIONS).text
    rendered = MarkdownIt("commonmark").enable("table").render(source.replace("said[0](", "said[0]\\("))
    page = LexborHTMLParser(rendered).text()
    assert len(text) == len(source)
    assert all(char in (there, " ") for char, there in zip(text, source, strict=True))
    assert [text.count(word) for word in ("said", "hid")] == [page.count(word) for word in ("said", "hid")]


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("## Small\n\n# The **Big** One\n", "The Big One"),
        ("# One\n\n# Two\n", "One"),
        ("Words of a file whose name is its title.\n\n# One\n\n# Two\n", ""),
        ("# `snake_case` and _some_ CHANGE\\_LOG 1\\.0\n", "snake_case and some CHANGE_LOG 1.0"),
        ("# Name [![Build](http://a.org/b.svg?c=d)](http://a.org) [![x][y]][z]\n", "Name"),
        ("# [Name](http://a.org) 2 #\n", "Name 2"),
        (
            '<p align="center">\n  <img src="a.svg">\n  <h1 class="x">The <em>Name</em></h1>\n  Says.\n</p>\n',
            "The Name",
        ),
    ],
)
def test_markdown_title(source: str, title: str) -> None:
    content = read_markdown(source.encode(), OPTIONS)
    assert content.title == title


def test_headings_in_html_are_headings() -> None:
    source = "<div>First <h2>A <b>B</b></h2> then\n<h3></h3> last</div>\n\n# C\n"
    content = read_markdown(source.encode(), OPTIONS)
    assert [(b.kind, b.level, content.text[b.start : b.end].split()) for b in content.blocks] == [
        ("paragraph", 0, ["First"]),
        ("heading", 2, ["A", "B"]),
        ("paragraph", 0, ["then"]),
        ("paragraph", 0, ["last"]),
        ("heading", 1, ["C"]),
    ]


def test_yaml_that_grows_is_no_front_matter() -> None:
    source = b"---\na: &a [x, x]\nb: [*a, *a]\n---\ntext\n"
    assert read_markdown(source, OPTIONS).metadata == {}


@given(
    st.lists(
        st.sampled_from(
            [
                "# h",
                "## g ##",
                "t\n===",
                "- a",
                "  - b",
                "1. c",
                "> q",
                "```\nx\n```",
                "|a|\n|-|\n|1|",
                "word",
                "",
            ]
        ),
        max_size=10,
    )
)
@settings(max_examples=150)
def test_markdown_headings_agree_with_the_rendered_page(parts: list[str]) -> None:
    """The oracle: the headings of markdown-it's full parse, with inline text."""
    source = "x\n\n" + "\n".join(parts)
    content = read_markdown(source.encode(), OPTIONS)
    tokens = MarkdownIt("commonmark").enable("table").parse(source)
    expected = [
        (int(token.tag[1:]), inline.content)
        for token, inline in itertools.pairwise(tokens)
        if token.type == "heading_open" and inline.content
    ]
    headings = [block for block in content.blocks if block.kind == "heading"]
    assert [(block.level, content.text[block.start : block.end]) for block in headings] == expected


def test_a_long_file_is_read_whole() -> None:
    chapter = "# Heading\n\n" + "Some words of prose that go on.\n" * 20 + "\n- item\n\n"
    source = chapter * 1000
    content = read_markdown(source.encode(), OPTIONS)
    assert len(content.blocks) == 3000
    assert read_plain(("word " * 1_000_000).encode(), OPTIONS).blocks[0].end == 4_999_999
