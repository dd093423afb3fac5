"""HTML: the content without what is around it, with its structure."""

from __future__ import annotations

import html as escaping
import pydoc_data.topics
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reader_files import document, outline

from indexer.readers import ReadOptions
from indexer.readers.html import MAX_DEPTH, read_html

OPTIONS = ReadOptions()
LINKS = ["Home", "Products", "Pricing", "Careers", "Contact us", "Sign in"]
MENU = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in LINKS)
SMALL_PRINT = 'Copyright 2024 Example Group. <a href="/p">Privacy policy</a>'
AROUND = {
    "semantic": "<header><nav><ul>{menu}</ul></nav></header><main><h1>{title}</h1>{body}</main>"
    "<footer>{small}</footer>",
    "classes": '<div class="site-header"><ul class="navbar">{menu}</ul></div>'
    '<div class="post"><h1>{title}</h1>{body}</div>'
    '<div class="sidebar"><p>Subscribe to our newsletter</p></div><div id="footer">{small}</div>',
    "layout table": "<table><tr><td colspan=2><ul>{menu}</ul></td></tr><tr><td><ul>{menu}</ul></td>"
    "<td><h1>{title}</h1>{body}</td></tr><tr><td>{small}</td></tr></table>",
    "divs only": "<div><div>{menu}</div></div><div><h1>{title}</h1><div>{body}</div></div>"
    "<div><div>{small}</div></div>",
}


def body_of(topic: str) -> tuple[str, list[str]]:
    """A topic of Python's own documentation, as paragraphs of HTML and as their words."""
    paragraphs = [
        " ".join(part.split()) for part in pydoc_data.topics.topics[topic].split("\n\n") if part.strip()
    ]
    return "".join(f"<p>{escaping.escape(part)}</p>" for part in paragraphs), paragraphs


@pytest.mark.parametrize("template", AROUND)
@pytest.mark.parametrize("topic", ["assert", "class", "try", "with"])
def test_content_is_kept_and_navigation_dropped(template: str, topic: str) -> None:
    body, paragraphs = body_of(topic)
    page = AROUND[template].format(menu=MENU, title=topic, body=body, small=SMALL_PRINT)
    content = read_html(f"<html><title>{topic} - Site</title><body>{page}</body></html>".encode(), OPTIONS)
    found = [(block.kind, content.text[block.start : block.end]) for block in content.blocks]
    assert found == [("heading", topic), *(("paragraph", part) for part in paragraphs)]
    assert content.title == topic


PAGE = """<!DOCTYPE html><html lang="en-GB"><head><title>A Page - The Site</title>
<meta name="author" content="Ada"><meta property="article:published_time" content="2024-03-02T10:00:00Z"></head><body>
<main><h1>A <em>Page</em><a class="headerlink" href="#x">¶</a></h1>
<p>One   two<br>three &amp; four.<script>no</script><span hidden>no</span></p>
<ul><li>first<ul><li>inner</li></ul></li><li><p>second</p><p>more</p></li></ul>
<pre>x = 1

  y = 2
</pre>
<table><caption>Things</caption><thead><tr><th>a</th><th>b</th></tr></thead>
<tr><td>1</td><td>two <b>words</b></td></tr></table>
<h2>Sub</h2><blockquote>Said.</blockquote><dl><dt>term</dt><dd>meaning</dd></dl>
<div>loose text</div></main></body></html>"""


def test_structure(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text(PAGE)
    item = document(path)
    assert item.title == "A Page"
    assert dict(item.metadata) == {"language": "en-GB", "author": "Ada", "date": date(2024, 3, 2)}
    assert outline(item) == [
        ("heading", 1, "A Page"),
        ("paragraph", 0, "One two\nthree & four."),
        ("list", 1, "first"),
        ("list", 2, "inner"),
        ("list", 1, "second"),
        ("list", 1, "more"),
        ("code", 0, "x = 1\n\n  y = 2"),
        ("table", 0, "Things\na | b\n1 | two words"),
        ("heading", 2, "Sub"),
        ("paragraph", 0, "Said."),
        ("paragraph", 0, "term"),
        ("paragraph", 0, "meaning"),
        ("paragraph", 0, "loose text"),
    ]


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("<title>Only Title</title><p>x", "Only Title"),
        ("<h1>Only Heading</h1><p>x", "Only Heading"),
        ("<title>Another thing</title><h1>Heading</h1><p>x", "Another thing"),
        ("<title> Heading &mdash; Site\n</title><h1>Heading</h1><p>x", "Heading"),
        ("<p>x", "file"),
    ],
)
def test_titles(page: str, title: str, tmp_path: Path) -> None:
    path = tmp_path / "file.html"
    path.write_text(page, encoding="utf-8")
    assert document(path).title == title


@pytest.mark.parametrize(
    ("head", "codec"),
    [
        ('<meta charset="gb2312">', "gb18030"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=big5">', "big5"),
        ('<?xml version="1.0" encoding="utf-8"?>', "utf-8"),
        ('<meta charset="utf-8">', "gb18030"),
        ('<meta charset="no-such-thing">', "utf-8"),
        ("", "utf-16"),
    ],
)
def test_declared_encodings_are_believed_where_they_are_true(head: str, codec: str) -> None:
    text = "資訊檢索研究的是怎樣從大量文件中找出與使用者需要有關的內容，再按相關程度排列結果。"
    content = read_html(f"{head}<p>{text}</p>".encode(codec), OPTIONS)
    assert content.text == text


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (
            "<input type=checkbox><code class=mjs>a\nb</code><code class=cjs>c</code><button>copy</button>",
            "a\nb\nc",
        ),
        ("<code>a\n</code><code>b\n</code>", "a\nb"),
        ("<code></code><code>a</code>", "a"),
        ("a <code>b</code>c<code>d</code>", "a bcd"),
        ("<span>a</span><span>b</span>", "ab"),
    ],
)
def test_examples_side_by_side_are_two(code: str, text: str) -> None:
    content = read_html(f"<p>Words.</p><pre>{code}</pre>".encode(), OPTIONS)
    assert content.text == f"Words.\n\n{text}"


def test_a_page_of_links_only_is_kept() -> None:
    content = read_html(f"<body><ul>{MENU}</ul></body>".encode(), OPTIONS)
    assert [content.text[b.start : b.end] for b in content.blocks] == LINKS


def test_depth_up_to_the_limit_is_read() -> None:
    content = read_html(b"<div>" * MAX_DEPTH + b"deep text", OPTIONS)
    assert content.text == "deep text"


def test_unclosed_inline_elements_are_no_attack() -> None:
    content = read_html(b"<font><b><a name=x>word " * 3000, OPTIONS)
    assert content.text.split() == ["word"] * 3000


WORDS = st.text(st.characters(categories=["Ll", "Lo", "Nd"]), min_size=1, max_size=8)


@given(
    st.recursive(
        WORDS,
        lambda inner: st.tuples(
            st.sampled_from(["p", "div", "ul", "li", "b", "pre", "h2", "table", "tr", "td"]),
            st.lists(inner, max_size=4),
        ),
        max_leaves=12,
    )
)
@settings(max_examples=200)
def test_no_word_of_a_page_without_links_is_lost(tree: object) -> None:
    words: list[str] = []

    def markup(node: object) -> str:
        if isinstance(node, str):
            words.append(node)
            return f" {node} "
        assert isinstance(node, tuple)
        return f"<{node[0]}>{''.join(map(markup, node[1]))}</{node[0]}>"

    page = f"<body>start {markup(tree)}</body>"
    content = read_html(page.encode(), OPTIONS)
    assert sorted(content.text.replace("|", " ").split()) == sorted(["start", *words])
